export const FOLDERS = ['identity', 'binding', 'sessions', 'storage', 'agent', 'tools', 'github-tools'];

/** What Jest needs to measure the branches of the code that decides about access. Files that no test imports count too. */
export function coverageParameters(directory) {
  return [
    ...['--coverage', '--coverageProvider', 'v8', '--coverageReporters', 'json-summary'],
    ...['--coverageDirectory', directory],
    // V8 counts every script that a process has ever loaded, again after each file of tests, so that a process is soon slow.
    ...['--maxWorkers=2', '--workerIdleMemoryLimit=150MB'],
    `--collectCoverageFrom=src/{${FOLDERS.join(',')}}/**/*.ts`,
    ...['!src/**/*.spec.ts', '!src/**/testing/**'].map((glob) => `--collectCoverageFrom=${glob}`),
  ];
}
