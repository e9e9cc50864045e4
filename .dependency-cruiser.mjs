/** Who may import whom: README.md, "Layout". Each rule forbids what is not one of its arrows. */
const only = (name, from, allowed) => ({
  name,
  severity: 'error',
  from: { path: `^src/${from}/` },
  to: { path: '^src/', pathNot: [`^src/${from}/`, '/testing/', ...allowed.map((each) => `^src/${each}/`)] },
});

export default {
  forbidden: [
    { name: 'no-circular', severity: 'error', from: {}, to: { circular: true } },
    {
      name: 'src-knows-nothing-of-local',
      severity: 'error',
      from: { path: '^src/' },
      to: { path: '^(local|test|scripts)/' },
    },
    {
      name: 'local-imports-nothing-of-src',
      severity: 'error',
      from: { path: '^local/' },
      to: { path: '^(src|dist|test)/' },
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
    only('config-stands-alone', 'config', []),
    only('common-stands-alone', 'common', []),
    only('audit', 'audit', ['config', 'common']),
    only('storage', 'storage', ['config', 'common']),
    only('identity', 'identity', ['storage', 'audit', 'config', 'common']),
    only('sign-in', 'identity/sign-in', ['audit', 'config', 'common']),
    only('a-vault-completes-nothing', 'identity/token-vault', [
      'identity/(agentcore|sign-in)',
      'config',
      'common',
    ]),
    only('a-completion-fetches-nothing', 'identity/authorization-completion', [
      'identity/(agentcore|sign-in)',
      'config',
      'common',
    ]),
    only('flow', 'identity/flow', ['storage', 'audit', 'config', 'common']),
    only('tools', 'tools', ['identity/(sign-in|token-vault)', 'storage', 'audit', 'config', 'common']),
    only('sessions', 'sessions', ['identity/sign-in', 'storage', 'audit', 'config', 'common']),
    only('binding', 'binding', [
      'identity/(sign-in|flow|authorization-completion)',
      'audit',
      'config',
      'common',
    ]),
    only('agent-knows-no-provider', 'agent', [
      'tools',
      'sessions',
      'identity/(sign-in|flow)',
      'audit',
      'config',
      'common',
    ]),
    only('a-provider-knows-nothing-of-the-agent', 'github-tools', ['tools', 'config', 'common']),
    only('the-doctor-looks-from-outside', 'doctor', ['config', 'common']),
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
      to: { path: '^src/(agent|tools|github-tools|sessions|identity/token-vault)/' },
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
      name: 'only-the-agent-loads-strands',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/agent/' },
      to: { path: 'node_modules/(@strands-agents|@ag-ui)/' },
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
