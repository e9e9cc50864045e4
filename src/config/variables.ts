import { z } from 'zod';
import { LOG_LEVELS, ROLES, type ConfigurableProvider, type Role } from './config.types.js';

/** One environment variable: its parser, its expected form, and the roles that need it. */
export interface Variable<T = unknown> {
  readonly schema: z.ZodType<T, string>;
  readonly expected: string;
  readonly roles: readonly Role[];
  /** The value when the variable is absent. A variable without a default is required. */
  readonly fallback?: string;
  /** The value may be derived from other variables, so its absence is not a fault. */
  readonly derived?: true;
}

const BOTH = ROLES;
const AGENT: readonly Role[] = ['agent'];
const BINDING: readonly Role[] = ['session-binding'];
const MOST_PER_DAY = 999_999_999_999;
/** The least number of different characters. 32 random hexadecimal digits have more, a repeated word has fewer. */
const DISTINCT_CHARACTERS = 9;
const LOOPBACK_HOSTS = new Set(['localhost', '127.0.0.1', '[::1]']);

/** Plain HTTP is allowed for localhost only. */
export function isSafeUrl(url: URL): boolean {
  return isSafeAddress(url) && url.search === '' && url.hash === '';
}

function isSafeAddress({ protocol, hostname, username, password }: URL): boolean {
  const encrypted = protocol === 'https:' || (protocol === 'http:' && LOOPBACK_HOSTS.has(hostname));
  return encrypted && username === '' && password === '';
}

const text = (pattern: RegExp): z.ZodType<string, string> => z.string().regex(pattern);
const choice = <T extends string>(values: readonly T[]): z.ZodType<T, string> =>
  z.string().pipe(z.enum(values));
const url = (): z.ZodType<string, string> =>
  z
    .string()
    .refine((value) => URL.canParse(value) && isSafeUrl(new URL(value)))
    .transform((value) => value.replace(/\/$/, ''));
const origin = (): z.ZodType<string, string> => url().refine((value) => new URL(value).origin === value);
const integer = (minimum: number, maximum: number): z.ZodType<number, string> =>
  z
    .string()
    .regex(/^\d{1,12}$/)
    .transform(Number)
    .refine((value) => value >= minimum && value <= maximum);

const secret = (): z.ZodType<string, string> =>
  text(/^[\x21-\x7e]{32,256}$/).refine((value) => new Set(value).size >= DISTINCT_CHARACTERS);

/** https://opentelemetry.io/docs/specs/otel/resource/sdk/: names and percent-encoded values. */
const attributes = (): z.ZodType<Readonly<Record<string, string>>, string> =>
  text(/^[\w.-]+=[\x21-\x2b\x2d-\x7e]*(,[\w.-]+=[\x21-\x2b\x2d-\x7e]*)*$/)
    .refine((list) => decoded(list) !== undefined)
    .transform((list) => Object.fromEntries(list.split(',').map(attribute)));

function attribute(pair: string): [name: string, value: string] {
  const at = pair.indexOf('=');
  return [pair.slice(0, at), decodeURIComponent(pair.slice(at + 1))];
}

/** Undefined where a text is not percent-encoded UTF-8. */
function decoded(encoded: string): string | undefined {
  try {
    return decodeURIComponent(encoded);
  } catch {
    return undefined;
  }
}

const A_SECRET = 'at least 32 random characters, the same in both roles (openssl rand -base64 48)';
const AN_URL = 'an https URL (http only for localhost) without credentials';
const REGION = /^[a-z]{2}(-[a-z]+)+-\d$/;

