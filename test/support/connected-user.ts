import type { HttpBrowser } from '../../local/lib/http-browser.ts';
import { connectUrlOf, World } from './world.ts';

/** A world in which Alice has connected GitHub with the scope for issues. */
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
