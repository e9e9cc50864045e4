// Plays a user who tries the provider of docs/extending.md, in a copy of the repository that has it.
import { startBothRoles } from '../../local/lib/both-roles.ts';
import { consentUpToBinding } from '../../local/lib/consent.ts';
import { HttpBrowser } from '../../local/lib/http-browser.ts';
import { invoke, type Invocation } from '../../local/lib/invoke.ts';
import { startStack } from '../../local/stack.ts';

const SESSION = 'trial';
const say = (line: string): void => {
  process.stdout.write(`${line}\n`);
};

const stack = await startStack();
const roles = await startBothRoles(stack);
try {
  await play();
} finally {
  await roles.stop();
  await stack.close();
}

async function play(): Promise<void> {
  const { url } = stack.loadBalancer;
  const alice = new HttpBrowser();
  await alice.signIn(url, 'alice@example.com');
  const ask = (message: string): Promise<Invocation> => invoke(alice, url, { sessionId: SESSION, message });
  const resume = ({ interrupts }: Invocation, payload?: object): Promise<Invocation> =>
    invoke(alice, url, {
      sessionId: SESSION,
      resume: interrupts.map(({ id }) => ({ interruptId: id, status: 'resolved', payload })),
    });
  const consent = async (paused: Invocation): Promise<string> => {
    const [interrupt] = paused.interrupts;
    const scopes = interrupt?.metadata.scopes;
    say(`consent for ${Array.isArray(scopes) ? scopes.join(', ') : 'nothing'}`);
    const connectUrl = interrupt?.metadata.connectUrl ?? '';
    const page = await alice.navigate(connectUrl);
    await alice.navigate(await consentUpToBinding(alice, connectUrl, 'alice-octo'));
    return page.text;
  };

  const reading = await ask('List my Jira tasks');
  const page = await consent(reading);
  const descriptions = ['View user profiles', 'View Jira issue data', 'Create and manage issues'];
  say(`shows: ${descriptions.filter((each) => page.includes(each)).join('; ')}`);
  const read = await resume(reading);
  say(`read: ${/TRAM-1/.exec(read.text)?.[0] ?? read.raw}`);

  const writing = await ask('Create the task "TRAM" "A new lamp"');
  const { input, account } = writing.interrupts[0]?.metadata ?? {};
  say(`approval of ${JSON.stringify(input)} as ${String(account)}`);
  const further = await resume(writing, { approved: true });
  await consent(further);
  const written = await resume(further);
  say(`written: ${/TRAM-2/.exec(written.text)?.[0] ?? written.raw}`);
}
