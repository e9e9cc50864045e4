import type { z } from 'zod';

/** A record that was stored as JSON, checked against its form; what is no JSON does not fit any. */
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
