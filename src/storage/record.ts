import type { z } from 'zod';

/** Parses a stored JSON record and checks it against a schema. A text that is not JSON fails the check. */
export function parseRecord<T>(schema: z.ZodType<T>, text: string): z.ZodSafeParseResult<T> {
  return schema.safeParse(parseJson(text));
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
