// Writes the picture of the flow that README.md shows, from a flow that is played on a stack of its own.
import { writeFileSync } from 'node:fs';
import { build } from '../../scripts/lib/build.mjs';
import { startBothRoles } from '../lib/both-roles.ts';
import { startStack } from '../stack.ts';
import { flowPicture, PICTURE } from './flow-picture.ts';

await build();
const stack = await startStack({ inspect: true });
try {
  const roles = await startBothRoles(stack);
  try {
    writeFileSync(PICTURE, await flowPicture(stack));
    process.stdout.write(`${PICTURE} was written.\n`);
  } finally {
    await roles.stop();
  }
} finally {
  await stack.close();
}
