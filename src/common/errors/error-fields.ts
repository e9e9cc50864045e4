export interface ErrorFields {
  /** The name of the error. The name of an AWS error is its code, such as `AccessDenied`. */
  readonly error: string;
  /** The operating system's code, such as `ENOTFOUND`, of the error or of its cause. */
  readonly systemCode?: string;
  /** The innermost frames of the stack. */
  readonly at?: readonly string[];
  /** The HTTP status of an AWS answer. */
  readonly awsStatus?: number;
  readonly awsRequestId?: string;
}

const FRAMES = 4;
/** The name of an AWS error comes from outside. */
const NAME = /^[A-Za-z][\w.]{0,63}$/;
const SYSTEM_CODE = /^E[A-Z_]{2,20}$/;

/**
 * The loggable parts of an unknown error: its name, its code, where it was thrown, and what identifies an AWS answer. The
 * message is left out.
 */
export function errorFields(error: unknown): ErrorFields {
  if (!(error instanceof Error)) return { error: typeof error };
  const systemCode = systemCodeOf(error) ?? systemCodeOf(error.cause);
  const frames = (error.stack ?? '').split('\n').filter((line) => /^ {4}at /.test(line));
  return {
    error: NAME.test(error.name) ? error.name : 'Error',
    ...(systemCode !== undefined && { systemCode }),
    at: frames.slice(0, FRAMES).map((frame) => frame.trim()),
    ...awsFields(error),
  };
}

function systemCodeOf(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined;
  const { code } = error as NodeJS.ErrnoException;
  return typeof code === 'string' && SYSTEM_CODE.test(code) ? code : undefined;
}

/** The SDK puts `$metadata` on every error; without an answer it has neither a status nor an id. */
function awsFields(error: Error): Pick<ErrorFields, 'awsStatus' | 'awsRequestId'> {
  const { $metadata = {} } = error as {
    readonly $metadata?: { readonly httpStatusCode?: number; readonly requestId?: string };
  };
  const { httpStatusCode: awsStatus, requestId: awsRequestId } = $metadata;
  return {
    ...(awsStatus !== undefined && { awsStatus }),
    ...(awsRequestId !== undefined && { awsRequestId }),
  };
}
