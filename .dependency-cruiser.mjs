/** A room may import the rooms that are allowed to it, and no other. */
const only = (name, from, allowed) => ({
  name,
  severity: 'error',
  from: { path: `^src/${from}/` },
  to: { path: '^src/', pathNot: [`^src/${from}/`, '/testing/', ...allowed.map((each) => `^src/${each}/`)] },
});

/** The arrows: the name of the rule, a room, and the rooms that it may import. docs/architecture.md has the picture. */
export const ARROWS = [
  ['config-stands-alone', 'config', []],
  ['common-stands-alone', 'common', []],
  ['audit', 'audit', ['config', 'common']],
  ['storage', 'storage', ['config', 'common']],
  ['identity', 'identity', ['storage', 'audit', 'config', 'common']],
  ['sign-in', 'identity/sign-in', ['audit', 'config', 'common']],
  ['a-vault-completes-nothing', 'identity/token-vault', ['identity/(agentcore|sign-in)', 'config', 'common']],
  [
    'a-completion-fetches-nothing',
    'identity/authorization-completion',
    ['identity/(agentcore|sign-in)', 'config', 'common'],
  ],
  ['flow', 'identity/flow', ['storage', 'audit', 'config', 'common']],
  ['a-revocation-fetches-nothing', 'identity/revocation', ['config', 'common']],
  ['receipts', 'receipts', ['storage', 'common']],
  [
    'tools',
    'tools',
    ['identity/(sign-in|token-vault|flow)', 'receipts', 'storage', 'audit', 'config', 'common'],
  ],
  ['sessions', 'sessions', ['identity/sign-in', 'storage', 'audit', 'config', 'common']],
  ['usage', 'usage', ['identity/sign-in', 'sessions', 'storage', 'config', 'common']],
  [
    'binding',
    'binding',
    ['identity/(sign-in|flow|authorization-completion|revocation)', 'receipts', 'audit', 'config', 'common'],
  ],
  [
    'agent-knows-no-provider',
    'agent',
    ['tools', 'sessions', 'usage', 'identity/(sign-in|flow)', 'audit', 'config', 'common'],
  ],
  ['agent-http', 'agent/http', ['agent/(events|runs)', 'sessions', 'identity/sign-in', 'audit', 'common']],
  ['agent-strands', 'agent/strands', ['tools', 'sessions', 'config', 'common']],
  ['agent-interrupts', 'agent/interrupts', ['tools', 'sessions', 'identity/flow', 'audit', 'common']],
  [
    'agent-runs',
    'agent/runs',
    ['agent/(interrupts|strands)', 'tools', 'sessions', 'usage', 'identity/sign-in', 'config', 'common'],
  ],
  ['agent-events', 'agent/events', ['agent/(interrupts|runs)', 'sessions', 'common']],
  ['api-docs', 'api-docs', ['config', 'common']],
  ['pages', 'pages', ['identity/sign-in', 'common']],
  ['forgetting-a-user-starts-no-role', 'forget-user', ['sessions', 'storage', 'config', 'common']],
  ['the-doctor-looks-from-outside', 'doctor', ['roles', 'tools', 'config', 'common']],
];

