import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { HttpBrowser } from '../../local/lib/http-browser.ts';
import { invoke } from '../../local/lib/invoke.ts';
import { connectUrlOf, World } from '../support/world.ts';

interface Operation {
  readonly requestBody?: {
    readonly content: {
      readonly 'application/json': {
        readonly examples: Readonly<Record<string, { readonly value: object }>>;
      };
    };
  };
  readonly responses: Readonly<Record<string, { readonly description: string; readonly content?: object }>>;
}

interface Specification {
  readonly openapi: string;
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
}

describe('the specification', () => {
  let world: World;
  let alice: HttpBrowser;
  let text: string;
  let specification: Specification;

  beforeAll(async () => {
    world = await World.start();
    alice = await world.signIn('alice@example.com');
    text = (await alice.request(`${world.url}/openapi.json`)).text;
    specification = JSON.parse(text) as Specification;
  });
  afterAll(() => world.close());

  it('matches the code', () => {
    const { status, stderr } = spawnSync(process.execPath, ['scripts/openapi.mjs', '--check'], {
      encoding: 'utf8',
    });
    expect(stderr).toBe('');
    expect(status).toBe(0);
  });

  it('passes the linter', () => {
    const folder = mkdtempSync(join(tmpdir(), 'onbehalf-openapi-'));
    const file = join(folder, 'openapi.json');
    writeFileSync(file, text);
    const lint = [
      'node_modules/@redocly/cli/bin/cli.js',
      'lint',
      '--config',
      'test/support/redocly.yaml',
      file,
    ];
    const { status, stdout, stderr } = spawnSync(process.execPath, lint, {
      encoding: 'utf8',
      env: { ...process.env, REDOCLY_TELEMETRY: 'off' },
    });
    rmSync(folder, { recursive: true });
    expect(stdout + (status === 0 ? '' : stderr)).not.toContain('warning');
    expect(status).toBe(0);
  });

  it('describes every route of the API, with every error that it may answer', () => {
    const operations = Object.entries(specification.paths).flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => `${method} ${path}`),
    );
    expect(operations.sort()).toEqual([
      'delete /connections/{provider}',
      'delete /connections/{provider}/rules/{rule}',
      'delete /sessions/{id}',
      'get /connections',
      'get /me',
      'get /receipts',
      'get /runs/{id}/events',
      'get /sessions',
      'get /sessions/{id}',
      'get /usage',
      'patch /sessions/{id}',
      'post /invocations',
      'post /runs/{id}/stop',
    ]);
    const responses = specification.paths['/invocations']?.post?.responses ?? {};
    expect(Object.keys(responses).sort()).toEqual([
      '200',
      '400',
      '401',
      '403',
      '404',
      '409',
      '413',
      '415',
      '429',
      '500',
      '503',
    ]);
  });

  it('has examples that run without changes', async () => {
    const examples =
      specification.paths['/invocations']?.post?.requestBody?.content['application/json'].examples ?? {};
    const [first, resume, next, decline, write, approve] = Object.values(examples).map(({ value }) => value);
    const paused = await invoke(alice, world.url, first ?? {});
    expect(paused.last?.outcome?.type).toBe('interrupt');
    await world.consent(alice, connectUrlOf(paused), 'alice-octo');
    const resumed = await invoke(alice, world.url, resume ?? {});
    expect(resumed.text).toContain('alice-octo');
    const asked = await invoke(alice, world.url, next ?? {});
    expect(asked.interrupts[0]?.metadata.scopes).toEqual(['repo']);
    const declined = await invoke(alice, world.url, decline ?? {});
    expect(declined.results).toMatchObject([{ error: { code: 'consent_declined' } }]);
    const writing = await invoke(alice, world.url, write ?? {});
    const [approval] = writing.interrupts;
    expect(approval).toMatchObject({ reason: 'approval_required', metadata: { account: 'alice-octo' } });
    // The one value that nobody can know before: an approval's id cannot be guessed.
    const text = JSON.stringify(approve).replace('interrupt-3-…', approval?.id ?? '');
    const approved = await invoke(alice, world.url, JSON.parse(text) as object);
    expect(approved.interrupts).toMatchObject([{ reason: 'authorization_required' }]);
  });
});
