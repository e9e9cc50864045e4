import type { LoggerService } from '@nestjs/common';
import { pino, type DestinationStream, type Level, type Logger } from 'pino';
import { requestContext, type RequestContext } from '../context/index.js';
import { errorFields } from '../errors/index.js';
import { traceIds } from '../telemetry/index.js';

let output: DestinationStream | undefined;

/** Standard output for all writers of lines. They share one destination, so that lines never mix. */
export function standardOutput(): DestinationStream {
  output ??= pino.destination({ dest: 1, sync: true });
  return output;
}

/** Writes one JSON object per line to standard output, with the ids of the current request and of its trace. */
export class JsonLogger implements LoggerService {
  readonly #pino: Logger;

  constructor(
    options: { level: string; role: string; environment: string },
    destination?: DestinationStream,
  ) {
    this.#pino = pino(
      {
        level: options.level,
        base: { stream: 'application', role: options.role, environment: options.environment },
        timestamp: pino.stdTimeFunctions.isoTime,
        formatters: { level: (label) => ({ level: label }) },
        mixin: () => ({ ...loggedIds(), ...traceIds() }),
      },
      destination ?? standardOutput(),
    );
  }

  log(message: unknown, ...parameters: unknown[]): void {
    this.#write('info', message, parameters);
  }
  error(message: unknown, ...parameters: unknown[]): void {
    this.#write('error', message, parameters);
  }
  warn(message: unknown, ...parameters: unknown[]): void {
    this.#write('warn', message, parameters);
  }
  debug(message: unknown, ...parameters: unknown[]): void {
    this.#write('debug', message, parameters);
  }
  verbose(message: unknown, ...parameters: unknown[]): void {
    this.#write('trace', message, parameters);
  }
  fatal(message: unknown, ...parameters: unknown[]): void {
    this.#write('fatal', message, parameters);
  }

  /** Nest passes the logger's name as the last parameter. Errors are reduced to their names. */
  #write(level: Level, message: unknown, parameters: readonly unknown[]): void {
    const last = parameters.at(-1);
    const context = typeof last === 'string' ? { context: last } : {};
    if (message instanceof Error) this.#pino[level]({ ...context, ...errorFields(message) }, 'error');
    else if (typeof message === 'object' && message !== null) this.#pino[level]({ ...context, ...message });
    else this.#pino[level](context, String(message));
  }
}

function loggedIds(): object {
  const { user: _, ...ids }: Partial<RequestContext> = requestContext() ?? {};
  return ids;
}
