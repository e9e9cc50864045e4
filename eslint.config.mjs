import { existsSync } from 'node:fs';
import js from '@eslint/js';
import { defineConfig, globalIgnores } from 'eslint/config';
import tseslint from 'typescript-eslint';

/** Only the adapter of a vendor imports its SDK. */
const VENDORS = [
  {
    group: ['@aws-sdk/*'],
    message: 'Only *.adapter.ts may import an AWS SDK client; everything else uses the port.',
  },
];

/** The types of the infrastructure exist only after its own dependencies are installed; npm run infra:test installs them. */
const infra = existsSync('infra/node_modules') ? [] : ['infra'];

export default defineConfig(
  globalIgnores([
    'dist',
    'build',
    'coverage',
    '**/node_modules',
    '.onbehalf',
    'reports',
    '.stryker-tmp',
    '**/cdk.out',
    ...infra,
  ]),
  js.configs.recommended,
  { linterOptions: { reportUnusedDisableDirectives: 'error' } },
  {
    files: ['**/*.{ts,tsx}'],
    extends: [...tseslint.configs.strictTypeChecked, ...tseslint.configs.stylisticTypeChecked],
    languageOptions: {
      parserOptions: {
        project: ['./tsconfig.json', './tsconfig.tools.json', './tsconfig.web.json', './infra/tsconfig.json'],
        tsconfigRootDir: import.meta.dirname,
      },
    },
    rules: {
      '@typescript-eslint/consistent-type-imports': ['error', { fixStyle: 'inline-type-imports' }],
      '@typescript-eslint/explicit-module-boundary-types': ['error', { allowTypedFunctionExpressions: true }],
      '@typescript-eslint/no-unused-vars': ['error', { ignoreRestSiblings: true }],
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: false }],
      // Nest accepts plain objects for options that it declares as classes.
      '@typescript-eslint/no-unsafe-class-instance-assignment': 'off',
      // The local identity provider is reached over HTTP on this machine.
      '@typescript-eslint/no-deprecated': [
        'error',
        { allow: [{ from: 'package', name: 'allowInsecureRequests', package: 'openid-client' }] },
      ],
      // Strands expects tools to be generators. A tool that reports no progress yields nothing.
      'require-yield': 'off',
      '@typescript-eslint/switch-exhaustiveness-check': [
        'error',
        { considerDefaultExhaustiveForUnions: true },
      ],
      '@typescript-eslint/no-extraneous-class': ['error', { allowWithDecorator: true }],
      'max-lines': ['error', { max: 400 }],
      'max-lines-per-function': ['error', { max: 70, skipBlankLines: true, skipComments: true }],
      'no-console': 'error',
    },
  },
  {
    files: ['src/**/*.ts'],
    // The health check may not load any module.
    ignores: ['src/config/process-environment.ts', 'src/healthcheck.ts'],
    rules: {
      'no-restricted-properties': [
        'error',
        {
          object: 'process',
          property: 'env',
          message: 'Only config/process-environment.ts reads the environment.',
        },
      ],
    },
  },
  {
    files: ['src/**/*.ts'],
    ignores: ['src/**/*.adapter.ts', 'src/agent/strands/*.model.ts', 'src/**/*.spec.ts'],
    rules: { 'no-restricted-imports': ['error', { patterns: VENDORS }] },
  },
  {
    files: ['**/*.spec.ts', 'test/**/*.ts', 'infra/test/**/*.ts'],
    rules: { 'max-lines-per-function': 'off', '@typescript-eslint/explicit-module-boundary-types': 'off' },
  },
  {
    files: ['web/**/*.{ts,tsx}'],
    // The enums of @ag-ui/core are values, and the page loads nothing of that package.
    rules: { '@typescript-eslint/no-unsafe-enum-comparison': 'off' },
  },
  {
    files: ['examples/node/*.js'],
    languageOptions: {
      sourceType: 'commonjs',
      globals: Object.fromEntries(
        ['__dirname', 'process', 'fetch', 'test', 'expect', 'beforeAll', 'beforeEach', 'afterAll'].map(
          (name) => [name, 'readonly'],
        ),
      ),
    },
  },
  {
    files: ['**/*.mjs'],
    languageOptions: {
      globals: {
        Buffer: 'readonly',
        fetch: 'readonly',
        performance: 'readonly',
        process: 'readonly',
        URL: 'readonly',
      },
    },
  },
);
