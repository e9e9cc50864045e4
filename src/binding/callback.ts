import { AppError } from '../common/errors/index.js';

/** The parameters that the browser brought back. */
export interface Callback {
  readonly sessionUri: string;
  readonly state?: string;
  /** The user refused the consent at the provider. */
  readonly denied: boolean;
}

const SESSION_URI = /^urn:ietf:params:oauth:request_uri:[A-Za-z0-9\-._~]{1,980}$/;
const LONGEST_STATE = 4_096;

/**
 * Reads the callback's parameters. Each may occur only once and must have the form that the service uses.
 * @throws AppError `flow_invalid` | `flow_denied`
 */
export function readCallback(parameters: Readonly<Record<string, unknown>>): Callback {
  const { session_id: sessionUri, state, error } = parameters;
  const denied = typeof error === 'string' && error !== '';
  if (sessionUri === undefined && denied)
    throw new AppError('flow_denied', { reason: 'denied_without_session' });
  if (typeof sessionUri !== 'string' || !SESSION_URI.test(sessionUri)) {
    throw new AppError('flow_invalid', { reason: 'session_id' });
  }
  if (state !== undefined && (typeof state !== 'string' || state.length > LONGEST_STATE)) {
    throw new AppError('flow_invalid', { reason: 'state' });
  }
  return { sessionUri, denied, ...(state !== undefined && { state }) };
}