/** Every variable that the application reads, except those of providers, in the order in which faults are reported. */
export const VARIABLES = {
  ROLE: { schema: choice(ROLES), expected: 'agent or session-binding', roles: BOTH },
  PORT: { schema: integer(1, 65_535), expected: 'a port, 1 to 65535', roles: BOTH, fallback: '8080' },
  HOST: {
    schema: text(/^[0-9a-fA-F.:]{2,45}$/),
    expected: 'the IP address to listen on',
    roles: BOTH,
    fallback: '0.0.0.0',
  },
  ENVIRONMENT: {
    schema: text(/^[a-z0-9-]{1,32}$/),
    expected: 'a short name such as dev or prod (a-z, 0-9, -)',
    roles: BOTH,
    fallback: 'dev',
  },
  LOG_LEVEL: { schema: choice(LOG_LEVELS), expected: LOG_LEVELS.join(', '), roles: BOTH, fallback: 'info' },
  AWS_REGION: { schema: text(REGION), expected: 'an AWS region such as eu-central-1', roles: BOTH },
  IDENTITY_AWS_REGION: {
    schema: text(REGION),
    expected: 'an AWS region that has AgentCore Identity; AWS_REGION when absent',
    roles: BOTH,
    derived: true,
  },
  PUBLIC_URL: { schema: origin(), expected: `the origin that users see, ${AN_URL} or path`, roles: BOTH },
  SESSION_BINDING_URL: {
    schema: url(),
    expected: 'PUBLIC_URL followed by /oauth2/session-binding, which is also its value when absent',
    roles: BOTH,
    derived: true,
  },
  ALB_ARN: {
    schema: text(
      /^arn:aws(-cn|-us-gov)?:elasticloadbalancing:[a-z]{2}(-[a-z]+)+-\d:\d{12}:loadbalancer\/app\/[\w-]{1,32}\/[0-9a-f]{16}$/,
    ),
    expected: "the application load balancer's ARN",
    roles: BOTH,
  },
  ALB_ISSUER: {
    schema: z.string().refine((value) => URL.canParse(value) && isSafeUrl(new URL(value))),
    expected: `the OIDC issuer, exactly as the tokens contain it: ${AN_URL}`,
    roles: BOTH,
  },
  ALB_CLIENT_ID: {
    schema: text(/^[\x21-\x7e]{1,255}$/),
    expected: "the load balancer's OIDC client id",
    roles: BOTH,
  },
  ALB_PUBLIC_KEYS_URL: {
    schema: url(),
    expected: `where the load balancer's public keys are, ${AN_URL}; derived from ALB_ARN when absent`,
    roles: BOTH,
    derived: true,
  },
  FLOW_SECRET: { schema: secret(), expected: A_SECRET, roles: BOTH },
  FLOW_SECRET_ACCEPTED: {
    schema: secret(),
    expected: `another secret whose tickets and cookies are accepted, while FLOW_SECRET is replaced: ${A_SECRET}`,
    roles: BOTH,
    derived: true,
  },
  AUTHORIZATION_ORIGIN: {
    schema: origin(),
    expected: `the origin of AgentCore Identity's authorization URLs, ${AN_URL} or path; that of IDENTITY_AWS_REGION when absent`,
    roles: BOTH,
    derived: true,
  },
  SIGN_OUT_URL: {
    schema: z.string().refine((value) => URL.canParse(value) && isSafeAddress(new URL(value))),
    expected:
      'where the identity provider ends its session, an https URL; when absent, only the session at the load balancer ends',
    roles: BOTH,
    derived: true,
  },
  S3_BUCKET_NAME: {
    schema: text(/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/),
    expected: 'the bucket that keeps conversations and the flow ledger',
    roles: BOTH,
  },
  OTEL_EXPORTER_OTLP_ENDPOINT: {
    schema: url(),
    expected: `where traces and metrics are sent to as OTLP over HTTP, ${AN_URL}; when absent, none are recorded`,
    roles: BOTH,
    derived: true,
  },
  OTEL_SERVICE_NAME: {
    schema: text(/^[\x20-\x7e]{1,64}$/),
    expected: 'the service.name of traces and metrics, 1 to 64 characters; onbehalf-ROLE when absent',
    roles: BOTH,
    derived: true,
  },
  OTEL_RESOURCE_ATTRIBUTES: {
    schema: attributes(),
    expected: 'further attributes of traces and metrics, name=value,name=value with percent-encoded values',
    roles: BOTH,
    derived: true,
  },
  WORKLOAD_TOKEN_SOURCE: {
    schema: choice(['user-id', 'jwt'] as const),
    expected: 'user-id or jwt',
    roles: BOTH,
    fallback: 'user-id',
  },
  SIGN_IN: {
    schema: choice(['alb', 'bearer'] as const),
    expected: 'alb or bearer',
    roles: AGENT,
    fallback: 'alb',
  },
  BEARER_AUDIENCE: {
    schema: text(/^[\x21-\x7e]{1,255}$/),
    expected: "the audience of users' access tokens, where SIGN_IN is bearer; ALB_CLIENT_ID when absent",
    roles: AGENT,
    derived: true,
  },
  WORKLOAD_IDENTITY_NAME: {
    schema: text(/^[A-Za-z0-9_.-]{3,255}$/),
    expected: "the workload identity's name",
    roles: AGENT,
  },
  INFERENCE_PROFILE_ID: {
    schema: text(/^[A-Za-z0-9_.:/-]{1,2048}$/),
    expected: 'a Bedrock inference profile id, model id or ARN',
    roles: AGENT,
  },
  RUN_DEADLINE_SECONDS: {
    schema: integer(1, 3_500),
    expected:
      "how long a run may take, 1 to 3500 seconds; less than the load balancer's deregistration delay",
    roles: AGENT,
    fallback: '900',
  },
  RUN_GRACE_SECONDS: {
    schema: integer(0, 3_500),
    expected: 'how long a run goes on when its client has lost the connection, 0 to 3500 seconds',
    roles: AGENT,
    fallback: '30',
  },
  RUNS_PER_USER: {
    schema: integer(1, 1_000),
    expected: 'how many runs a user may have in progress, 1 to 1000',
    roles: AGENT,
    fallback: '10',
  },
  RUNS_PER_TASK: {
    schema: integer(1, 100_000),
    expected: 'how many runs a task may have in progress, 1 to 100000',
    roles: AGENT,
    fallback: '1500',
  },
  REQUESTS_PER_DAY: {
    schema: integer(1, MOST_PER_DAY),
    expected: 'how many runs a user may begin on a day, from 1 on; without it, there is no limit',
    roles: AGENT,
    derived: true,
  },
  TOKENS_PER_DAY: {
    schema: integer(1, MOST_PER_DAY),
    expected:
      "how many tokens of the model, input and output, a user's runs may take on a day, from 1 on; without it, there is no limit",
    roles: AGENT,
    derived: true,
  },
  MODEL_CALLS_PER_RUN: {
    schema: integer(1, 100),
    expected: 'how often a run may call the model, 1 to 100',
    roles: AGENT,
    fallback: '12',
  },
  MODEL_ANSWER_TOKENS: {
    schema: integer(256, 128_000),
    expected: 'how long an answer of the model may be, 256 to 128000 tokens',
    roles: AGENT,
    fallback: '4096',
  },
  CALL_DEADLINE_SECONDS: {
    schema: integer(1, 60),
    expected:
      'how long one call of S3, AgentCore Identity or a provider may take with all its attempts, 1 to 60 seconds',
    roles: BOTH,
    fallback: '10',
  },
  MODEL_FIRST_BYTE_SECONDS: {
    schema: integer(1, 3_500),
    expected: 'how long the model may think before its answer begins, 1 to 3500 seconds',
    roles: AGENT,
    fallback: '300',
  },
  MODEL_IDLE_SECONDS: {
    schema: integer(1, 3_500),
    expected: 'how long the model may be silent within an answer, 1 to 3500 seconds',
    roles: AGENT,
    fallback: '60',
  },
} as const satisfies Readonly<Record<string, Variable>>;

