import { spawn } from 'node:child_process';
import { availableParallelism } from 'node:os';

/**
 * Runs steps in their order, as many at a time as there are cores. When a step ends, its whole output is printed below a line
 * with its name and duration. Resolves with the steps that failed.
 */
export async function runSteps(steps, { print = (text) => process.stdout.write(text) } = {}) {
  const waiting = [...steps];
  const failed = [];
  const work = async () => {
    for (let step = waiting.shift(); step !== undefined; step = waiting.shift()) {
      const startedAt = Date.now();
      const { code, output } = await run(step.parameters);
      if (code !== 0) failed.push(step);
      const seconds = ((Date.now() - startedAt) / 1000).toFixed(1);
      print(`${step.name}: ${code === 0 ? 'passed' : 'FAILED'} after ${seconds} s\n${output}`);
    }
  };
  await Promise.all(Array.from({ length: Math.min(availableParallelism(), steps.length) }, work));
  return failed;
}

function run(parameters) {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, parameters, { stdio: ['ignore', 'pipe', 'pipe'] });
    const chunks = [];
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => chunks.push(chunk));
    child.on('error', (error) => resolve({ code: 1, output: `${error.message}\n` }));
    child.on('close', (code) => resolve({ code, output: Buffer.concat(chunks).toString('utf8') }));
  });
}
