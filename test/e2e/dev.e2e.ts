import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { HttpBrowser } from '../../local/lib/http-browser.ts';
import { startLocal, type LocalProcess } from '../support/local-process.ts';
import { eventually } from '../support/world.ts';

const PORT = 18_470;
const URL_ = `http://localhost:${String(PORT)}`;
const COPIED = ['src', 'web', 'local', 'scripts', 'package.json'];
/** Three times the duration on two cores, for a machine with other work. */
const TAKEN_OVER_MS = 6_000;

describe('npm run dev', () => {
  const folder = mkdtempSync(join(tmpdir(), 'onbehalf-dev-'));
  const page = join(folder, 'src/pages/pages.controller.ts');
  const alice = new HttpBrowser();
  let original = '';
  let dev: LocalProcess;

  beforeAll(async () => {
    for (const each of COPIED) cpSync(each, join(folder, each), { recursive: true });
    symlinkSync(resolve('node_modules'), join(folder, 'node_modules'));
    original = readFileSync(page, 'utf8');
    dev = startLocal('local/dev.ts', { port: PORT, folder });
    await eventually(() => dev.output().includes('OnBehalf is ready'), 40_000);
    await alice.signIn(URL_, 'alice@example.com');
  }, 60_000);
  afterAll(() => {
    dev.child.kill('SIGKILL');
    rmSync(folder, { recursive: true, force: true });
  });

  const title = async (): Promise<string | undefined> =>
    /(\w+) in as Alice Arden/.exec((await alice.navigate(`${URL_}/docs`)).text)?.[1];
  const write = (title: string): void => {
    writeFileSync(page, original.replace('Signed in as', `${title} in as`));
  };

  it('runs both roles from the sources', async () => {
    expect(await title()).toBe('Signed');
    expect(dev.output()).toContain(`http://127.0.0.1:${String(PORT + 10)}`);
  });

  it('runs a change soon, and loses no request during the change', async () => {
    const seen = new Set<string | undefined>();
    write('Changed');
    await eventually(async () => {
      seen.add(await title());
      return seen.has('Changed');
    }, TAKEN_OVER_MS);
    expect([...seen]).toEqual(['Signed', 'Changed']);
    expect(dev.output()).toMatch(
      /src\/pages\/pages\.controller\.ts changed\. Both roles run it after \d+\.\d s\./,
    );
  }, 20_000);

  it.each([
    ['a syntax error', 'export class {'],
    ['a mistake that ends the role', "throw new Error('Broken on purpose.');"],
  ])(
    'keeps the previous roles running after %s, and applies the next change',
    async (_name, mistake) => {
      const said = dev.output().length;
      writeFileSync(page, `${original}\n${mistake}\n`);
      await eventually(
        () => dev.output().slice(said).includes('the previous roles still run'),
        2 * TAKEN_OVER_MS,
      );
      expect(await title()).toBe('Changed');
      write('Fixed');
      await eventually(async () => (await title()) === 'Fixed', TAKEN_OVER_MS);
      write('Changed');
      await eventually(async () => (await title()) === 'Changed', TAKEN_OVER_MS);
    },
    40_000,
  );

  it('ends on a signal, within 5 s', async () => {
    const stoppedAt = Date.now();
    dev.child.kill('SIGINT');
    expect(await dev.exit).toBe(0);
    expect(Date.now() - stoppedAt).toBeLessThan(5_000);
  }, 10_000);
});
