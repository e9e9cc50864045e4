import 'reflect-metadata';
import { ConfigError, EX_CONFIG, readEnvironment, type AppConfig } from './config/index.js';

const config = readConfig();
try {
  const { createApp } = await import('./create-app.js');
  const app = await createApp(config);
  await app.listen({ port: config.port, host: config.host });
} catch (error) {
  process.stderr.write(`${config.role} could not start: ${describe(error)}\n`);
  process.exit(1);
}

function readConfig(): AppConfig {
  try {
    return readEnvironment();
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    process.stderr.write(`${error.message}\n`);
    process.exit(EX_CONFIG);
  }
}

function describe(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException;
  if (code === 'EADDRINUSE')
    return `port ${String(config.port)} is taken. Set PORT to another one, or stop what uses it.`;
  return message;
}
