// Builds the local stack as an npm package, and packs it: build/onbehalf-VERSION.tgz. It is not published from here.
import { execFileSync } from 'node:child_process';
import { buildKit, KIT } from './lib/kit.mjs';

process.stdout.write('Building the local stack as an npm package …\n');
await buildKit();
const packed = execFileSync('npm', ['pack', '--silent', '--pack-destination', 'build', `./${KIT}`], {
  encoding: 'utf8',
});
process.stdout.write(
  `build/${packed.trim()}: npm install --save-dev with this path, in the project whose tests use it.\n`,
);
