import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { digestsOf } from '../../scripts/lib/digests.mjs';
import { runSteps } from '../../scripts/lib/steps.mjs';

describe('npm run check', () => {
  let folder = '';
  const path = (name: string): string => join(folder, name);
  const write = (name: string, text: string): void => {
    writeFileSync(path(name), text);
  };

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'onbehalf-check-'));
    write('rules', 'strict');
    write('top.ts', "import { middle } from './middle.js';\nexport const top = middle;\n");
    write('middle.ts', "export * from './bottom.ts';\nimport './top.js';\n");
    write('bottom.ts', 'export const middle = 1;\n');
    write('alone.ts', 'export const alone = 1;\n');
  });
  afterEach(() => {
    rmSync(folder, { recursive: true });
  });

  const files = ['top.ts', 'middle.ts', 'bottom.ts', 'alone.ts'];
  const digests = (): readonly (string | undefined)[] => {
    const found = digestsOf(files.map(path), [path('rules')]);
    return files.map((file) => found[path(file)]);
  };

  it.each([
    [
      'a change of an imported file',
      'bottom.ts',
      'export const middle = Promise.resolve(1);\n',
      ['top.ts', 'middle.ts', 'bottom.ts'],
    ],
    ['a change of a file that nothing imports', 'alone.ts', 'export const alone = 2;\n', ['alone.ts']],
    [
      'a new file that is found before another one',
      'middle.js',
      'export const middle = 2;\n',
      ['top.ts', 'middle.ts'],
    ],
    ['a change of the rules', 'rules', 'lax', files],
  ])('lints each file again that is affected by %s', (_name, changed, text, concerned) => {
    const before = digests();
    expect(digests()).toEqual(before);
    write(changed, text);
    const after = digests();
    expect(files.filter((_, index) => before[index] !== after[index])).toEqual(concerned);
  });

  it('prints the whole output of each step, and names the steps that failed', async () => {
    write(
      'good.mjs',
      "process.stdout.write('one\\n'); setTimeout(() => process.stderr.write('two\\n'), 200);",
    );
    write('bad.mjs', "process.stdout.write('three\\n'); process.exitCode = 3;");
    const printed: string[] = [];
    const steps = ['good.mjs', 'bad.mjs', 'missing.mjs'].map((name) => ({ name, parameters: [path(name)] }));
    const failed = await runSteps(steps, { print: (text) => printed.push(text) });
    expect(failed.map(({ name }) => name).sort()).toEqual(['bad.mjs', 'missing.mjs']);
    const of = (name: string): string | undefined => printed.find((text) => text.startsWith(name));
    expect(of('good.mjs')).toMatch(/^good\.mjs: passed after \d+\.\d s\none\ntwo\n$/);
    expect(of('bad.mjs')).toMatch(/^bad\.mjs: FAILED after \d+\.\d s\nthree\n$/);
  });
});
