import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { HttpBrowser } from '../../local/lib/http-browser.ts';
import { connectUrlOf, World } from './world.ts';

/** A world whose agent can also write issues, and Alice, who has connected GitHub for that. */
export interface IssuesAgent {
  readonly world: World;
  readonly alice: HttpBrowser;
  close(): Promise<void>;
}

export async function startIssuesAgent(): Promise<IssuesAgent> {
  const folder = mkdtempSync(join(tmpdir(), 'onbehalf-issues-'));
  const environment = { RECORD_EGRESS: join(folder, 'egress') };
  const world = await World.start({}, { entry: 'test/support/agent-with-issues.mjs', environment });
  const alice = await world.signIn('alice@example.com');
  const paused = await world.ask(alice, 'consent', 'List my repositories on GitHub');
  await world.consent(alice, connectUrlOf(paused), 'alice-octo');
  await world.resume(alice, 'consent', ['interrupt-1']);
  const close = async (): Promise<void> => {
    await world.close();
    rmSync(folder, { recursive: true });
  };
  return { world, alice, close };
}
