// Preloaded into a role: on SIGUSR2 it collects garbage and appends the bytes of its heap to the file that REPORT_HEAP names.
import { appendFileSync } from 'node:fs';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc');

process.on('SIGUSR2', () => {
  collect();
  appendFileSync(process.env['REPORT_HEAP'], `${process.memoryUsage().heapUsed}\n`);
});
