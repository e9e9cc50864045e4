// Every npm script runs this file first. It must run on any version of Node.js, and says what is missing.
import { existsSync } from 'node:fs';
import { pathToFileURL } from 'node:url';

const NEEDED = [24, 9];
const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);

if (!existsSync('node_modules')) fail('The dependencies are not installed. Run: npm ci');
if (major < NEEDED[0] || (major === NEEDED[0] && minor < NEEDED[1])) {
  fail(
    `This project needs Node.js ${NEEDED.join('.')} or later; this is Node.js ${process.versions.node}. ` +
      'npm ci installs the right version with the other dependencies; install scripts must be enabled ' +
      '(npm config get ignore-scripts). Then use npm run, or npm start.',
  );
}

// A reader that closes the output early (| head) must not end this process before it has cleaned up.
process.stdout.on('error', (error) => {
  if (error.code !== 'EPIPE') throw error;
});

const [file, ...rest] = process.argv.slice(2);
if (file === undefined) fail('usage: node scripts/run.mjs FILE [ARGUMENT …]');
if (!existsSync(file))
  fail(
    `${file} is missing. ${file.startsWith('dist/') ? 'Run: npm run build' : 'Run the command in the folder of the project.'}`,
  );
process.argv.splice(1, process.argv.length, file, ...rest);
await import(pathToFileURL(file).href);

function fail(sentence) {
  process.stderr.write(`${sentence}\n`);
  process.exit(1);
}
