import type { HttpBrowser } from '../../local/lib/http-browser.ts';
import { connectUrlOf, World } from './world.ts';

/** A world, and Alice, who has connected GitHub with the scope that issues need. */
export interface ConnectedWorld {
  readonly world: World;
  readonly alice: HttpBrowser;
}

export async function startConnectedWorld(): Promise<ConnectedWorld> {
  const world = await World.start();
  const alice = await world.signIn('alice@example.com');
  const paused = await world.ask(alice, 'consent', 'List my repositories on GitHub');
  await world.consent(alice, connectUrlOf(paused), 'alice-octo');
  await world.resume(alice, 'consent', ['interrupt-1']);
  return { world, alice };
}
