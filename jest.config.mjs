import { SWC_OPTIONS } from './scripts/lib/swc.mjs';

const transform = { '^.+\\.ts$': ['@swc/jest', SWC_OPTIONS] };

const suite = (displayName, roots, match, more = {}) => ({
  displayName,
  roots,
  testMatch: [match],
  transform,
  extensionsToTreatAsEsm: ['.ts'],
  moduleNameMapper: { '^(\\.{1,2}/.*)\\.js$': '$1' },
  ...more,
});

export default {
  projects: [
    suite('unit', ['<rootDir>/src', '<rootDir>/web'], '**/*.spec.ts', { setupFiles: ['reflect-metadata'] }),
    suite('e2e', ['<rootDir>/test/e2e'], '**/*.e2e.ts'),
    suite('security', ['<rootDir>/test/security'], '**/*.security.ts', {
      setupFiles: ['reflect-metadata'],
    }),
    suite('infra', ['<rootDir>/infra/test'], '**/*.infra.ts'),
    suite('browser', ['<rootDir>/test/browser'], '**/*.browser.ts'),
  ],
};
