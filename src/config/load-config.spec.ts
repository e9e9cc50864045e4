import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import {
  allVariables,
  ConfigError,
  loadConfig as load,
  type AgentRoleConfig,
  type AppConfig,
} from './index.js';

const GITHUB = { id: 'github', label: 'GitHub', apiBase: 'https://api.github.com' };
const TRAIN = { id: 'model-train', label: 'Trains', apiBase: 'https://trains.example' };

function loadConfig(environment: Readonly<Record<string, string | undefined>>): AppConfig {
  return load(environment, [GITHUB, TRAIN]);
}

const ARN =
  'arn:aws:elasticloadbalancing:eu-central-1:111122223333:loadbalancer/app/onbehalf/50dc6c495c0c9188';
const BINDING = {
  ROLE: 'session-binding',
  AWS_REGION: 'eu-central-1',
  PUBLIC_URL: 'https://agent.example.com',
  ALB_ARN: ARN,
  ALB_ISSUER: 'https://login.example.com/tenant/v2.0',
  ALB_CLIENT_ID: 'client',
  FLOW_SECRET: '0123456789abcdef'.repeat(2),
  S3_BUCKET_NAME: 'bucket',
};
const AGENT = {
  ...BINDING,
  ROLE: 'agent',
  WORKLOAD_IDENTITY_NAME: 'workload',
  INFERENCE_PROFILE_ID: 'eu.some.model-v1:0',
  GITHUB_PROVIDER_NAME: 'github',
};

function faultsOf(environment: Record<string, string | undefined>): readonly string[] {
  try {
    loadConfig(environment);
  } catch (error) {
    if (error instanceof ConfigError) return error.faults.map(({ variable }) => variable);
    throw error;
  }
  return [];
}