export default {
  forbidden: [
    ...ARROWS.map(([name, from, allowed]) => only(name, from, allowed)),
    { name: 'no-circular', severity: 'error', from: {}, to: { circular: true } },
    {
      name: 'src-knows-nothing-of-local',
      severity: 'error',
      from: { path: '^src/' },
      to: { path: '^(local|test|scripts|web)/' },
    },
    {
      name: 'the-pages-know-the-service-by-its-api',
      severity: 'error',
      from: { path: '^web/' },
      to: { path: '^(src|local|test|scripts|dist)/' },
    },
    {
      name: 'local-imports-nothing-of-src',
      severity: 'error',
      from: { path: '^local/' },
      to: { path: '^(src|dist|test|web)/' },
    },
    {
      name: 'a-module-has-one-door',
      severity: 'error',
      from: { path: '^src/([^/]+)/' },
      to: {
        path: '^src/[^/]+/',
        pathNot: [
          '^src/$1/',
          '^src/[^/]+/index\\.ts$',
          '^src/(common|identity)/[^/]+/index\\.ts$',
          '^src/roles/',
          '/testing/',
        ],
      },
    },
    {
      name: 'a-room-of-the-agent-has-one-door',
      severity: 'error',
      from: { path: '^src/agent/([^/]+)/' },
      to: { path: '^src/agent/[^/]+/', pathNot: ['^src/agent/$1/', '/index\\.ts$', '/testing/'] },
    },
    {
      name: 'a-provider-knows-nothing-of-the-agent',
      severity: 'error',
      from: { path: '^src/([^/]+-tools)/' },
      to: { path: '^src/', pathNot: ['^src/$1/', '^src/(tools|config|common)/'] },
    },
    {
      name: 'the-root-composes-roles',
      severity: 'error',
      from: { path: '^src/[^/]+\\.ts$' },
      to: {
        path: '^src/',
        pathNot: ['^src/[^/]+\\.ts$', '^src/(config|roles)/', '^src/common/[^/]+/index\\.ts$'],
      },
    },
    {
      name: 'session-binding-has-nothing-of-the-agent',
      severity: 'error',
      from: { path: '^src/roles/session-binding\\.module\\.ts$' },
      to: { path: '^src/(agent|tools|[^/]+-tools|api-docs|sessions|usage|identity/token-vault)/' },
    },
    {
      name: 'a-vendor-has-one-adapter',
      severity: 'error',
      from: { path: '^src/', pathNot: '\\.(adapter|model|spec)\\.ts$' },
      to: { path: '(node_modules/|^)@aws-sdk/' },
    },
    {
      name: 'the-environment-has-one-reader',
      severity: 'error',
      from: { path: '^src/' },
      to: { path: '^(node:)?process$' },
    },
    {
      name: 'fakes-are-for-tests',
      severity: 'error',
      from: { path: '^src/', pathNot: ['\\.spec\\.ts$', '/testing/'] },
      to: { path: '/testing/' },
    },
    {
      name: 'strands-has-one-room',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/agent/strands/' },
      to: { path: 'node_modules/@strands-agents/' },
    },
    {
      name: 'ag-ui-has-one-room',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/agent/events/' },
      to: { path: 'node_modules/@ag-ui/' },
    },
    {
      name: 'opentelemetry-has-one-room',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/common/telemetry/' },
      to: { path: 'node_modules/@opentelemetry/' },
    },
    {
      name: 'the-sdk-of-opentelemetry-has-one-adapter',
      severity: 'error',
      from: {
        path: '^src/',
        pathNot: ['^src/common/telemetry/(otlp\\.adapter|trace-ids)\\.ts$', '\\.spec\\.ts$', '/testing/'],
      },
      to: { path: 'node_modules/@opentelemetry/', pathNot: 'node_modules/@opentelemetry/api/' },
    },
    {
      name: 'the-sdk-of-opentelemetry-is-loaded-on-demand',
      severity: 'error',
      from: {
        path: '^src/',
        pathNot: ['\\.spec\\.ts$', '/testing/', '^src/common/telemetry/otlp\\.adapter\\.ts$'],
      },
      to: {
        path: '^src/common/telemetry/(otlp\\.adapter|trace-ids)\\.ts$',
        dynamic: false,
        dependencyTypesNot: ['type-only'],
      },
    },
    {
      name: 'only-the-agent-and-the-doctor-call-the-model',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/(agent|doctor)/' },
      to: { path: 'node_modules/@aws-sdk/client-bedrock-runtime/' },
    },
    {
      name: 'no-development-dependency-in-src',
      severity: 'error',
      from: { path: '^src/', pathNot: '\\.spec\\.ts$' },
      to: { dependencyTypes: ['npm-dev', 'npm-no-pkg', 'unknown', 'undetermined'] },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'node', 'default', 'types'],
    },
  },
};
