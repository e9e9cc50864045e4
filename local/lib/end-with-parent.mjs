// Ends this process when the one that has started it is gone, also when that one was killed. Node.js loads it by --import.
import { setInterval } from 'node:timers';

const CHECK_MS = 500;
const parent = process.ppid;

setInterval(() => {
  if (process.ppid !== parent) process.kill(process.pid, 'SIGTERM');
}, CHECK_MS).unref();
