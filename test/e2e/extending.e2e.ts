import { spawn } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { fixedAnswers } from '../../local/provider-gate/fixed-answers.ts';
import { connectUrlOf, World } from '../support/world.ts';

const COPIED = [
  'src',
  'local',
  'package.json',
  'nest-cli.json',
  'tsconfig.base.json',
  'tsconfig.json',
  'tsconfig.build.json',
];
const PAGE = readFileSync('docs/extending.md', 'utf8');
/** The code blocks that name a file, or a place in a file. */
const BLOCKS = [...PAGE.matchAll(/```(?:ts|json)\n(?:\/\/ (.+)\n)?([^]*?)```/g)].map(
  ([, place = '', code = '']) => ({
    place,
    code,
  }),
);
const codeAt = (place: string): string => BLOCKS.find((block) => block.place === place)?.code ?? '';
/** The trial ends within this time. */
const LIMIT_MS = 90_000;

/** The examples in the docstrings of what extenders use. */
const EXAMPLES = ['src/create-app.ts', 'src/tools/provider.ts', 'src/tools/agent-tool.decorator.ts'].flatMap(
  (file) =>
    [...readFileSync(file, 'utf8').matchAll(/ \* @example\n((?: \*.*\n)+?) \*\//g)].map(([, block = '']) =>
      block.replaceAll(/^ \* ?/gm, '').replaceAll('\\@', '@'),
    ),
);
/** Around an example: what it may take for granted. */
function moduleOf(example: string): string {
  const imports = `import { z } from 'zod';
import { createApp } from '../create-app.js';
import { processEnvironment } from '../config/index.js';
import { loadRole } from '../roles/load-role.js';
import { AgentTool, ProviderApi, type Provider, type ToolCallContext } from '../tools/index.js';
export const granted = [z, createApp, processEnvironment, loadRole, AgentTool, ProviderApi];
export type Granted = [Provider, ToolCallContext];
`;
  if (example.startsWith('@AgentTool'))
    return `${imports}const answer = z.object({ said: z.string() });
export class ParrotTools { constructor(private readonly api: ProviderApi) {} ${example} }`;
  if (example.includes('export const parrot')) return `${imports}class ParrotTools {}\n${example}`;
  return `${imports}declare const parrot: Provider;\n${example}`;
}

interface Told {
  readonly status: number | null;
  readonly output: string;
}

describe('the provider of docs/extending.md', () => {
  let folder: string;
  let built: Told;

  const run = (...parameters: readonly string[]): Promise<Told> =>
    new Promise((settle) => {
      const child = spawn(process.execPath, parameters, { cwd: folder, timeout: LIMIT_MS });
      let output = '';
      for (const stream of [child.stdout, child.stderr])
        stream.on('data', (chunk: Buffer) => (output += chunk.toString()));
      child.on('close', (status) => {
        settle({ status, output });
      });
    });
  const edit = (file: string, change: (text: string) => string): void => {
    const path = join(folder, file);
    writeFileSync(path, change(readFileSync(path, 'utf8')));
  };

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'onbehalf-extending-'));
    for (const name of COPIED) cpSync(name, join(folder, name), { recursive: true });
    symlinkSync(resolve('node_modules'), join(folder, 'node_modules'));
    for (const { place, code } of BLOCKS.filter((block) => block.place.startsWith('src/'))) {
      mkdirSync(dirname(join(folder, place)), { recursive: true });
      writeFileSync(join(folder, place), code);
    }
    mkdirSync(join(folder, 'src/examples'));
    for (const [index, example] of EXAMPLES.entries())
      writeFileSync(join(folder, `src/examples/example-${String(index)}.ts`), moduleOf(example));
    const line = /^export const PROVIDERS.*$/m;
    edit('src/roles/providers.ts', (text) =>
      `import { jira } from '../jira-tools/index.js';\n${text}`.replace(
        line,
        codeAt('in src/roles/providers.ts').trim(),
      ),
    );
    edit('local/providers.ts', (text) =>
      `import { fixedAnswers } from './provider-gate/fixed-answers.ts';\n${text}`.replace(
        '[gitHub]',
        `[gitHub, ${codeAt('in local/providers.ts').trim()}]`,
      ),
    );
    cpSync('test/support/trial.ts', join(folder, 'test/support/trial.ts'));
    built = await run('node_modules/@nestjs/cli/bin/nest.js', 'build');
  }, LIMIT_MS);
  afterAll(() => {
    rmSync(folder, { recursive: true });
  });

  it('compiles, and so do the examples in docstrings', () => {
    expect(EXAMPLES).toHaveLength(3);
    expect(built).toEqual({ status: 0, output: '' });
  });

  it('asks for consent, reads, and writes with an approval', async () => {
    const { status, output } = await run('test/support/trial.ts');
    expect(output.split('\n').filter((each) => each !== '')).toEqual([
      'consent for read:jira-user, read:jira-work',
      'shows: View user profiles; View Jira issue data',
      'read: TRAM-1',
      'approval of {"project":"TRAM","title":"A new lamp"} as alice-octo',
      'consent for read:jira-user, read:jira-work, write:jira-work',
      'written: TRAM-2',
    ]);
    expect(status).toBe(0);
  });

  it('needs its own folder and three other lines, at most 120 lines in all', () => {
    const own = BLOCKS.filter(({ place }) => place.startsWith('src/') || place.startsWith('in '));
    const lines = own.flatMap(({ code }) => code.trimEnd().split('\n'));
    const shared = own.filter(({ place }) => place.startsWith('in '));
    expect(shared.map(({ code }) => code.trimEnd().split('\n').length)).toEqual([1, 1]);
    // The third line is in the deployment file.
    expect(lines.length + 1).toBeLessThanOrEqual(120);
  });
});

describe('a provider outside src', () => {
  it('is offered by its own program', async () => {
    const scopes = { hear: { title: 'Hear words', detail: '' } };
    const row = fixedAnswers({ id: 'parrot', brand: 'Parrot', scopes }, { 'GET /word': { word: 'Ahoy' } });
    const world = await World.start(
      { furtherProviders: [row] },
      { entry: 'test/support/agent-with-parrot.mjs' },
    );
    try {
      const alice = await world.signIn('alice@example.com');
      const paused = await world.ask(alice, 'parrot', 'Get me a word');
      expect(paused.interrupts[0]?.metadata).toMatchObject({ provider: 'parrot', scopes: ['hear'] });
      await world.consent(alice, connectUrlOf(paused), 'alice-octo');
      expect((await world.resume(alice, 'parrot', ['interrupt-1'])).text).toContain('Ahoy');
      expect(world.stack.providers.get('parrot')?.api.seenTokens).toHaveLength(1);
    } finally {
      await world.close();
    }
  });
});
