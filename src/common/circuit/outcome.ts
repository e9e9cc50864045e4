import { DeadlineError } from '../deadline/index.js';

const SERVER_ERROR = 500;
/** The SDK's name for an answer that did not begin in time. */
const TIMEOUT = 'TimeoutError';
/** The codes of connections that break: of the operating system, and of Node's HTTP client. */
const CONNECTION = /^(E(?!RR_)[A-Z_]{2,20}|ERR_STREAM_PREMATURE_CLOSE|UND_ERR_(SOCKET|[A-Z_]+_TIMEOUT))$/;

/**
 * What an error says of the dependency that was called: it failed, or it has answered; undefined where the error does not
 * say. The causes of the error count too.
 */
export function outcomeOf(error: unknown): 'failed' | 'answered' | undefined {
  if (!(error instanceof Error)) return undefined;
  const status = statusOf(error);
  if (status !== undefined) return status >= SERVER_ERROR ? 'failed' : 'answered';
  if (error instanceof DeadlineError || error.name === TIMEOUT || hasConnectionCode(error)) return 'failed';
  return outcomeOf(error.cause);
}

/** Of an error of the AWS SDK, and of ours for a provider's answer. */
function statusOf(error: Error): number | undefined {
  const { $metadata, status } = error as {
    readonly $metadata?: { readonly httpStatusCode?: number };
    readonly status?: unknown;
  };
  return $metadata?.httpStatusCode ?? (typeof status === 'number' ? status : undefined);
}

function hasConnectionCode(error: Error): boolean {
  const { code } = error as NodeJS.ErrnoException;
  return typeof code === 'string' && CONNECTION.test(code);
}
