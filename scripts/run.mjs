// The first thing that every npm script runs. It must itself run on any Node.js, and say what is missing.
import { existsSync } from 'node:fs';
import { pathToFileURL } from 'node:url';

const NEEDED = [24, 9];
const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);

if (!existsSync('node_modules')) fail('The dependencies are not installed. Run: npm ci');
if (major < NEEDED[0] || (major === NEEDED[0] && minor < NEEDED[1])) {
  fail(
    `This runs on Node.js ${NEEDED.join('.')} or later, and found ${process.versions.node}. ` +
      'npm ci installs the right one beside the other dependencies; install scripts must not be switched off ' +
      '(npm config get ignore-scripts). Then use npm run, or npm start.',
  );
}

// Who reads only the beginning (| head) must not end what has yet to clean up.
process.stdout.on('error', (error) => {
  if (error.code !== 'EPIPE') throw error;
});

const [file, ...rest] = process.argv.slice(2);
if (file === undefined) fail('usage: node scripts/run.mjs FILE [ARGUMENT …]');
if (!existsSync(file))
  fail(
    `${file} is missing. ${file.startsWith('dist/') ? 'Run: npm run build' : "Is this the project's folder?"}`,
  );
process.argv.splice(1, process.argv.length, file, ...rest);
await import(pathToFileURL(file).href);

function fail(sentence) {
  process.stderr.write(`${sentence}\n`);
  process.exit(1);
}
