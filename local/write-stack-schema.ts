// Writes the JSON Schema of a stack's file, from the schema that reads it.
import { writeFileSync } from 'node:fs';
import { format } from 'prettier';
import { SCHEMA, schemaOfStackFile } from './stack-schema.ts';

writeFileSync(SCHEMA, await format(JSON.stringify(schemaOfStackFile()), { parser: 'json', printWidth: 110 }));
process.stdout.write(`${SCHEMA} was written.\n`);
