import { runInContext } from '../../context/index.js';

/** Makes a call that fails for two users in turn, five times in all: the circuit of what it calls is open then. */
export async function openCircuit(failing: () => Promise<unknown>): Promise<void> {
  for (const user of ['alice', 'bob', 'alice', 'bob', 'alice'])
    await runInContext({ requestId: 'request', user }, failing).catch(() => undefined);
}
