// Preloaded into a role: on SIGUSR2, the process appends the CPU time that it has used so far, in milliseconds, to the file in
// REPORT_CPU.
import { appendFileSync } from 'node:fs';

process.on('SIGUSR2', () => {
  const { user, system } = process.cpuUsage();
  appendFileSync(process.env['REPORT_CPU'], `${(user + system) / 1000}\n`);
});
