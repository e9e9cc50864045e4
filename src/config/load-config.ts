import { ConfigError, type ConfigFault } from './config.error.js';
import type {
  AgentRoleConfig,
  AppConfig,
  ConfigurableProvider,
  Environment,
  ProviderConfig,
  RevocableProvider,
  RevocationConfig,
  Role,
  TelemetryConfig,
} from './config.types.js';
import { usesPathStyle } from './s3-address.js';
import {
  allVariables,
  providerVariables,
  VARIABLES,
  type Variable,
  type VariableName,
  type VariableValues,
} from './variables.js';

type Values = Partial<VariableValues>;
/** Reads a variable that is there. */
type Read = <Name extends VariableName>(name: Name) => VariableValues[Name];
type ProviderConfigs = Readonly<Record<string, ProviderConfig>>;

const BINDING_PATH = '/oauth2/session-binding';

/**
 * Reads the configuration from an environment. The function is pure, and the result is frozen.
 * @param providers those that the agent role can offer; one whose variables are absent is not offered
 * @param revocable those at which session binding can end grants; it ends none where their variables are absent
 * @throws ConfigError with all faults at once; it names variables, never their values.
 */
export function loadConfig(
  environment: Environment,
  providers: readonly ConfigurableProvider[] = [],
  revocable: readonly RevocableProvider[] = [],
): AppConfig {
  const faults: ConfigFault[] = [];
  const role = VARIABLES.ROLE.schema.safeParse(environment.ROLE);
  const values: Values = {};
  for (const [name, variable] of Object.entries(allVariables([...providers, ...revocable]))) {
    // An unknown role is reported together with the faults that both roles would have.
    if (!variable.roles.includes(role.data ?? 'session-binding')) continue;
    readVariable(name, variable, environment, values, faults);
  }
  derive(values, faults);
  if (faults.length > 0 || role.data === undefined) throw new ConfigError(faults);
  const clients = {
    offered: providerConfigs(providers, values),
    revocable: revocationClients(revocable, values),
  };
  return deepFreeze(assemble(role.data, values, clients, usesPathStyle(environment)));
}

function readVariable(
  name: string,
  variable: Variable,
  environment: Environment,
  values: Values,
  faults: ConfigFault[],
): void {
  const given = environment[name] === '' ? undefined : environment[name];
  const raw = given ?? variable.fallback;
  if (raw === undefined) {
    if (variable.derived !== true)
      faults.push({ variable: name, expected: variable.expected, missing: true });
    return;
  }
  const parsed = variable.schema.safeParse(raw);
  if (parsed.success) Object.assign(values, { [name]: parsed.data });
  else faults.push({ variable: name, expected: variable.expected, missing: false });
}

function derive(values: Values, faults: ConfigFault[]): void {
  // The session-binding role, behind the load balancer, gets a different token of the same user. AgentCore Identity requires
  // the identical token.
  if (values.SIGN_IN === 'bearer' && values.WORKLOAD_TOKEN_SOURCE === 'jwt') {
    const expected = 'user-id, where SIGN_IN is bearer';
    faults.push({ variable: 'WORKLOAD_TOKEN_SOURCE', expected, missing: false });
  }
  if (values.AWS_REGION !== undefined) values.IDENTITY_AWS_REGION ??= values.AWS_REGION;
  if (values.IDENTITY_AWS_REGION !== undefined)
    values.AUTHORIZATION_ORIGIN ??= `https://bedrock-agentcore.${values.IDENTITY_AWS_REGION}.amazonaws.com`;
  if (values.PUBLIC_URL !== undefined) {
    const bindingUrl = values.PUBLIC_URL + BINDING_PATH;
    values.SESSION_BINDING_URL ??= bindingUrl;
    // The flow cookie belongs to the host of PUBLIC_URL, so the browser must come back to the same host.
    if (values.SESSION_BINDING_URL !== bindingUrl) {
      const { expected } = VARIABLES.SESSION_BINDING_URL;
      faults.push({ variable: 'SESSION_BINDING_URL', expected, missing: false });
    }
  }
  if (values.ALB_ARN !== undefined) values.ALB_PUBLIC_KEYS_URL ??= publicKeysUrl(values.ALB_ARN);
  // Plain HTTP is allowed only when everything runs on localhost.
  if (values.PUBLIC_URL?.startsWith('https:') !== true) return;
  for (const variable of ['ALB_PUBLIC_KEYS_URL', 'AUTHORIZATION_ORIGIN', 'SIGN_OUT_URL'] as const) {
    if (values[variable]?.startsWith('http:') !== true) continue;
    faults.push({ variable, expected: VARIABLES[variable].expected, missing: false });
  }
}

/** https://docs.aws.amazon.com/elasticloadbalancing/latest/application/listener-authenticate-users.html */
function publicKeysUrl(albArn: string): string {
  const [, partition = '', , region = ''] = albArn.split(':');
  if (partition === 'aws-us-gov') {
    return `https://s3-${region}.amazonaws.com/aws-elb-public-keys-prod-${region}`;
  }
  const suffix = partition === 'aws-cn' ? 'amazonaws.com.cn' : 'amazonaws.com';
  return `https://public-keys.auth.elb.${region}.${suffix}`;
}

function providerConfigs(providers: readonly ConfigurableProvider[], values: Values): ProviderConfigs {
  const deadlineMs = callDeadlineMs(values);
  const offered = providers.flatMap((provider) => {
    const named = providerVariables(provider);
    const credentialProvider = textOf(values, named.providerName.name);
    const apiBase = textOf(values, named.apiBase.name);
    if (credentialProvider === undefined || apiBase === undefined) return [];
    const isRevocable = textOf(values, named.clientId.name) !== undefined;
    return [[provider.id, { credentialProvider, apiBase, isRevocable, deadlineMs }] as const];
  });
  return Object.fromEntries(offered);
}

