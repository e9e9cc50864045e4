import type { Fault } from '../lib/faults.ts';

/** A fault that a preset plans at a part. */
interface PresetFault {
  readonly part: string;
  readonly path: RegExp;
  readonly fault: Fault;
}

/** A named set of faults that are planned and removed together. */
export interface Preset {
  readonly title: string;
  /** The way to see the incident after it is switched on. */
  readonly see: string;
  /** An action that must come first. */
  readonly first?: { readonly part: string; readonly action: string };
  readonly faults: readonly PresetFault[];
}

const STOPPED = { kind: 'reset' } as const;

/** An error of an AWS service with the REST-JSON protocol. */
function refusal(status: number, type: string, message: string): Fault {
  const body = JSON.stringify({ message });
  return { kind: 'answer', status, headers: { 'x-amzn-errortype': type }, body };
}

/** The answer of S3 to a read of an object. */
function object(body: string): Fault {
  return { kind: 'answer', status: 200, headers: { etag: '"0"' }, body };
}

const OF_IDENTITY: Readonly<Record<string, Preset>> = {
  'session-rejected': {
    title: 'AgentCore Identity rejects every completion as “Invalid or expired session”',
    see: 'Consent to a connect link. It ends in “This authorization has expired”.',
    faults: [
      {
        part: 'agentcore-identity',
        path: /CompleteResourceTokenAuth/,
        fault: refusal(403, 'AccessDeniedException', 'Invalid or expired session'),
      },
    ],
  },
  'identity-misconfigured': {
    title: 'Session binding has no permission to complete an authorization',
    see: 'Consent to a connect link. It ends in “Authorization service misconfigured”.',
    faults: [
      {
        part: 'agentcore-identity',
        path: /CompleteResourceTokenAuth/,
        fault: refusal(403, 'AccessDeniedException', 'The role is not authorized to perform this operation'),
      },
    ],
  },
  'other-authorization-host': {
    title: 'AgentCore Identity gives an authorization URL of another host',
    see: 'Ask for something that needs a consent. The tool’s result has the code identity_misconfigured.',
    faults: [
      {
        part: 'agentcore-identity',
        path: /oauth2\/token/,
        fault: {
          kind: 'answer',
          status: 200,
          body: JSON.stringify({
            authorizationUrl: 'https://other.example/authorize',
            sessionUri: 'urn:ietf:params:oauth:request_uri:other',
          }),
        },
      },
    ],
  },
  'identity-throttled': {
    title: 'AgentCore Identity refuses calls because there are too many',
    see: 'Ask for something of GitHub. The tool’s result has the code identity_unavailable.',
    faults: [
      {
        part: 'agentcore-identity',
        path: /^POST /,
        fault: refusal(429, 'ThrottlingException', 'Rate exceeded'),
      },
    ],
  },
};

const OF_THE_STORE: Readonly<Record<string, Preset>> = {
  'flows-unreachable': {
    title: 'Session binding cannot read the flow ledger',
    see: 'Open a connect link. The page says “Authorizations cannot be checked”.',
    faults: [{ part: 's3', path: /^GET .*\/flows\//, fault: STOPPED }],
  },
  'flow-unreadable': {
    title: 'The records of the flow ledger are damaged',
    see: 'Open a connect link. The page says “Authorizations cannot be checked”.',
    faults: [{ part: 's3', path: /^GET .*\/flows\//, fault: object('{}') }],
  },
  'flows-hidden': {
    title: 'Session binding may not read the flow ledger',
    see: 'Open a connect link. The page says “This authorization has expired”.',
    faults: [{ part: 's3', path: /^GET .*\/flows\//, fault: { kind: 'answer', status: 403 } }],
  },
  'conversation-unreadable': {
    title: 'Stored conversations are damaged',
    see: 'Read a conversation by GET /sessions/{id}. The answer is 500 with the code session_unreadable.',
    faults: [{ part: 's3', path: /^GET .*\/working-set\.json/, fault: object('{}') }],
  },
};

const OF_THE_OTHERS: Readonly<Record<string, Preset>> = {
  'fewer-scopes': {
    title: 'GitHub says that its tokens have no scope, whatever the user consents to',
    see: 'Ask “List my repositories on GitHub” and consent. The run asks for the same consent again.',
    faults: [
      {
        part: 'github',
        path: /^GET \/api\/v3\/user\/repos/,
        fault: { kind: 'answer', status: 200, headers: { 'x-oauth-scopes': '' }, body: '[]' },
      },
    ],
  },
  'model-throttled': {
    title: 'Bedrock refuses requests because there are too many',
    see: 'Send any message. The run ends with the code model_throttled.',
    faults: [{ part: 'bedrock', path: /./, fault: refusal(429, 'ThrottlingException', 'Too many requests') }],
  },
  'keys-unreachable': {
    title: 'The load balancer signs with a new key, and its key host cannot be reached',
    see: 'Send any message. The answer is 503 with the code sign_in_keys_unavailable.',
    first: { part: 'load-balancer-keys', action: 'rotate-key' },
    faults: [{ part: 'load-balancer-keys', path: /./, fault: STOPPED }],
  },
  'sign-in-failing': {
    title: 'The identity provider gives the load balancer no tokens',
    see: 'Sign in in a private window. The page says that the identity provider could not sign you in.',
    faults: [{ part: 'identity-provider', path: /^POST \/token/, fault: STOPPED }],
  },
};

const INCIDENTS: Readonly<Record<string, Preset>> = { ...OF_IDENTITY, ...OF_THE_STORE, ...OF_THE_OTHERS };

/** Every preset by its name: one that stops each part, and the incidents. A test compares the names with docs/operations.md. */
export function presetsOf(parts: readonly string[]): Readonly<Record<string, Preset>> {
  const stops = parts.map((part): [string, Preset] => [
    `stop-${part}`,
    {
      title: 'Stop this part',
      see: 'It closes every connection without an answer.',
      faults: [{ part, path: /./, fault: STOPPED }],
    },
  ]);
  return { ...Object.fromEntries(stops), ...INCIDENTS };
}