export type VariableName = keyof typeof VARIABLES;

/** The type of each variable's value. */
export type VariableValues = {
  -readonly [Name in VariableName]: z.output<(typeof VARIABLES)[Name]['schema']>;
};

interface NamedVariable {
  readonly name: string;
  readonly variable: Variable<string>;
}

/** The variables of a provider. Without the first one, the provider is not offered. */
export interface ProviderVariables {
  readonly providerName: NamedVariable;
  readonly apiBase: NamedVariable;
  readonly clientId: NamedVariable;
  readonly clientSecret: NamedVariable;
}

/** The variables of a provider, by its id: `<ID>_PROVIDER_NAME`, `_API_BASE`, `_CLIENT_ID` and `_CLIENT_SECRET`. */
export function providerVariables({ id, label, apiBase }: ConfigurableProvider): ProviderVariables {
  const prefix = id.toUpperCase().replaceAll('-', '_');
  return {
    providerName: {
      name: `${prefix}_PROVIDER_NAME`,
      variable: {
        schema: text(/^[a-zA-Z0-9_-]{1,128}$/),
        expected: `the name of ${label}'s OAuth2 credential provider; ${label} is not offered without it`,
        roles: AGENT,
        derived: true,
      },
    },
    apiBase: {
      name: `${prefix}_API_BASE`,
      variable: {
        schema: url(),
        expected: `${label}'s REST API, ${AN_URL}`,
        roles: BOTH,
        fallback: apiBase,
      },
    },
    clientId: {
      name: `${prefix}_CLIENT_ID`,
      variable: {
        schema: text(/^[\x21-\x7e]{1,255}$/),
        expected: `the id of the OAuth client at ${label}; with it, users can end there what they have authorized`,
        roles: BOTH,
        derived: true,
      },
    },
    clientSecret: {
      name: `${prefix}_CLIENT_SECRET`,
      variable: {
        schema: text(/^[\x21-\x7e]{8,512}$/),
        expected: `the secret of the OAuth client at ${label}, for session binding alone`,
        roles: BINDING,
        derived: true,
      },
    },
  };
}

/** Every variable by its name, with those of the providers. */
export function allVariables(providers: readonly ConfigurableProvider[]): Readonly<Record<string, Variable>> {
  const ofProviders = providers.flatMap((provider) => {
    return Object.values(providerVariables(provider)).map(
      ({ name, variable }: NamedVariable) => [name, variable] as const,
    );
  });
  return { ...VARIABLES, ...Object.fromEntries(ofProviders) };
}
