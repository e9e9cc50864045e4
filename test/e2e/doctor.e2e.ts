import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { startBothRoles, type BothRoles } from '../../local/lib/both-roles.ts';
import { ACCESS_KEYS, GITHUB_PROVIDER, startStack, type LocalStack } from '../../local/stack.ts';
import { AWS_FAULTS } from './doctor-aws-faults.ts';
import { FAULTS, type Environment } from './doctor-faults.ts';

interface Diagnosis {
  readonly code: number | null;
  readonly text: string;
  /** The lines of one state, by subject. */
  readonly ok: readonly string[];
  readonly wrong: Readonly<Record<string, string>>;
  readonly notChecked: Readonly<Record<string, string>>;
}

describe('npm run doctor', () => {
  let stack: LocalStack;
  let roles: BothRoles;

  beforeAll(async () => {
    stack = await startStack();
    roles = await startBothRoles(stack);
  }, 60_000);
  beforeEach(() => stack.reset());
  afterAll(async () => {
    await roles.stop();
    await stack.close();
  });

  it('finds no fault in a healthy deployment, as the operator who checks the agent role', async () => {
    const { code, ok, wrong, notChecked } = await diagnose(stack.environment('operator'));
    expect({ wrong, notChecked }).toEqual({ wrong: {}, notChecked: {} });
    expect(code).toBe(0);
    expect(ok).toHaveLength(14);
  });

  it('finds no fault in the permissions of the session-binding role', async () => {
    const environment = stack.environment('session-binding');
    const { code, ok } = await diagnose({ ...environment, AWS_ENDPOINT_URL_STS: stack.account.url });
    expect(code).toBe(0);
    expect(ok).toHaveLength(8);
  });

  it('finds that the session-binding role may not complete an authorization', async () => {
    const environment = { ...stack.environment('session-binding'), AWS_ENDPOINT_URL_STS: stack.account.url };
    const { code, wrong } = await diagnose({ ...environment, AWS_ACCESS_KEY_ID: ACCESS_KEYS.agent });
    expect(code).toBe(1);
    expect(Object.keys(wrong)).toEqual(['completion']);
    expect(wrong.completion).toMatch(/may not bedrock-agentcore:CompleteResourceTokenAuth/);
    expect(wrong.completion).toMatch(/aws iam put-role-policy --role-name onbehalf-agent/);
  });

  it.each([...FAULTS, ...AWS_FAULTS])('finds $name', async ({ plant, found, fix, waiting }) => {
    const environment = stack.environment('operator');
    plant(environment, stack);
    const { code, wrong, notChecked } = await diagnose(environment);
    expect(code).toBe(1);
    for (const [subject, says] of Object.entries(found)) expect(wrong[subject]).toMatch(says);
    expect(Object.values(wrong).join('\n')).toMatch(fix);
    if (waiting !== undefined) expect(Object.keys(notChecked).sort()).toEqual([...waiting].sort());
  });

  it('reports no other subjects than those that are wrong', async () => {
    const { wrong } = await diagnose({ ...stack.environment('operator'), GITHUB_PROVIDER_NAME: 'other' });
    expect(Object.keys(wrong)).toEqual(['credential provider']);
  });

  it('changes nothing, and prints no secret', async () => {
    const environment = stack.environment('operator');
    const { text } = await diagnose(environment);
    expect(text).not.toContain(environment.FLOW_SECRET);
    for (const secret of stack.agentCoreIdentity.vault.secrets()) expect(text).not.toContain(secret);
    const written = stack.s3.store.all().filter(({ key }) => !key.startsWith('tasks/'));
    expect(written).toEqual([]);
    expect(new Set(stack.agentCoreIdentity.calls.map(({ operation }) => operation))).toEqual(
      new Set([
        'GetWorkloadIdentity',
        'GetOauth2CredentialProvider',
        'GetWorkloadAccessTokenForUserId',
        'GetResourceOauth2Token',
      ]),
    );
    expect(stack.agentCoreIdentity.registry.credentialProviders[0]?.name).toBe(GITHUB_PROVIDER);
  });

  it('prints commands that are safe to paste, and no control characters', async () => {
    const hostile = `http://evil.example.com/'$(touch /tmp/x)'\u001b[2J`;
    stack.identityProvider.faults.plan(/well-known/, {
      kind: 'answer',
      status: 200,
      body: JSON.stringify({ issuer: hostile }),
    });
    const { wrong, text } = await diagnose(stack.environment('operator'));
    expect(wrong['identity provider']).toContain(
      String.raw`export ALB_ISSUER='http://evil.example.com/'\''$(touch /tmp/x)'\''`,
    );
    expect(text).not.toContain('\u001b');
  });

  it('reads the variables from a file of the form that npm start writes', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'onbehalf-doctor-'));
    const file = join(folder, 'operator.env');
    const lines = Object.entries(stack.environment('operator')).map(([name, value]) => `${name}=${value}\n`);
    writeFileSync(file, lines.join(''));
    try {
      const { code, text } = await run(['scripts/run.mjs', 'scripts/doctor.mjs', file], {
        FLOW_SECRET: 'not this',
      });
      expect(text).toContain('14 ok, 0 wrong, 0 not checked');
      expect(code).toBe(0);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it('reads only the expected variables from a file, and executes nothing in it', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'onbehalf-doctor-'));
    const file = join(folder, 'hostile.env');
    const lines = Object.entries(stack.environment('operator')).map(([name, value]) => `${name}=${value}\n`);
    const hostile =
      'NODE_OPTIONS="--import=data:text/javascript,process.exit(7)"\nAWS_CONFIG_FILE=/dev/stdin\n';
    writeFileSync(file, hostile + lines.filter((line) => !line.startsWith('ALB_CLIENT_ID=')).join(''));
    try {
      // A variable that the file lacks is not taken from the shell either.
      const { code, text } = await run(['scripts/run.mjs', 'scripts/doctor.mjs', file], {
        ALB_CLIENT_ID: 'onbehalf-local',
      });
      expect(code).toBe(1);
      expect(text).toContain('ALB_CLIENT_ID is missing');
      writeFileSync(file, Buffer.from([0, 1, 2, 255]));
      const nonsense = await run(['scripts/run.mjs', 'scripts/doctor.mjs', file], {});
      expect(nonsense).toEqual({ code: 1, text: `${file} has none of the variables of .env.example.\n` });
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it('checks everything else without the flow secret, which an operator does not have to know', async () => {
    const { code, ok, wrong } = await diagnose({ ...stack.environment('operator'), FLOW_SECRET: '' });
    expect(code).toBe(1);
    expect(Object.keys(wrong)).toEqual(['variables']);
    expect(ok).toHaveLength(13);
  });

  it.each(['no-such.env', 'infra'])('reports that %s is not a file', async (name) => {
    const { code, text } = await run(['scripts/run.mjs', 'scripts/doctor.mjs', name], {});
    expect(code).toBe(1);
    expect(text).toEqual(
      `There is no file ${name}. Copy .env.example, or start the local stack: npm start\n`,
    );
  });
});

