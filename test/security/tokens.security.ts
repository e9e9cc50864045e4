import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, describe, expect, it } from '@jest/globals';
import { startRole, type RoleProcess } from '../../local/lib/role-process.ts';
import { Claim } from '../support/assurance.ts';
import { Random } from '../support/random.ts';
import { inParallel, send } from '../support/send.ts';
import { tokenOf, tokensOfEveryPadding } from '../support/tokens.ts';
import { eventually, World } from '../support/world.ts';
import { hostileCases } from './hostile-tokens.ts';
import { meaningOf, mutate } from './mutations.ts';

const HEADER = 'x-amzn-oidc-data';
const ROLES = ['agent', 'sessionBinding'] as const;
/** A route of each role that does not answer 401 to a user. */
const PATHS = { agent: '/sessions', sessionBinding: '/oauth2/connect' } as const;
const ACCEPTED = { agent: 200, sessionBinding: 400 } as const;
const MUTATIONS = 100_000;
const UNKNOWN_KIDS = 1_000;
const FORGED = 20_000;

const kidOf = (number: number): string => `00000000-0000-4000-8000-${number.toString(16).padStart(12, '0')}`;

describe('tokens of the load balancer', () => {
  let world: World;
  afterEach(() => world.close());

  /** Counts the requests to other services from now on, but for the one with which a task says that it is alive. */
  const counted = (): (() => number) => {
    const { agentCoreIdentity, bedrock, s3, gitHub } = world.stack;
    const all = [agentCoreIdentity, bedrock, s3, gitHub].map(({ faults }) =>
      faults.plan(/^(?!PUT \S*\/tasks\/)/, { kind: 'delay', ms: 0 }),
    );
    return () => all.reduce((sum, { met }) => sum + met, 0);
  };

  it('row 1: both roles refuse hostile tokens, and accept genuine tokens in every padding', async () => {
    world = await World.start();
    const refused = new Claim(
      1,
      'hostile tokens refused by both roles, without a call to another service',
      500,
    );
    const downstream = counted();
    const fetched = world.stack.loadBalancer.keyFetches();
    for (const role of ROLES) {
      for (const [name, headers] of hostileCases(world.stack)) {
        const { status, code } = await send(world.roles[role].url, PATHS[role], { headers });
        // A header of more than 80 KB, or with characters other than ASCII, does not reach the guard.
        const holds = code === 'unauthenticated' || code === 'headers_too_large';
        refused.check(`${role}: ${name}: ${String(status)} ${code ?? ''}`, holds && downstream() === 0);
      }
    }
    const fetches = new Claim(
      1,
      'key fetches for all of them: three per role, for our own kid and the two other valid kids',
      1,
    );
    const count = world.stack.loadBalancer.keyFetches() - fetched;
    fetches.check(`${String(count)} fetches`, count === ROLES.length * 3);
    const accepted = new Claim(1, 'genuine tokens in all nine paddings accepted by both roles', 18);
    for (const role of ROLES) {
      for (const [padding, token] of tokensOfEveryPadding(world.stack)) {
        const { status } = await send(world.roles[role].url, PATHS[role], { headers: [[HEADER, token]] });
        accepted.check(`${role}: ${padding}: ${String(status)}`, status === ACCEPTED[role]);
      }
    }
    refused.finish();
    fetches.finish();
    accepted.finish();
  });

  it('row 2: seeded random mutations are never accepted, and cause no server error', async () => {
    world = await World.start();
    const claim = new Claim(2, 'random mutations of genuine tokens: none accepted, no 5xx', MUTATIONS);
    const random = new Random(20_261_122);
    const genuine = [...tokensOfEveryPadding(world.stack).values()];
    const tokens = function* (): Generator<readonly [number, string]> {
      for (let count = 0; count < MUTATIONS;) {
        const original = random.pick(genuine);
        const token = mutate(original, random);
        if (genuine.some((each) => meaningOf(each) === meaningOf(token))) continue;
        yield [count, token];
        count += 1;
      }
    };
    await inParallel(tokens(), async ([count, token]) => {
      const role = ROLES[count % 2] ?? 'agent';
      const { status, code } = await send(world.roles[role].url, PATHS[role], { headers: [[HEADER, token]] });
      claim.check(
        () => `${role} ${String(status)} ${code ?? ''}: ${token}`,
        code === 'unauthenticated' || code === 'sign_in_throttled',
      );
    });
    claim.finish();
  }, 180_000);

  it('row 4: unknown kids cause at most 30 key fetches in a minute, and do not affect known users', async () => {
    world = await World.start();
    const { url } = world.roles.agent;
    const sendToken = (token: string): ReturnType<typeof send> =>
      send(url, PATHS.agent, { headers: [[HEADER, token]] });
    expect((await sendToken(tokenOf(world.stack))).status).toBe(200);
    const fetched = world.stack.loadBalancer.keyFetches();
    const refused = new Claim(4, 'unknown kids refused', UNKNOWN_KIDS);
    const known = new Claim(4, 'requests with a known key served during the flood', 100);
    const numbers = Array.from({ length: UNKNOWN_KIDS }, (_, index) => index);
    await inParallel(numbers, async (number) => {
      const { status, code } = await sendToken(tokenOf(world.stack, { header: { kid: kidOf(number) } }));
      refused.check(
        `${String(number)}: ${String(status)} ${code ?? ''}`,
        status === 401 || code === 'sign_in_throttled',
      );
      if (number % 10 === 0)
        known.check(`beside ${String(number)}`, (await sendToken(tokenOf(world.stack))).status === 200);
    });
    const limit = new Claim(4, 'key fetches in the minute of the flood: at most 30', 1);
    const fetches = world.stack.loadBalancer.keyFetches() - fetched;
    limit.check(`${String(fetches)} fetches`, fetches <= 30);
    refused.finish();
    known.finish();
    limit.finish();
  });

  it('row 4: while the key host is down, requests with an uncached key get 503 within 3 s, and those with a cached key are served', async () => {
    world = await World.start();
    const claim = new Claim(
      4,
      'key host down: 503 within 3 s with an uncached key, normal answers with a cached key',
      16,
    );
    const { keyFaults } = world.stack.loadBalancer;
    let number = 0;
    for (const role of ROLES) {
      const { url } = world.roles[role];
      keyFaults.clear();
      const ask = (token: string): ReturnType<typeof send> =>
        send(url, PATHS[role], { headers: [[HEADER, token]] });
      expect((await ask(tokenOf(world.stack))).status).toBe(ACCEPTED[role]);
      for (const fault of [
        { kind: 'reset' },
        { kind: 'hang' },
        { kind: 'answer', status: 500 },
        { kind: 'answer', status: 200, body: '<html>' },
      ] as const) {
        keyFaults.clear();
        const planned = keyFaults.plan(/./, fault);
        // A key host that has failed is not asked for a second.
        await delay(1_000);
        const startedAt = performance.now();
        number += 1;
        const uncached = await ask(tokenOf(world.stack, { header: { kid: kidOf(number) } }));
        const ms = performance.now() - startedAt;
        claim.check(
          `${role} ${fault.kind}: ${String(uncached.status)} after ${ms.toFixed(0)} ms`,
          uncached.status === 503 && ms <= 3_000 && planned.met === 1,
        );
        claim.check(
          `${role} ${fault.kind}: cached`,
          (await ask(tokenOf(world.stack))).status === ACCEPTED[role],
        );
      }
    }
    claim.finish();
  });

  it('row 4: after 20,000 forged tokens of 8 KB, at most 5 MB more memory is in use', async () => {
    world = await World.start();
    const folder = mkdtempSync(join(tmpdir(), 'onbehalf-heap-'));
    const file = join(folder, 'heap');
    const role = await startRole('agent', {
      environment: {
        ...world.stack.environment('agent'),
        LOG_LEVEL: 'fatal',
        NODE_OPTIONS: '--import ./test/support/report-heap.mjs',
        REPORT_HEAP: file,
      },
    });
    try {
      const heap = async (): Promise<number> => {
        const count = heaps(file).length;
        role.process.kill('SIGUSR2');
        await eventually(() => heaps(file).length > count);
        return heaps(file).at(-1) ?? Number.NaN;
      };
      await flood(role, 2_000);
      const before = await heap();
      const claim = new Claim(
        4,
        'forged tokens of 8 KB refused; together they retain at most 5 MB of memory',
        FORGED,
      );
      const refused = await flood(role, FORGED);
      const retained = ((await heap()) - before) / 1_048_576;
      for (const holds of refused) claim.check(`retained ${retained.toFixed(1)} MB`, holds && retained <= 5);
      claim.finish();
    } finally {
      await role.stop();
      rmSync(folder, { recursive: true });
    }
  }, 120_000);

  /** Sends forged tokens, each with its own issuer, kid and 8 KB of text, and returns for each whether it was refused. */
  const flood = async (role: RoleProcess, count: number): Promise<readonly boolean[]> => {
    const refused: boolean[] = [];
    const genuine = tokenOf(world.stack).split('.')[2] ?? '';
    const encode = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
    await inParallel(
      Array.from({ length: count }, (_, index) => index),
      async (index) => {
        const iss = `https://evil-${String(index)}.example`;
        const header = encode({
          typ: 'JWT',
          alg: 'ES256',
          kid: kidOf(index),
          iss,
          client: 'x',
          signer: `arn:${String(index)}`,
          exp: 9e9,
        });
        const token = `${header}.${encode({ sub: 'x', iss, filler: String(index).padEnd(5_800, 'x') })}.${genuine}`;
        refused.push((await send(role.url, PATHS.agent, { headers: [[HEADER, token]] })).status === 401);
      },
    );
    return refused;
  };
});

function heaps(file: string): number[] {
  try {
    return readFileSync(file, 'utf8').trim().split('\n').map(Number);
  } catch {
    return [];
  }
}
