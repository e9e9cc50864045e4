import 'reflect-metadata';
import { ConfigError, EX_CONFIG, processEnvironment } from './config/index.js';
import { loadRole } from './roles/load-role.js';

const environment = processEnvironment();
try {
  const role = await loadRole(environment);
  const { createApp } = await import('./create-app.js');
  const app = await createApp(role);
  const { port, host } = role.config.service;
  await app.listen({ port, host });
} catch (error) {
  const isConfiguration = error instanceof ConfigError;
  process.stderr.write(isConfiguration ? `${error.message}\n` : sentenceFor(error));
  process.exit(isConfiguration ? EX_CONFIG : 1);
}

function sentenceFor(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException & { readonly port?: number };
  const { ROLE: role = '', PORT: port = '8080' } = environment;
  const why =
    code === 'EADDRINUSE'
      ? `port ${port} is taken. Set PORT to another one, or stop the process that uses it.`
      : message;
  return `${role} could not start: ${why}\n`;
}