async function diagnose(environment: Environment): Promise<Diagnosis> {
  const { code, text } = await run(['dist/doctor/main.js'], environment);
  const findings: Record<'ok' | 'WRONG' | '-', Record<string, string>> = { ok: {}, WRONG: {}, '-': {} };
  let last: readonly ['ok' | 'WRONG' | '-', string] | undefined;
  for (const line of text.split('\n')) {
    const [, state, subject, detail] = /^(ok|WRONG|-) +(\S.*?) {2,}(.*)$/.exec(line) ?? [];
    if (state !== undefined && subject !== undefined) last = [state as 'ok', subject];
    const body = detail ?? line;
    if (last !== undefined && (detail !== undefined || line.startsWith('     '))) {
      const [kind, of] = last;
      findings[kind][of] = `${findings[kind][of] ?? ''}\n${body}`;
    }
  }
  return { code, text, ok: Object.keys(findings.ok), wrong: findings.WRONG, notChecked: findings['-'] };
}

function run(
  parameters: readonly string[],
  environment: Environment,
): Promise<{ code: number | null; text: string }> {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, [...parameters], {
      env: { PATH: process.env.PATH ?? '', HOME: process.env.HOME ?? '', ...environment },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let text = '';
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', (chunk: Buffer) => (text += chunk.toString()));
    child.on('close', (code) => {
      resolve({ code, text });
    });
  });
}
