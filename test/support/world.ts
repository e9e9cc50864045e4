import { setTimeout as delay } from 'node:timers/promises';
import { startBothRoles, type BothRoles } from '../../local/lib/both-roles.ts';
import { consentUpToBinding } from '../../local/lib/consent.ts';
import { USERS } from '../../local/identity-provider/users.ts';
import { HttpBrowser, type Answer } from '../../local/lib/http-browser.ts';
import { invoke, type Invocation } from '../../local/lib/invoke.ts';
import { startStack, type LocalStack, type StackOptions } from '../../local/stack.ts';
import { otherBucket } from './other-s3.ts';

const LEASES = 'tasks/';

/** A local stack with both roles, and a clock that tests can move forward. */
export class World {
  readonly stack: LocalStack;
  readonly roles: BothRoles;
  readonly #clock: { offsetMs: number };

  private constructor(stack: LocalStack, roles: BothRoles, clock: { offsetMs: number }) {
    this.stack = stack;
    this.roles = roles;
    this.#clock = clock;
  }

  /** @param entry a program for the agent role instead of `dist/main.js` */
  static async start(
    options: StackOptions = {},
    { environment = {}, entry }: { environment?: Readonly<Record<string, string>>; entry?: string } = {},
  ): Promise<World> {
    const clock = { offsetMs: 0 };
    const started = await startStack({ ...options, now: () => Date.now() + clock.offsetMs });
    const address: Record<string, string> =
      otherBucket === undefined ? {} : { AWS_ENDPOINT_URL_S3: otherBucket.url };
    const stack: LocalStack = {
      ...started,
      environment: (role) => ({ ...started.environment(role), ...address, ...environment }),
    };
    const roles = await startBothRoles(stack, entry === undefined ? {} : { agentEntry: entry });
    return new World(stack, roles, clock);
  }

  get url(): string {
    return this.stack.loadBalancer.url;
  }

  /** Moves the clocks of AgentCore Identity and GitHub forward. */
  advance(ms: number): void {
    this.#clock.offsetMs += ms;
  }

  /**
   * Empties every part, and sets the clock back. Sessions of browsers end. The leases of the tasks stay: without its lease, a
   * task is dead to every other program until it renews it.
   */
  async reset(): Promise<void> {
    this.#clock.offsetMs = 0;
    const { store } = this.stack.s3;
    const leases = store.all().filter(({ key }) => key.startsWith(LEASES));
    await this.stack.reset();
    await otherBucket?.empty(LEASES);
    for (const { bucket, key, body } of leases) store.put(bucket, key, body, {});
  }

  async signIn(username: string): Promise<HttpBrowser> {
    const browser = new HttpBrowser();
    await browser.signIn(this.url, username);
    return browser;
  }

  ask(browser: HttpBrowser, sessionId: string, message: string): Promise<Invocation> {
    return invoke(browser, this.url, { sessionId, message });
  }

  resume(browser: HttpBrowser, sessionId: string, interruptIds: readonly string[]): Promise<Invocation> {
    const resume = interruptIds.map((interruptId) => ({ interruptId, status: 'resolved' }));
    return invoke(browser, this.url, { sessionId, resume });
  }

  /** Goes from the connect link to the page at the end. */
  async consent(
    browser: HttpBrowser,
    connectUrl: string,
    login: string,
    action = 'authorize',
  ): Promise<Answer> {
    return browser.navigate(await this.consentUpToBinding(browser, connectUrl, login, action));
  }

  /** Goes from the connect link to the address that the browser comes back to, without opening it. */
  async consentUpToBinding(
    browser: HttpBrowser,
    connectUrl: string,
    login: string,
    action = 'authorize',
  ): Promise<string> {
    return consentUpToBinding(browser, connectUrl, login, action);
  }

  /** The content of the vault, to compare it before and after. */
  vault(): string {
    return JSON.stringify(this.stack.agentCoreIdentity.vault.grants());
  }

  async close(): Promise<void> {
    await this.roles.stop();
    await this.stack.close();
  }
}

export function connectUrlOf(invocation: Invocation, index = 0): string {
  const url = invocation.interrupts[index]?.metadata.connectUrl;
  if (url === undefined) throw new Error(`no connect link in: ${invocation.raw.slice(0, 2000)}`);
  return url;
}

/** The stored turns of a conversation that no segment has been written for, each as JSON. */
export async function storedTurns(stack: LocalStack, sessionId: string): Promise<string[]> {
  const stored = await workingSet(stack, sessionId);
  const set = JSON.parse(stored ?? '{}') as { readonly recent?: readonly unknown[] };
  return (set.recent ?? []).map((turn) => JSON.stringify(turn));
}

/** Whether a turn has its claim on a conversation. */
export async function isClaimed(stack: LocalStack, sessionId: string): Promise<boolean> {
  return (await workingSet(stack, sessionId))?.includes('"claim"') === true;
}

async function workingSet({ s3 }: LocalStack, sessionId: string): Promise<string | undefined> {
  const end = `/${sessionId}/working-set.json`;
  if (otherBucket !== undefined) return otherBucket.read(end);
  return s3.store
    .all()
    .find(({ key }) => key.endsWith(end))
    ?.body.toString();
}

/** Tells whether a condition becomes true in time. */
export async function comesToHold(
  holds: () => boolean | Promise<boolean>,
  withinMs = 5_000,
): Promise<boolean> {
  return eventually(holds, withinMs).then(
    () => true,
    () => false,
  );
}

/** Waits until a condition is true. Fails when it is not true in time. */
export async function eventually(holds: () => boolean | Promise<boolean>, withinMs = 5_000): Promise<void> {
  const deadline = Date.now() + withinMs;
  while (!(await holds())) {
    if (Date.now() > deadline) throw new Error('the condition did not become true in time');
    await delay(20);
  }
}

/** The subject by which the identity provider knows a user. */
export function subjectOf(username: string): string {
  const found = USERS.find((user) => user.username === username);
  if (found === undefined) throw new Error(`no such user: ${username}`);
  return found.sub;
}
