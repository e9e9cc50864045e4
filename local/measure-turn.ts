import { build } from '../scripts/lib/build.mjs';
import { USERS } from './identity-provider/users.ts';
import { startBothRoles } from './lib/both-roles.ts';
import { consentUpToBinding } from './lib/consent.ts';
import { HttpBrowser } from './lib/http-browser.ts';
import { invoke } from './lib/invoke.ts';
import { startStack, type LocalStack } from './stack.ts';

/** The calls that one turn makes to the services around the agent. */
export interface MeasuredTurn {
  readonly modelCalls: number;
  readonly s3Puts: number;
  readonly s3Gets: number;
  readonly identityTokens: number;
  /** The bytes of both roles. */
  readonly logBytes: number;
}

const TURNS = 20;
const QUESTION = 'Who am I on GitHub?';

/** Counts the calls of twenty turns of one conversation, each with a tool call, after the consent. The result is per turn. */
export async function measureTurn(): Promise<MeasuredTurn> {
  await build();
  const stack = await startStack();
  try {
    const roles = await startBothRoles(stack);
    try {
      const { url } = stack.loadBalancer;
      const browser = new HttpBrowser();
      await browser.signIn(url, USERS[0]?.username ?? '');
      await consent(browser, url);
      const counted = counters(
        stack,
        () => roles.agent.output().length + roles.sessionBinding.output().length,
      );
      const before = counted();
      for (let turn = 0; turn < TURNS; turn += 1) {
        const answer = await invoke(browser, url, { sessionId: 'measured', message: QUESTION });
        if (answer.last?.outcome?.type !== 'success')
          throw new Error(`A turn failed: ${answer.raw.slice(0, 500)}`);
      }
      const after = counted();
      const each = (name: keyof MeasuredTurn): number => (after[name] - before[name]) / TURNS;
      return {
        modelCalls: each('modelCalls'),
        s3Puts: each('s3Puts'),
        s3Gets: each('s3Gets'),
        identityTokens: each('identityTokens'),
        logBytes: each('logBytes'),
      };
    } finally {
      await roles.stop();
    }
  } finally {
    await stack.close();
  }
}

function counters(stack: LocalStack, logBytes: () => number): () => MeasuredTurn {
  const seen = (path: RegExp): { readonly met: number } =>
    stack.s3.faults.plan(path, { kind: 'delay', ms: 0 });
  // S3 charges a listing like a write.
  const writes = seen(/^(PUT|POST) |list-type=2/);
  const reads = seen(/^GET /);
  return () => ({
    modelCalls: stack.bedrock.requests.length,
    s3Puts: writes.met,
    s3Gets: reads.met,
    identityTokens: stack.agentCoreIdentity.calls.filter(
      ({ operation }) => operation === 'GetResourceOauth2Token',
    ).length,
    logBytes: logBytes(),
  });
}

async function consent(browser: HttpBrowser, url: string): Promise<void> {
  const paused = await invoke(browser, url, { sessionId: 'consent', message: QUESTION });
  const link = paused.interrupts[0]?.metadata.connectUrl ?? '';
  await browser.navigate(await consentUpToBinding(browser, link, 'alice-octo'));
}
