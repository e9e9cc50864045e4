// Builds dist/. With --if-changed, only when it was built from other sources.
import { build } from './lib/build.mjs';

await build({ always: !process.argv.includes('--if-changed') });
