import type { HttpBrowser } from '../../local/lib/http-browser.ts';
import { connectUrlOf, type World } from './world.ts';

/** Signs Alice in, who connects GitHub with the scopes that her message needs: by default those for issues. */
export async function connectAlice(
  world: World,
  message = 'List my repositories on GitHub',
): Promise<HttpBrowser> {
  const alice = await world.signIn('alice@example.com');
  const paused = await world.ask(alice, 'consent', message);
  await world.consent(alice, connectUrlOf(paused), 'alice-octo');
  await world.resume(alice, 'consent', ['interrupt-1']);
  return alice;
}
