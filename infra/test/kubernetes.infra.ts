import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { parseAllDocuments } from 'yaml';
import type { AgentRoleConfig } from '../../src/config/index.js';
import { loadConfig } from '../../src/config/load-config.js';
import { RULES } from '../lib/edge.ts';
import { GITHUB } from './support.ts';

interface Container {
  readonly image: string;
  readonly env: readonly { readonly name: string; readonly value?: string }[];
  readonly envFrom: readonly { readonly configMapRef: { readonly name: string } }[];
  readonly securityContext: unknown;
  readonly lifecycle: { readonly preStop: { readonly sleep: { readonly seconds: number } } };
}
interface PodSpec {
  readonly serviceAccountName: string;
  readonly terminationGracePeriodSeconds: number;
  readonly containers: readonly Container[];
}
interface IngressPath {
  readonly path: string;
  readonly backend: { readonly service: { readonly name: string } };
}
interface Manifest {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly annotations?: Readonly<Record<string, string>>;
  };
  readonly data?: Readonly<Record<string, string>>;
  readonly spec?: unknown;
}

/** The application ends its streams within this time after SIGTERM. */
const SHUTDOWN_SECONDS = 20;
const manifests = parseAllDocuments(readFileSync('infra/kubernetes/onbehalf.yaml', 'utf8')).map(
  (document) => document.toJS() as Manifest,
);
/** The controller's own kind, which is not part of Kubernetes. */
const ofKubernetes = manifests.filter(({ kind }) => kind !== 'IngressClassParams');
const ofKind = (kind: string): readonly Manifest[] => manifests.filter((each) => each.kind === kind);
const named = (kind: string, name: string): Manifest => {
  const found = ofKind(kind).find(({ metadata }) => metadata.name === name);
  if (found === undefined) throw new Error(`There is no ${kind} ${name}`);
  return found;
};
const podOf = (role: string): PodSpec =>
  (named('Deployment', `onbehalf-${role}`).spec as { template: { spec: PodSpec } }).template.spec;
const ROLES = ['agent', 'session-binding'] as const;

