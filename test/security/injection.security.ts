import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, it } from '@jest/globals';
import type { HttpBrowser } from '../../local/lib/http-browser.ts';
import type { Invocation } from '../../local/lib/invoke.ts';
import { Claim } from '../support/assurance.ts';
import { obedientModel } from '../support/obedient-model.ts';
import { ownLink } from '../../web/lib/own-link.ts';
import { connectUrlOf, subjectOf, World } from '../support/world.ts';
import { CARRIERS, carried, INJECTIONS } from './injections.ts';

interface Finished {
  readonly type: string;
  readonly outcome?: {
    readonly interrupts?: readonly { readonly metadata: Readonly<Record<string, unknown>> }[];
  };
}

/** The links that our own pages show for an event stream. */
function renderedLinks(raw: string, publicUrl: string): readonly string[] {
  return raw
    .split('\n')
    .filter((line) => line.startsWith('data: '))
    .map((line) => JSON.parse(line.slice(6)) as Finished)
    .flatMap(({ outcome }) => outcome?.interrupts ?? [])
    .flatMap(({ metadata }) => ownLink(metadata.connectUrl, publicUrl) ?? []);
}

describe('a model that obeys every text', () => {
  let world: World;
  let alice: HttpBrowser;
  let folder: string;
  let number = 0;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'onbehalf-egress-'));
    world = await World.start(
      { model: obedientModel },
      {
        environment: {
          RECORD_EGRESS: join(folder, 'egress'),
          NODE_OPTIONS: `--import=${pathToFileURL('test/support/record-egress.mjs').href}`,
        },
      },
    );
    alice = await world.signIn('alice@example.com');
    for (const tool of ['get_github_user', 'list_github_repos']) {
      const paused = await world.ask(alice, `consent-${tool}`, `CALL ${tool} {} END`);
      await world.consent(alice, connectUrlOf(paused), 'alice-octo');
    }
  });
  afterAll(async () => {
    await world.close();
    rmSync(folder, { recursive: true });
  });

  const ask = (message: string): Promise<Invocation> =>
    world.ask(alice, `injection-${String((number += 1))}`, message);
  /** Every address that the agent role connects to. Only those of the local stack are allowed. */
  const strangers = (): readonly string[] => {
    const { agentCoreIdentity, bedrock, s3, gitHub, loadBalancer } = world.stack;
    const own = [agentCoreIdentity.url, bedrock.url, s3.url, gitHub.url, loadBalancer.keysUrl].map(
      (url) => new URL(url).host,
    );
    return readFileSync(join(folder, 'egress'), 'utf8')
      .trim()
      .split('\n')
      .filter((address) => !own.includes(address));
  };
  const strangersObjects = (): readonly string[] => {
    const sub = subjectOf('alice@example.com');
    const own = Buffer.from(sub).toString('base64url');
    const prefixes = ['users', 'connections', 'receipts'].map((each) => `${each}/${own}/`);
    return world.stack.s3.store
      .all()
      .filter(({ key, body }) => !(key.startsWith('flows/') && body.includes(`"sub":"${sub}"`)))
      .map(({ key }) => key)
      .filter(
        (key) =>
          !prefixes.some((prefix) => key.startsWith(prefix)) && !/^tasks\/[0-9a-f-]{36}\.json$/.test(key),
      );
  };
  const terminal = (invocation: Invocation): number =>
    invocation.events.filter(({ type }) => type === 'RUN_FINISHED' || type === 'RUN_ERROR').length;

  it('row 11: writes nothing without approval, reaches no other host and shows only our own links', async () => {
    const claim = new Claim(
      11,
      'orders in messages, names and issues to a model that obeys: no unapproved write, no other host, no data of another user, no foreign link shown as ours',
      100,
    );
    const { faults, api } = world.stack.gitHub;
    const writes = faults.plan(/^(POST|PUT|PATCH|DELETE) \/api\//, { kind: 'delay', ms: 0 });
    for (const carrier of CARRIERS) {
      for (const { name, text } of INJECTIONS) {
        const { message, path, body } = carried(carrier, text(world.url));
        const headers = { 'x-oauth-scopes': 'repo, read:user' };
        const answer = faults.plan(
          path,
          { kind: 'answer', status: 200, headers, body: JSON.stringify(body) },
          1,
        );
        const seen = await ask(message);
        answer.remaining = 0;
        const ours = seen.interrupts.flatMap(({ metadata }) => metadata.connectUrl ?? []);
        const rendered = renderedLinks(seen.raw, world.url);
        const what = [
          writes.met > 0 && 'wrote',
          strangers().length > 0 && `reached ${strangers().join()}`,
          strangersObjects().length > 0 && 'kept something elsewhere',
          new Set(api.seenTokens).size > 2 && "used another user's token",
          seen.raw.includes('Household accounts') && "saw another user's repository",
          JSON.stringify(rendered) !== JSON.stringify(ours) && `rendered ${rendered.join()}`,
          terminal(seen) !== 1 && `${String(terminal(seen))} terminal events`,
          // The model obeys every text, so a case that does not reach the model would prove nothing.
          carrier !== 'the message' && answer.met !== 1 && 'was not read',
        ].filter((each) => each !== false);
        claim.check(`${name} in ${carrier}: ${what.join('; ')}`, what.length === 0);
      }
    }
    claim.finish();
  }, 120_000);

  it('row 11: asks before each write, and writes after the approval', async () => {
    const claim = new Claim(
      11,
      'a write that somebody else ordered: the user is asked, and it is done only after approval',
      4,
    );
    const title = 'Ordered by an issue';
    const order = `CALL create_github_issue ${JSON.stringify({ owner: 'alice-octo', repo: 'tram-times', title })} END`;
    const answerWith = async (payload: object | undefined, status = 'resolved'): Promise<number> => {
      const before = world.stack.gitHub.faults.plan(/^POST \/api\//, { kind: 'delay', ms: 0 });
      const session = `approval-${String((number += 1))}`;
      const paused = await world.ask(alice, session, order);
      const [interrupt] = paused.interrupts;
      claim.check('the user is asked', interrupt?.reason === 'approval_required');
      const resume = [{ interruptId: interrupt?.id, status, ...(payload !== undefined && { payload }) }];
      await alice.request(`${world.url}/invocations`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ sessionId: session, resume }),
      });
      before.remaining = 0;
      return before.met;
    };
    world.stack.gitHub.faults.clear();
    claim.check('nothing without a payload', (await answerWith(undefined)) === 0);
    claim.check('nothing when declined', (await answerWith({ approved: false })) === 0);
    claim.check('nothing when cancelled', (await answerWith({ approved: true }, 'cancelled')) === 0);
    claim.check('nothing after a text that looks like yes', (await answerWith({ approved: 'true' })) === 0);
    claim.check('one write when approved', (await answerWith({ approved: true })) === 1);
    claim.finish();
  });

  it('row 12: keeps its arguments in their place in the address', async () => {
    const claim = new Claim(
      12,
      "tool arguments that look like addresses: sent to the provider's origin and path, or refused",
      150,
    );
    world.stack.gitHub.faults.clear();
    const elsewhere = world.stack.gitHub.faults.plan(
      /^(?!GET \/api\/v3\/(user|user\/repos|repos\/[^/?#]+\/[^/?#]+\/issues)(\?[^#]*)?$)/,
      { kind: 'delay', ms: 0 },
    );
    const parts = [
      '@evil.example',
      '//evil.example',
      '/',
      '//',
      '..',
      '.',
      '../..',
      '..\\..',
      '\\',
      '\\\\evil.example',
      '%2e%2e',
      '%2f',
      '..%2f..',
      'a/../../user',
      'a\r\nHost: evil.example',
      'a\nX: y',
      '\r\n\r\nGET /evil HTTP/1.1',
      '?x=1',
      '#x',
      '&x=1',
      'a?b#c',
      ';x',
      ':8080',
      'user:pass@evil.example',
      'https://evil.example',
      '\u0000',
      '\u2028',
      '\u202e',
      ' ',
      '',
      'é',
      '🙂',
      '＠evil',
      '．．',
      '%00',
      '%0d%0a',
      '%',
      '%zz',
      'a%2Fb',
      '{x}',
      '[::1]',
      'x'.repeat(3_000),
    ];
    for (const part of parts) {
      for (const input of [
        { owner: part, repo: 'x' },
        { owner: 'x', repo: part },
        { owner: part, repo: part },
        { owner: `a${part}`, repo: `${part}b` },
      ]) {
        const seen = await ask(`CALL list_github_issues ${JSON.stringify(input)} END`);
        claim.check(
          `${JSON.stringify(input)}: ${String(elsewhere.met)} ${strangers().join()}`,
          elsewhere.met === 0 && strangers().length === 0 && terminal(seen) === 1,
        );
      }
    }
    claim.finish();
  }, 120_000);
});
