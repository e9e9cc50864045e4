import { consentUpToBinding } from '../lib/consent.ts';
import type { HttpBrowser } from '../lib/http-browser.ts';
import { invoke, type Invocation } from '../lib/invoke.ts';
import type { LocalStack } from '../stack.ts';
import type { Report } from './report.ts';

const SESSION = 'demo-write';
const REPOSITORY = ['alice-octo', 'tram-times'] as const;
const TITLE = 'The lamp at the stop is broken';

/** Plays a write: the user sees the data to send, approves exactly this call, and it is done once. */
export async function playWrite(stack: LocalStack, report: Report, alice: HttpBrowser): Promise<void> {
  const { url } = stack.loadBalancer;
  const answer = (paused: Invocation, payload?: object): Promise<Invocation> => {
    const interruptId = paused.interrupts[0]?.id;
    return invoke(alice, url, {
      sessionId: SESSION,
      resume: [{ interruptId, status: 'resolved', ...(payload !== undefined && { payload }) }],
    });
  };
  report.heading('A write needs an approval');
  report.step(
    'write',
    'Browser → agent role → browser',
    'Alice asks for an issue at GitHub; the run pauses, and shows the data to send.',
  );
  const message = `Open an issue in ${REPOSITORY.join('/')}: "${TITLE}"`;
  const asked = await invoke(alice, url, { sessionId: SESSION, message });
  const [approval] = asked.interrupts;
  const [owner, repo] = REPOSITORY;
  report.check(
    'the interrupt asks for an approval of exactly this input',
    approval?.reason === 'approval_required' &&
      JSON.stringify(approval.metadata.input) === JSON.stringify({ owner, repo, title: TITLE }),
  );
  report.check('it names the account that will act', approval?.metadata.account === 'alice-octo');
  const consent = await answer(asked, { approved: true });
  report.check(
    'approved, it needs one more consent: for the scope repo',
    consent.interrupts[0]?.reason === 'authorization_required' &&
      JSON.stringify(consent.interrupts[0].metadata.scopes) === '["repo"]',
  );
  const connectUrl = consent.interrupts[0]?.metadata.connectUrl ?? '';
  await alice.navigate(await consentUpToBinding(alice, connectUrl, 'alice-octo', 'authorize'));
  report.check('nothing has been written so far', (await issuesOf(stack)).length === 0);
  const done = await answer(consent);
  report.check('then it is done', done.last?.outcome?.type === 'success' && done.text.includes(TITLE));
  report.check('GitHub has the issue, once', (await issuesOf(stack)).join() === TITLE);
  const again = await answer(asked, { approved: true });
  report.check('the same approval again is refused', again.status === 409);
  report.check('and GitHub still has one issue', (await issuesOf(stack)).length === 1);
}

/** The titles of the issues at GitHub, read with a token that may see them. */
async function issuesOf({ gitHub }: LocalStack): Promise<readonly string[]> {
  const token = gitHub.grants
    .accessTokens()
    .find((each) => gitHub.grants.inspect(each)?.scopes.includes('repo') === true);
  const response = await fetch(`${gitHub.apiBase}/repos/${REPOSITORY.join('/')}/issues`, {
    headers: { authorization: `Bearer ${token ?? ''}` },
  });
  const issues = (await response.json()) as readonly { readonly title: string }[];
  return issues.map(({ title }) => title);
}