describe('loadConfig', () => {
  it('reads an agent role, with defaults and derived values', () => {
    const config = loadConfig(AGENT);
    expect(config).toMatchObject({
      role: 'agent',
      service: { role: 'agent', port: 8080, host: '0.0.0.0', logLevel: 'info' },
      identity: {
        region: 'eu-central-1',
        sessionBindingUrl: 'https://agent.example.com/oauth2/session-binding',
      },
      signIn: { withUserToken: false },
      alb: { publicKeysUrl: 'https://public-keys.auth.elb.eu-central-1.amazonaws.com' },
      providers: {
        github: { credentialProvider: 'github', apiBase: 'https://api.github.com', deadlineMs: 10_000 },
      },
    });
  });

  it.each([
    [undefined, false],
    ['https://s3.eu-central-1.amazonaws.com', false],
    ['https://bucket.vpce-1-2.s3.eu-central-1.vpce.amazonaws.com', false],
    ['https://s3.dualstack.eu-central-1.api.aws', false],
    ['https://amazonaws.com.example.com', true],
    ['http://127.0.0.1:9000', true],
    ['https://minio.internal', true],
  ])('S3 at %s has the bucket in the path: %s', (address, expected) => {
    const given = address === undefined ? {} : { AWS_ENDPOINT_URL_S3: address };
    expect(loadConfig({ ...AGENT, ...given }).conversations.pathStyle).toBe(expected);
  });

  it('limits calls and silence of the model, by default and as configured', () => {
    const limits = (more: Readonly<Record<string, string>>) => {
      const { identity, conversations, model, providers } = loadConfig({
        ...AGENT,
        ...more,
      }) as AgentRoleConfig;
      const { firstByteMs, idleMs } = model;
      const calls = [identity, conversations, providers.github].map((each) => each?.deadlineMs);
      return { calls, firstByteMs, idleMs };
    };
    expect(limits({})).toEqual({ calls: [10_000, 10_000, 10_000], firstByteMs: 300_000, idleMs: 60_000 });
    const others = { CALL_DEADLINE_SECONDS: '3', MODEL_FIRST_BYTE_SECONDS: '4', MODEL_IDLE_SECONDS: '5' };
    expect(limits(others)).toEqual({ calls: [3_000, 3_000, 3_000], firstByteMs: 4_000, idleMs: 5_000 });
  });

  it('records telemetry only where an endpoint is named, over HTTPS or to this machine', () => {
    const endpoint = { OTEL_EXPORTER_OTLP_ENDPOINT: 'https://collector.example/otlp/' };
    const telemetryOf = (more: Readonly<Record<string, string>>) =>
      loadConfig({ ...AGENT, ...more }).telemetry;
    expect(telemetryOf({ OTEL_SERVICE_NAME: 'x' })).toBeUndefined();
    expect(telemetryOf(endpoint)).toEqual({
      endpoint: 'https://collector.example/otlp',
      attributes: { 'service.name': 'onbehalf-agent', 'deployment.environment.name': 'dev' },
    });
    const list = 'service.name=first,team=blue%2Cgreen%20team,empty=,deployment.environment.name=test';
    expect(telemetryOf({ ...endpoint, OTEL_RESOURCE_ATTRIBUTES: list })?.attributes).toEqual({
      'service.name': 'first',
      'deployment.environment.name': 'test',
      team: 'blue,green team',
      empty: '',
    });
    expect(
      telemetryOf({ ...endpoint, OTEL_RESOURCE_ATTRIBUTES: list, OTEL_SERVICE_NAME: 'second' }),
    ).toMatchObject({ attributes: { 'service.name': 'second' } });
    expect(telemetryOf({ OTEL_EXPORTER_OTLP_ENDPOINT: 'http://localhost:4318' })).toBeDefined();
    for (const name of ['http://collector.example:4318', 'https://user:password@collector.example', 'x'])
      expect(faultsOf({ ...AGENT, OTEL_EXPORTER_OTLP_ENDPOINT: name })).toEqual([
        'OTEL_EXPORTER_OTLP_ENDPOINT',
      ]);
    for (const wrong of ['a', 'a=%zz', 'a=%', 'a=b,', '=b', 'a=b c', 'a=%ff'])
      expect(faultsOf({ ...AGENT, OTEL_RESOURCE_ATTRIBUTES: wrong })).toEqual(['OTEL_RESOURCE_ATTRIBUTES']);
  });

  it('signs users in by the load balancer by default', () => {
    expect(loadConfig(AGENT).signIn).toMatchObject({ kind: 'alb' });
    const bearer = { ...AGENT, SIGN_IN: 'bearer' };
    expect(loadConfig(bearer).signIn).toMatchObject({ kind: 'bearer', bearerAudience: 'client' });
    expect(loadConfig({ ...bearer, BEARER_AUDIENCE: 'api' }).signIn).toMatchObject({ bearerAudience: 'api' });
    expect(loadConfig({ ...BINDING, SIGN_IN: 'bearer' }).signIn.kind).toBe('alb');
    expect(faultsOf({ ...AGENT, SIGN_IN: 'none' })).toEqual(['SIGN_IN']);
  });

  it('does not pass on user tokens when the two roles would see different ones', () => {
    expect(faultsOf({ ...AGENT, SIGN_IN: 'bearer', WORKLOAD_TOKEN_SOURCE: 'jwt' })).toEqual([
      'WORKLOAD_TOKEN_SOURCE',
    ]);
    expect(faultsOf({ ...AGENT, SIGN_IN: 'alb', WORKLOAD_TOKEN_SOURCE: 'jwt' })).toEqual([]);
  });

  it('reads a session-binding role without the variables that only the agent needs', () => {
    expect(loadConfig(BINDING)).not.toHaveProperty('providers');
  });

  it('offers a provider only when its credential provider is named, and requires none', () => {
    expect(loadConfig({ ...AGENT, GITHUB_PROVIDER_NAME: undefined })).toMatchObject({ providers: {} });
    const two = { ...AGENT, MODEL_TRAIN_PROVIDER_NAME: 'trains', MODEL_TRAIN_API_BASE: 'https://t.example/' };
    expect(loadConfig(two)).toMatchObject({
      providers: {
        github: { credentialProvider: 'github' },
        'model-train': { credentialProvider: 'trains', apiBase: 'https://t.example', deadlineMs: 10_000 },
      },
    });
    expect(faultsOf({ ...AGENT, MODEL_TRAIN_PROVIDER_NAME: 'a b', GITHUB_API_BASE: 'x' })).toEqual([
      'GITHUB_API_BASE',
      'MODEL_TRAIN_PROVIDER_NAME',
    ]);
  });

  it.each([
    [
      'aws-us-gov',
      'us-gov-west-1',
      'https://s3-us-gov-west-1.amazonaws.com/aws-elb-public-keys-prod-us-gov-west-1',
    ],
    ['aws-cn', 'cn-north-1', 'https://public-keys.auth.elb.cn-north-1.amazonaws.com.cn'],
  ])('derives the address of the public keys of %s', (partition, region, expected) => {
    const arn = ARN.replace('arn:aws:', `arn:${partition}:`).replace('eu-central-1', region);
    expect(loadConfig({ ...BINDING, ALB_ARN: arn }).alb.publicKeysUrl).toBe(expected);
  });

  it('keeps an issuer exactly as it is written', () => {
    expect(loadConfig({ ...BINDING, ALB_ISSUER: 'https://login.example.com/' }).alb.issuer).toBe(
      'https://login.example.com/',
    );
  });

  it('is deeply frozen', () => {
    const config = loadConfig(AGENT);
    expect(Object.isFrozen(config) && Object.isFrozen(config.alb)).toBe(true);
  });

  it('names every fault at once, and treats an empty variable as a missing one', () => {
    expect(faultsOf({ ...AGENT, PORT: '0', ALB_ARN: '', PUBLIC_URL: 'ftp://x' })).toEqual([
      'PORT',
      'PUBLIC_URL',
      'ALB_ARN',
    ]);
  });

  it.each([undefined, '', 'both', 'AGENT'])(
    'rejects %j as a role, and still names the other faults',
    (role) => {
      expect(faultsOf({ ROLE: role })).toEqual([
        'ROLE',
        'AWS_REGION',
        'PUBLIC_URL',
        'ALB_ARN',
        'ALB_ISSUER',
        'ALB_CLIENT_ID',
        'FLOW_SECRET',
        'S3_BUCKET_NAME',
      ]);
    },
  );

  it.each([
    ['PUBLIC_URL', 'http://agent.example.com'],
    ['PUBLIC_URL', 'https://agent.example.com/path'],
    ['PUBLIC_URL', 'https://user:password@agent.example.com'],
    ['ALB_ISSUER', 'http://login.example.com'],
    ['ALB_PUBLIC_KEYS_URL', 'http://keys.example.com'],
    ['GITHUB_API_BASE', 'http://api.example.com'],
    ['SESSION_BINDING_URL', 'https://other.example.com/oauth2/session-binding'],
    ['FLOW_SECRET', 'x'.repeat(40)],
    ['FLOW_SECRET', '0123456789abcdef0123456789abcde'],
    ['ALB_PUBLIC_KEYS_URL', 'http://127.0.0.1:1'],
    ['ALB_PUBLIC_KEYS_URL', 'https://keys.example.com/?x=1'],
    ['LOG_LEVEL', 'loud'],
    ['WORKLOAD_TOKEN_SOURCE', 'cookie'],
  ])('refuses %s=%s', (name, value) => {
    expect(faultsOf({ ...AGENT, [name]: value })).toEqual([name]);
  });

  it('accepts http for localhost', () => {
    expect(
      faultsOf({
        ...AGENT,
        PUBLIC_URL: 'http://localhost:8000',
        GITHUB_API_BASE: 'http://127.0.0.1:1/api/v3',
      }),
    ).toEqual([]);
  });

  it('never prints a value', () => {
    const environment = Object.fromEntries(Object.keys(AGENT).map((name) => [name, 'SE CRET']));
    expect(() => loadConfig({ ...environment, ROLE: 'agent' })).toThrow(
      expect.objectContaining({ message: expect.not.stringContaining('SE CRET') }),
    );
  });
});

describe('.env.example', () => {
  it('has every variable, and no other', () => {
    const lines = readFileSync('.env.example', 'utf8').split('\n');
    const named = lines.flatMap((line) => /^#? ?([A-Z][A-Z0-9_]+)=/.exec(line)?.[1] ?? []);
    const sdk = named.filter((name) => name.startsWith('AWS_ENDPOINT_URL_'));
    expect([...new Set(named)].filter((name) => !sdk.includes(name)).sort()).toEqual(
      Object.keys(allVariables([GITHUB])).sort(),
    );
  });
});
