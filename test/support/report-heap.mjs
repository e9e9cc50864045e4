// Preloaded into a role: on SIGUSR2, the process collects garbage and appends the size of its heap in bytes to the file in
// REPORT_HEAP.
import { appendFileSync } from 'node:fs';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc');

process.on('SIGUSR2', () => {
  collect();
  appendFileSync(process.env['REPORT_HEAP'], `${process.memoryUsage().heapUsed}\n`);
});