describe('the manifest for Kubernetes', () => {
  it.each(ofKubernetes.map((each) => [each.kind, each.metadata.name, each] as const))(
    'has a %s %s that the schema of Kubernetes accepts',
    async (kind, _name, manifest) => {
      const models = (await import(`kubernetes-models/${groupOf(manifest)}`)) as Record<
        string,
        new (data: unknown) => { validate(): void }
      >;
      const Model = models[kind];
      expect(Model).toBeDefined();
      if (Model === undefined) return;
      expect(() => {
        new Model(manifest).validate();
      }).not.toThrow();
    },
  );

  it('has no field that Kubernetes does not know', () => {
    expect(compile(ofKubernetes)).toEqual('');
    const [first, ...others] = ofKubernetes;
    expect(
      compile([{ ...first, metadata: { ...first?.metadata, lables: {} } } as unknown as Manifest, ...others]),
    ).toContain('"lables"');
  });

  it('has everything in one namespace that allows only restricted pods', () => {
    const [namespace] = ofKind('Namespace');
    expect(namespace?.metadata).toMatchObject({
      labels: { 'pod-security.kubernetes.io/enforce': 'restricted' },
    });
    const homeless = manifests.filter(
      ({ kind }) => !['Namespace', 'IngressClass', 'IngressClassParams'].includes(kind),
    );
    expect(homeless.filter(({ metadata }) => metadata.namespace !== 'onbehalf')).toEqual([]);
  });

  it.each(ROLES)('gives the role %s a valid environment', (role) => {
    const [container] = podOf(role).containers;
    const given = [
      ...(container?.envFrom ?? []).flatMap(({ configMapRef }) =>
        Object.entries(named('ConfigMap', configMapRef.name).data ?? {}),
      ),
      ...(container?.env ?? []).map(({ name, value }) => [
        name,
        value ?? 'a-secret-that-is-long-enough-0123456789',
      ]),
    ];
    expect(loadConfig(Object.fromEntries(given) as Record<string, string>, [GITHUB])).toMatchObject({ role });
  });

  it.each(ROLES)('runs the role %s without privileges, and gives it enough time to stop', (role) => {
    const pod = podOf(role);
    const [container] = pod.containers;
    expect(pod).toMatchObject({
      automountServiceAccountToken: false,
      securityContext: { runAsNonRoot: true, runAsUser: 1000, seccompProfile: { type: 'RuntimeDefault' } },
      serviceAccountName: `onbehalf-${role}`,
    });
    expect(container?.securityContext).toEqual({
      readOnlyRootFilesystem: true,
      allowPrivilegeEscalation: false,
      capabilities: { drop: ['ALL'] },
    });
    const drain = container?.lifecycle.preStop.sleep.seconds ?? Number.POSITIVE_INFINITY;
    expect(pod.terminationGracePeriodSeconds).toBeGreaterThanOrEqual(drain + SHUTDOWN_SECONDS);
  });

  it('lets the load balancer, and then the pod, wait for the longest run', () => {
    const { runs } = loadConfig({
      ...named('ConfigMap', 'onbehalf').data,
      ...named('ConfigMap', 'onbehalf-agent').data,
      ROLE: 'agent',
      FLOW_SECRET: 'a-secret-that-is-long-enough-0123456789',
    }) as AgentRoleConfig;
    const attributes =
      named('Service', 'onbehalf-agent').metadata.annotations?.[
        'alb.ingress.kubernetes.io/target-group-attributes'
      ] ?? '';
    const delay = Number(/timeout_seconds=(\d+)/.exec(attributes)?.[1]);
    expect(delay).toBeGreaterThanOrEqual(runs.deadlineSeconds + 30);
    const [container] = podOf('agent').containers;
    expect(container?.lifecycle.preStop.sleep.seconds).toBeGreaterThanOrEqual(delay);
  });

  it('runs one image as both roles', () => {
    const images = ROLES.flatMap((role) => podOf(role).containers.map(({ image }) => image));
    expect(new Set(images).size).toBe(1);
  });

  it('has the same rules as ECS: the same paths, methods and targets, behind the same sign-in', () => {
    const here = ofKind('Ingress').flatMap(({ metadata: { annotations = {} }, spec }) => {
      const of = (name: string): string => annotations[`alb.ingress.kubernetes.io/${name}`] ?? '';
      const { rules } = spec as { rules: { http: { paths: IngressPath[] } }[] };
      return rules.flatMap(({ http }) =>
        http.paths.map(({ path, backend }) => {
          const conditions = of(`conditions.${backend.service.name}`);
          const methods =
            conditions === ''
              ? 'any'
              : (JSON.parse(conditions) as Condition[])[0]?.httpRequestMethodConfig.values.join();
          return `${methods ?? ''} ${path} ${of('auth-on-unauthenticated-request')} ${backend.service.name}`;
        }),
      );
    });
    const there = RULES.flatMap(({ paths, methods, otherwise, target }) =>
      paths.map((path) => `${methods?.join() ?? 'any'} ${path} ${otherwise} onbehalf-${target}`),
    );
    expect(here.toSorted()).toEqual(there.toSorted());
  });

  it('redirects pages to the sign-in before it denies API requests, and has no rule without a sign-in', () => {
    const orders = ofKind('Ingress').map(({ metadata: { annotations = {} } }) => [
      Number(annotations['alb.ingress.kubernetes.io/group.order']),
      annotations['alb.ingress.kubernetes.io/auth-on-unauthenticated-request'],
      annotations['alb.ingress.kubernetes.io/auth-type'],
    ]);
    expect(orders).toEqual([
      [10, 'authenticate', 'oidc'],
      [20, 'deny', 'oidc'],
    ]);
  });

  it('lets no other namespace add rules, and lets the controller read only one secret', () => {
    expect(named('IngressClassParams', 'onbehalf-alb').spec).toEqual({
      namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'onbehalf' } },
    });
    expect(named('IngressClass', 'onbehalf-alb').spec).toMatchObject({
      parameters: { kind: 'IngressClassParams', name: 'onbehalf-alb' },
    });
    expect(named('Role', 'onbehalf-oidc')).toMatchObject({
      rules: [{ resources: ['secrets'], resourceNames: ['onbehalf-oidc'], verbs: ['get', 'list', 'watch'] }],
    });
  });

  it('holds no secret', () => {
    expect(ofKind('Secret')).toEqual([]);
  });
});

interface Condition {
  readonly httpRequestMethodConfig: { readonly values: readonly string[] };
}

function groupOf({ apiVersion }: Manifest): string {
  const [group = '', version] = apiVersion.split('/');
  return version === undefined ? group : `${group}/${version}`;
}

/** The manifests as literals of Kubernetes' own types, so that an unknown field is a compiler error. */
function compile(all: readonly Manifest[]): string {
  const folder = mkdtempSync('infra/node_modules/.manifest-');
  const lines = all.map(
    (manifest, index) =>
      `import type { I${manifest.kind} as T${String(index)} } from 'kubernetes-models/${groupOf(manifest)}';\n` +
      `export const m${String(index)}: T${String(index)} = ${JSON.stringify(manifest)};`,
  );
  const file = join(folder, 'manifest.ts');
  writeFileSync(file, lines.join('\n'));
  try {
    const options = ['--noEmit', '--strict', '--skipLibCheck', '--module', 'nodenext', '--target', 'es2022'];
    const { stdout } = spawnSync(
      process.execPath,
      ['node_modules/typescript/bin/tsc', ...options, '--ignoreConfig', file],
      {
        encoding: 'utf8',
      },
    );
    return stdout;
  } finally {
    rmSync(folder, { recursive: true });
  }
}
