import jest from './jest.config.mjs';

const FOLDERS = 'src/{identity,binding,sessions,storage,agent,tools,github-tools}';
const unit = jest.projects.find(({ displayName }) => displayName === 'unit');

/** Each change to the behaviour of these folders must make a unit test fail. */
export default {
  mutate: [
    `${FOLDERS}/**/*.ts`,
    '!src/**/*.spec.ts',
    '!src/**/testing/**',
    '!src/**/index.ts',
    // These files contain only texts and examples of the specification, which test/e2e compares with the committed one.
    '!src/**/*.openapi.ts',
    // These modules only list parts, and test/e2e starts them. SignInModule and ProviderModule contain decisions.
    '!src/{binding,sessions,storage,agent}/*.module.ts',
    '!src/tools/tools.module.ts',
    '!src/identity/{flow,token-vault,authorization-completion}/*.module.ts',
  ],
  plugins: ['@stryker-mutator/jest-runner', './scripts/lib/openapi-ignorer.mjs'],
  ignorers: ['openapi'],
  testRunner: 'jest',
  testRunnerNodeArgs: ['--experimental-vm-modules', '--disable-warning=ExperimentalWarning'],
  jest: {
    configFile: 'jest.config.mjs',
    config: {
      ...unit,
      // Only the unit tests beside the changed code run, not all suites.
      projects: [],
      testMatch: [`<rootDir>/${FOLDERS}/**/*.spec.ts`],
      testEnvironment: '@stryker-mutator/jest-runner/jest-env/node',
    },
  },
  coverageAnalysis: 'perTest',
  concurrency: 2,
  // A slow machine must not be mistaken for a change that hangs.
  timeoutMS: 15_000,
  reporters: ['progress-append-only', 'clear-text', 'json'],
  thresholds: { high: 90, low: 85, break: 85 },
};
