import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { playAttacks } from '../../local/demo/attacks.ts';
import { playFlow } from '../../local/demo/flow.ts';
import { Report } from '../../local/demo/report.ts';
import { AUDIT_ENVELOPE, AUDIT_EVENTS } from '../../src/audit/audit-events.js';
import { Claim } from '../support/assurance.ts';
import { auditLines, type AuditLine } from '../support/audit.ts';
import { eventually, subjectOf, World } from '../support/world.ts';

const CONSENT_IDS = ['user', 'sessionId', 'runId', 'interruptId', 'tool', 'provider', 'flow'] as const;
const CHAIN = ['consent_asked', 'consent_opened', 'consent_started', 'bound'] as const;

describe('the audit trail of the demo', () => {
  let world: World;
  let trail: readonly AuditLine[];
  beforeAll(async () => {
    world = await World.start();
    const report = new Report();
    const played = await playFlow(world.stack, report);
    await playAttacks(world.stack, world.roles, played, report);
    expect(report.end(0)).toBe(0);
    // The output of a process can arrive after its answer. At the end of the demo, both roles refuse a request.
    const roles = [world.roles.agent, world.roles.sessionBinding];
    await eventually(() =>
      roles.every((role) => auditLines(role).some(({ event }) => event === 'sign_in_refused')),
    );
    trail = [...auditLines(world.roles.agent), ...auditLines(world.roles.sessionBinding)].sort((a, b) =>
      String(a.time).localeCompare(String(b.time)),
    );
  });
  afterAll(() => world.close());

  const all = (event: AuditLine['event']): readonly AuditLine[] =>
    trail.filter((line) => line.event === event);
  const same = (a: AuditLine, b: AuditLine, names: readonly string[]): boolean =>
    names.every((name) => a[name] !== undefined && a[name] === b[name]);
  const isBefore = (a: AuditLine, b: AuditLine): boolean => String(a.time) <= String(b.time);
  /** The user who signed in for the request of a line. */
  const signedIn = (line: AuditLine): boolean =>
    all('signed_in').some((each) => same(each, line, ['requestId', 'user', 'role']) && isBefore(each, line));

  it('has the documented form', () => {
    const claim = new Claim(0, 'audit: lines of the demo, each in the documented form', 30);
    for (const line of trail) {
      const envelope = AUDIT_ENVELOPE.safeParse(line);
      const fields = Object.entries(line).filter(([name]) => !(name in AUDIT_ENVELOPE.shape));
      const isDocumented = AUDIT_EVENTS[line.event].safeParse(Object.fromEntries(fields)).success;
      claim.check(JSON.stringify(line), envelope.success && isDocumented);
    }
    claim.finish();
  });

  it('connects every tool call with the sign-in, without a gap', () => {
    const alice = subjectOf('alice@example.com');
    const calls = all('tool_called').filter(({ outcome }) => outcome === 'result');
    const claim = new Claim(0, 'audit: links of the chain from a tool call to the sign-in', 20);
    claim.check(`${String(calls.length)} calls`, calls.length === 2);
    for (const call of calls) {
      const [token] = all('token_fetched').filter(
        (line) =>
          same(line, call, ['user', 'sessionId', 'runId', 'tool', 'requestId']) && isBefore(line, call),
      );
      claim.check(
        'the token of the call',
        token?.awsRequestId !== undefined && JSON.stringify(token.scopes) === '["read:user"]',
      );
      claim.check('the sign-in of the call', signedIn(call) && call.user === alice);
      const [bound] = all('bound').filter(
        (line) => same(line, call, ['user', 'sessionId', 'tool']) && isBefore(line, call),
      );
      claim.check('the binding', bound?.awsRequestId !== undefined);
      if (bound === undefined) continue;
      let before: AuditLine | undefined;
      for (const event of CHAIN) {
        const [step, ...more] = all(event).filter((line) => same(line, bound, CONSENT_IDS));
        claim.check(`${event}, once`, step !== undefined && more.length === 0);
        if (step === undefined) continue;
        claim.check(`the sign-in of ${event}`, signedIn(step));
        claim.check(
          `${event} in its order, for the same scopes`,
          (before === undefined || isBefore(before, step)) &&
            JSON.stringify(step.scopes) === JSON.stringify(bound.scopes),
        );
        before = step;
      }
    }
    claim.finish();
  });

  it('records every attack with its user and the reason for the refusal', () => {
    const claim = new Claim(0, 'audit: attacks of the demo, each recorded with its reason', 5);
    const refused = (
      event: AuditLine['event'],
      user: string | undefined,
      code: string,
      reason: string,
    ): void => {
      const found = trail.filter(
        (line) => line.event === event && line.user === user && line.code === code && line.reason === reason,
      );
      claim.check(`${event} ${code} ${reason}`, found.length > 0);
    };
    const carol = subjectOf('carol@example.com');
    refused('consent_refused', carol, 'flow_wrong_account', 'ticket_of_another_user');
    refused('binding_refused', carol, 'flow_wrong_browser', 'no_flow_cookie');
    refused('binding_refused', subjectOf('alice@example.com'), 'flow_wrong_browser', 'no_flow_cookie');
    refused('sign_in_refused', undefined, 'unauthenticated', 'token_unknown_key');
    claim.check(
      'both roles refused the forged token',
      new Set(all('sign_in_refused').map(({ role }) => role)).size === 2,
    );
    claim.finish();
  });
});
