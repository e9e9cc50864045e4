/** One row of the closed table of errors: the part that a client sees. `docs/errors.md` explains each. */
export interface ErrorRow {
  /** The HTTP status before the first byte of an answer. */
  readonly status: number;
  readonly title: string;
  /** The default text: what happened, and what to do next. An error may carry a more precise text. */
  readonly detail: string;
  /** After so many seconds another try makes sense; `Retry-After` (RFC 9110, 10.2.3) says it. */
  readonly retryAfter?: number;
}

/** Every error code of the application. */
export const ERRORS = {
  invalid_request: {
    status: 400,
    title: 'Invalid request',
    detail: 'The request does not have the expected form. Compare it with the specification at /docs.',
  },
  unauthenticated: {
    status: 401,
    title: 'Not signed in',
    detail: 'Open the application in a browser to sign in, then try again.',
  },
  cross_site_request: {
    status: 403,
    title: 'Cross-site request refused',
    detail:
      'Requests that change something are taken from the pages of this application only, and consent pages open only in a tab of their own.',
  },
  not_found: { status: 404, title: 'Not found', detail: 'There is nothing at this address.' },
  session_not_found: {
    status: 404,
    title: 'No such conversation',
    detail: 'You have no conversation with this id. List yours with GET /sessions.',
  },
  session_busy: {
    status: 409,
    title: 'A turn is in progress',
    detail:
      'This conversation is already answering. Wait for its end, then try again. If its server has failed, it is free again within 10 seconds.',
  },
  session_unreadable: {
    status: 500,
    title: 'This conversation cannot be read',
    detail:
      'The stored conversation is damaged, or was written by a newer version of this application. Your other conversations are not affected. Tell the operator the request id, or delete this conversation.',
  },
  run_id_used: {
    status: 409,
    title: 'This run id has been used',
    detail:
      'An id names one run of a conversation, and this one has named another. Choose a new id; what the other run did is in the conversation.',
  },
  run_not_found: {
    status: 404,
    title: 'No such run',
    detail:
      'This conversation has no run with this id that could be read again. What its runs did is in the conversation.',
  },
  run_lost: {
    status: 500,
    title: 'The run was lost',
    detail:
      'The server that ran this has failed. Your message is kept, and the conversation says what is known. Send the message again with a new run id.',
  },
  interrupt_not_pending: {
    status: 409,
    title: 'Nothing to resume',
    detail: 'No such interrupt is pending in this conversation. Send a message instead.',
  },
  payload_too_large: { status: 413, title: 'Request too large', detail: 'Send at most 256 KiB.' },
  unsupported_media_type: {
    status: 415,
    title: 'Unsupported media type',
    detail: 'Send the type that this address takes: application/json to the API.',
  },
  too_many_runs: {
    status: 429,
    title: 'Too many runs at once',
    detail: 'Wait until one of your runs has ended, then try again.',
    retryAfter: 5,
  },
  daily_limit_reached: {
    status: 429,
    title: 'The limit of this day is reached',
    detail: 'You have taken what you are allowed on one day, in UTC. GET /usage says how much that is.',
    retryAfter: 3_600,
  },
  internal_error: {
    status: 500,
    title: 'Something went wrong',
    detail: 'The failure has been logged. Try again; if it persists, tell the operator the request id.',
  },
  sign_in_throttled: {
    status: 429,
    title: 'Too many unknown keys',
    detail:
      'Tokens with unknown signing keys are arriving faster than they are looked up. Try again in a minute.',
    retryAfter: 60,
  },
  sign_in_keys_unavailable: {
    status: 503,
    title: 'Sign-in cannot be checked',
    detail:
      'The keys that prove who is signed in could not be fetched. Try again in a moment; if it persists, tell the operator.',
    retryAfter: 5,
  },
  sessions_unavailable: {
    status: 503,
    title: 'Conversations are unavailable',
    detail:
      'The store of conversations did not answer, or refused. Try again in a moment; if it persists, tell the operator the request id.',
    retryAfter: 5,
  },
  identity_unavailable: {
    status: 503,
    title: 'Authorization service unavailable',
    detail: 'The service that keeps your authorizations did not answer. Try again in a moment.',
    retryAfter: 5,
  },
  identity_misconfigured: {
    status: 500,
    title: 'Authorization service misconfigured',
    detail: 'The operator must correct the set-up of the authorization service. Tell them the request id.',
  },
  model_unavailable: {
    status: 503,
    title: 'The model is unavailable',
    detail:
      'The language model did not answer. Your message is kept. Try again in a moment; if it persists, tell the operator the request id.',
  },
  model_throttled: {
    status: 503,
    title: 'The model is busy',
    detail: 'The language model has too many requests. Your message is kept. Wait a minute, then try again.',
  },
  model_rejected: {
    status: 502,
    title: 'The model refused the request',
    detail:
      'The language model did not accept this conversation. Start a new one, or tell the operator the request id.',
  },
  model_misconfigured: {
    status: 500,
    title: 'The model is misconfigured',
    detail:
      'The operator must correct the set-up of the language model. Your message is kept. Tell them the request id.',
  },
  model_invalid: {
    status: 502,
    title: "The model's answer cannot be used",
    detail:
      'The language model used the same id for two calls, so an approval could apply to the wrong call. No call of that answer was made. Try again.',
  },
  overloaded: {
    status: 503,
    title: 'Too busy',
    detail: 'This server has as many runs as it can serve. Try again in a moment.',
    retryAfter: 5,
  },
  run_limit: {
    status: 500,
    title: 'The run went in circles',
    detail: 'The run was ended because it called the model too often. Ask for one thing at a time.',
  },
  model_limit: {
    status: 502,
    title: 'Too long for the model',
    detail:
      'The conversation or the answer is too long for the model. Ask for less, or start a new conversation.',
  },
  request_timeout: {
    status: 408,
    title: 'Request timed out',
    detail: 'The request did not arrive in time. Try again.',
  },
  headers_too_large: {
    status: 431,
    title: 'Headers too large',
    detail: 'Send at most 80 KiB of headers. In a browser, clear the cookies of this site.',
  },
  run_timeout: {
    status: 504,
    title: 'The run took too long',
    detail: 'The run was ended because it took too long. Your message is kept. Ask for less in one message.',
  },
  shutting_down: {
    status: 503,
    title: 'Shutting down',
    detail: 'This server is being replaced. Send your message again now: another server answers.',
    retryAfter: 1,
  },
  consent_declined: { status: 403, title: 'Consent declined', detail: 'The user did not authorize this.' },
  approval_declined: {
    status: 403,
    title: 'Approval declined',
    detail: 'The user did not approve this action.',
  },
  account_declined: {
    status: 403,
    title: 'Account declined',
    detail: 'The user does not want to act as this account.',
  },
  tool_input_invalid: {
    status: 400,
    title: 'Tool input invalid',
    detail: 'The tool was called with arguments that it does not accept.',
  },
  tool_output_invalid: {
    status: 502,
    title: 'Unexpected answer from the provider',
    detail: 'The provider answered in a form that is not understood.',
  },
  tool_failed: {
    status: 500,
    title: 'The tool failed',
    detail: 'The tool failed. The failure has been logged.',
  },
  tool_outcome_unknown: {
    status: 502,
    title: 'It is not known what the tool did',
    detail:
      'The tool was called, but its answer was not received, so the action may have been done. Check before you try again.',
  },
  provider_unavailable: {
    status: 503,
    title: 'The provider is unavailable',
    detail: 'The provider did not answer. Try again in a moment.',
  },
  provider_rejected: {
    status: 502,
    title: 'The provider refused',
    detail: 'The provider did not accept the request.',
  },
  provider_rate_limited: {
    status: 429,
    title: "The provider's rate limit is reached",
    detail: 'The provider requires a wait before the next request.',
  },
  flow_denied: {
    status: 403,
    title: 'You did not authorize access',
    detail: 'Nothing was shared. You can close this page, or ask again in the conversation.',
  },
  flow_expired: {
    status: 410,
    title: 'This authorization has expired',
    detail:
      'It was open for ten minutes, or has been used already. Go back to the conversation: if access is still missing, you get a new link there.',
  },
  flow_wrong_account: {
    status: 403,
    title: 'This link belongs to another account',
    detail:
      'You are signed in with a different account than the person who asked. Nothing was shared. If you did not ask for this, close the page.',
  },
  flow_wrong_browser: {
    status: 403,
    title: 'This authorization was not started in this browser',
    detail:
      'Nothing was connected, and for safety this link no longer works. Ask again in the conversation, and finish in the same browser.',
  },
  flow_burnt: {
    status: 403,
    title: 'This authorization was stopped',
    detail:
      'It was continued in another browser or by another user, so it was stopped. Nothing was connected. Go back to the conversation and ask for a new link.',
  },
  flows_unavailable: {
    status: 503,
    title: 'Authorizations cannot be checked',
    detail:
      'The store of authorizations did not answer, or refused. This request connected nothing. Try again in a moment; if it persists, tell the operator the request id.',
    retryAfter: 5,
  },
  flow_invalid: {
    status: 400,
    title: 'This link is not valid',
    detail: 'The link is incomplete or was changed. Go back to the conversation and ask for a new link.',
  },
} as const satisfies Readonly<Record<string, ErrorRow>>;

/** A code of the table of errors. */
export type ErrorCode = keyof typeof ERRORS;
