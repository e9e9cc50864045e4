import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { stackFile } from './stack-file.ts';

/** The JSON Schema of a stack's file, with which editors check and complete it. */
export const SCHEMA = fileURLToPath(new URL('stack.schema.json', import.meta.url));

export function schemaOfStackFile(): object {
  return z.toJSONSchema(stackFile, { io: 'input' });
}
