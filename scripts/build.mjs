// Builds dist/. With --if-changed, it builds only when the sources have changed since the last build.
import { build } from './lib/build.mjs';

await build({ always: !process.argv.includes('--if-changed') });