function revocationClients(
  providers: readonly RevocableProvider[],
  values: Values,
): RevocationConfig['clients'] {
  const clients = providers.flatMap((provider) => {
    const { id, revocation, probePath } = provider;
    const named = providerVariables(provider);
    const clientId = textOf(values, named.clientId.name);
    const clientSecret = textOf(values, named.clientSecret.name);
    const apiBase = textOf(values, named.apiBase.name);
    if (clientId === undefined || clientSecret === undefined || apiBase === undefined) return [];
    return [[id, { apiBase, clientId, clientSecret, revocation, probePath }] as const];
  });
  return Object.fromEntries(clients);
}

function callDeadlineMs({ CALL_DEADLINE_SECONDS: seconds = 0 }: Values): number {
  return seconds * 1000;
}

function textOf(values: Values, name: string): string | undefined {
  const value: unknown = Reflect.get(values, name);
  return typeof value === 'string' ? value : undefined;
}

function assemble(
  role: Role,
  values: Values,
  clients: { readonly offered: ProviderConfigs; readonly revocable: RevocationConfig['clients'] },
  pathStyle: boolean,
): AppConfig {
  const read: Read = (name) => {
    const value = values[name];
    if (value === undefined) throw new TypeError(`${name} was not read`);
    return value;
  };
  const identity = {
    region: read('IDENTITY_AWS_REGION'),
    sessionBindingUrl: read('SESSION_BINDING_URL'),
    authorizationOrigin: read('AUTHORIZATION_ORIGIN'),
    deadlineMs: callDeadlineMs(values),
  };
  const common = commonSlices(role, values, read, pathStyle);
  switch (role) {
    case 'session-binding':
      return {
        role,
        ...common,
        identity,
        revocation: { clients: clients.revocable, deadlineMs: callDeadlineMs(values) },
      };
    case 'agent':
      return {
        role,
        ...common,
        identity: { ...identity, workloadIdentityName: read('WORKLOAD_IDENTITY_NAME') },
        ...agentSlices(values, read),
        providers: clients.offered,
      };
  }
}

function agentSlices(values: Values, read: Read): Pick<AgentRoleConfig, 'model' | 'runs' | 'limits'> {
  return {
    model: {
      region: read('AWS_REGION'),
      id: read('INFERENCE_PROFILE_ID'),
      firstByteMs: read('MODEL_FIRST_BYTE_SECONDS') * 1000,
      idleMs: read('MODEL_IDLE_SECONDS') * 1000,
      answerTokens: read('MODEL_ANSWER_TOKENS'),
    },
    runs: {
      deadlineSeconds: read('RUN_DEADLINE_SECONDS'),
      modelCalls: read('MODEL_CALLS_PER_RUN'),
      perTask: read('RUNS_PER_TASK'),
      graceSeconds: read('RUN_GRACE_SECONDS'),
    },
    limits: {
      runsPerUser: read('RUNS_PER_USER'),
      requestsPerDay: values.REQUESTS_PER_DAY,
      tokensPerDay: values.TOKENS_PER_DAY,
    },
  };
}

function commonSlices(
  role: Role,
  values: Values,
  read: Read,
  pathStyle: boolean,
): Omit<Extract<AppConfig, { role: 'session-binding' }>, 'role' | 'identity' | 'revocation'> {
  const publicUrl = read('PUBLIC_URL');
  return {
    service: {
      role,
      port: read('PORT'),
      host: read('HOST'),
      environment: read('ENVIRONMENT'),
      logLevel: read('LOG_LEVEL'),
      publicUrl,
    },
    ...telemetryOf(role, values, read('ENVIRONMENT')),
    alb: {
      arn: read('ALB_ARN'),
      issuer: read('ALB_ISSUER'),
      clientId: read('ALB_CLIENT_ID'),
      publicKeysUrl: read('ALB_PUBLIC_KEYS_URL'),
    },
    signIn: {
      kind: values.SIGN_IN ?? 'alb',
      bearerAudience: values.BEARER_AUDIENCE ?? read('ALB_CLIENT_ID'),
      withUserToken: read('WORKLOAD_TOKEN_SOURCE') === 'jwt',
      signOutUrl: values.SIGN_OUT_URL,
    },
    flow: {
      secret: read('FLOW_SECRET'),
      acceptedSecrets: values.FLOW_SECRET_ACCEPTED === undefined ? [] : [values.FLOW_SECRET_ACCEPTED],
      publicUrl,
      authorizationOrigin: read('AUTHORIZATION_ORIGIN'),
    },
    conversations: {
      region: read('AWS_REGION'),
      bucket: read('S3_BUCKET_NAME'),
      pathStyle,
      deadlineMs: callDeadlineMs(values),
    },
  };
}

function telemetryOf(
  role: Role,
  { OTEL_EXPORTER_OTLP_ENDPOINT: endpoint, OTEL_SERVICE_NAME: name, OTEL_RESOURCE_ATTRIBUTES: more }: Values,
  environment: string,
): { readonly telemetry?: TelemetryConfig } {
  if (endpoint === undefined) return {};
  const attributes = {
    'deployment.environment.name': environment,
    'service.name': `onbehalf-${role}`,
    ...more,
    ...(name !== undefined && { 'service.name': name }),
  };
  return { telemetry: { endpoint, attributes } };
}

function deepFreeze<T extends object>(value: T): T {
  for (const each of Object.values(value)) {
    if (typeof each === 'object' && each !== null) deepFreeze(each as object);
  }
  return Object.freeze(value);
}
