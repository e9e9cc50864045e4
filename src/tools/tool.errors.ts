import type { ErrorCode } from '../common/errors/index.js';

/** The codes with which a tool may fail towards the model and the user. */
export type ToolFailureCode = Extract<
  ErrorCode,
  | 'consent_declined'
  | 'approval_declined'
  | 'account_declined'
  | 'tool_input_invalid'
  | 'tool_output_invalid'
  | 'tool_failed'
  | 'tool_outcome_unknown'
  | 'provider_unavailable'
  | 'provider_rejected'
  | 'provider_rate_limited'
  | 'identity_unavailable'
  | 'identity_misconfigured'
  | 'sessions_unavailable'
>;

/** Thrown by a tool. The message goes to the model and the user: no token, URL or upstream text in it. */
export class ToolError extends Error {
  readonly code: ToolFailureCode;

  constructor(code: ToolFailureCode, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.code = code;
  }
}

/** Thrown by a tool when the provider does not accept the vault's token, or the token lacks a scope. */
export class TokenRefusedError extends Error {}
