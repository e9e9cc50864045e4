import { fork, type ChildProcess } from 'node:child_process';
import { join } from 'node:path';
import { HttpBrowser } from '../lib/http-browser.ts';

/** The program that an environment is for: any AWS client, AWS's own sample in Python, or a program of OnBehalf. */
export type EnvironmentOwner = 'aws' | 'aws-sample' | 'agent' | 'session-binding' | 'operator';

/** What a stack is started with. */
export interface StackOptions {
  /** The path of a stack.json, or its content. The parts listen on free ports: `port` is ignored, `ports` is not. */
  readonly config?: string | object;
}

/** The addresses of the parts that were started. */
export interface Parts {
  readonly loadBalancer?: string;
  readonly identityProvider?: string;
  readonly agentCoreIdentity?: string;
  /** By id, such as `github`. */
  readonly providers: Readonly<Record<string, string>>;
  readonly bedrock?: string;
  readonly s3?: string;
  readonly account?: string;
}

/** A user of the identity provider. */
export interface User {
  readonly username: string;
  readonly sub: string;
}

/** What happens to a request instead of its answer, or before it. */
export type Fault =
  | { readonly kind: 'reset' | 'hang' | 'stall' | 'truncate' | 'unanswered' }
  | { readonly kind: 'drip'; readonly everyMs: number }
  | { readonly kind: 'delay' | 'clock'; readonly ms: number }
  | {
      readonly kind: 'answer';
      readonly status: number;
      readonly headers?: Readonly<Record<string, string>>;
      readonly body?: string;
    };

/** A fault, and the requests that meet it. */
export interface FaultPlan {
  /** `agentcore-identity`, `bedrock`, `s3`, `github`, …: `GET /faults` lists the parts, their operations and actions. */
  readonly part: string;
  /** An operation of the part, such as `GetResourceOauth2Token`. */
  readonly operation?: string;
  /** In the place of an operation: a regular expression for `METHOD /path`. */
  readonly path?: string;
  readonly fault: Fault;
  /** How many requests meet it; all when absent. */
  readonly times?: number;
}

/** How a user answers at a provider. */
export interface Consent {
  /** The account at the provider, such as `alice-octo`. */
  readonly login: string;
  /** Default `authorize`. */
  readonly action?: 'authorize' | 'cancel';
}

/** A request to a part, and its answer. Secrets are hidden. */
export interface RecordedRequest {
  readonly id: number;
  readonly from: string;
  readonly to: string;
  /** `METHOD /path`. */
  readonly line: string;
  readonly request: { readonly headers: Readonly<Record<string, string>>; readonly body: string };
  /** Absent while there is no answer; 0 where the connection broke. */
  readonly status?: number;
  readonly ms?: number;
  readonly response?: { readonly headers: Readonly<Record<string, string>>; readonly body: string };
}

/** The answers to what AWS leaves open: all of one kind, or some by their names. */
export type Behaviour = 'strict' | 'lenient' | Readonly<Record<string, string | boolean>>;

/** A stack in a process of its own, which ends with the process of the tests. */
export interface Stack {
  /** The address of the fault board, and of `/__stack`. */
  readonly url: string;
  readonly parts: Parts;
  readonly users: readonly User[];
  /** The environment of a program on the stack: `Object.assign(process.env, stack.environment())`. */
  environment(owner?: EnvironmentOwner): Record<string, string>;
  /** Opens an authorization URL as a user, and returns the address to which the browser comes back. It is not opened. */
  consent(authorizationUrl: string, answer: Consent): Promise<URL>;
  /** Signs a user in at the load balancer, and returns the header `cookie`. */
  signIn(username: string, path?: string): Promise<string>;
  /** Plans a fault. A reset removes it. */
  fail(plan: FaultPlan): Promise<void>;
  /** Plays an action of the fault board once: `act('github', 'revoke-tokens', { login: 'alice-octo' })`. */
  act(
    part: string,
    action: string,
    chosen?: { readonly login?: string; readonly seconds?: number },
  ): Promise<void>;
  /** Puts the clock of the parts forward. */
  advance(milliseconds: number): Promise<void>;
  /** Sets how AgentCore Identity behaves where AWS documents nothing. */
  choose(behaviour: Behaviour): Promise<void>;
  /** The last 2,000 requests to the parts since the start or the last reset, except those to STS and KMS. */
  requests(): Promise<readonly RecordedRequest[]>;
  snapshot(): Promise<unknown>;
  restore(snapshot: unknown): Promise<void>;
  /** Sets the parts back to their start: tokens, objects, registrations, faults, clock, requests. Sign-ins stay. */
  reset(): Promise<void>;
  close(): Promise<void>;
}

interface State {
  readonly parts: Parts;
  readonly users?: readonly User[];
  readonly environment: Readonly<Record<EnvironmentOwner, Record<string, string>>>;
}

const PROCESS = 'stack-process.js';
const SESSION_COOKIE = 'AWSELBAuthSessionCookie-0=';

/**
 * Starts the stack in a process of its own.
 *
 * @throws Error with the sentence of the stack when it cannot start
 */
export async function startStack(options: StackOptions = {}): Promise<Stack> {
  // A test runner's own options are not for this process.
  const child = fork(join(import.meta.dirname, PROCESS), { execArgv: [] });
  const url = await begun(child, options);
  const state = (await (await fetch(`${url}/__stack`)).json()) as State;
  // The stack does not keep the tests' process alive, and ends with it.
  child.unref();
  child.channel?.unref();
  return stackOf(child, url, state);
}

async function begun(child: ChildProcess, options: StackOptions): Promise<string> {
  return new Promise((resolve, reject) => {
    child.once('message', (told: { readonly url: string } | { readonly failed: string }) => {
      if ('url' in told) {
        resolve(told.url);
        return;
      }
      child.disconnect();
      reject(new Error(told.failed));
    });
    child.once('exit', (code) => {
      reject(new Error(`The stack has ended with ${String(code)} before it was ready.`));
    });
    child.send(options);
  });
}

function stackOf(child: ChildProcess, url: string, { parts, users = [], environment }: State): Stack {
  const ask = (method: string, path: string, body?: unknown): Promise<Response> =>
    send(method, url + path, body);
  return {
    url,
    parts,
    users,
    environment: (owner = 'aws') => ({ ...environment[owner] }),
    consent: (authorizationUrl, answer) => consent(parts, authorizationUrl, answer),
    signIn: (username, path = '/') => signIn(parts, username, path),
    fail: async (plan) => {
      await ask('POST', '/faults', plan);
    },
    act: async (part, action, chosen) => {
      await ask('POST', `/faults/actions/${part}/${action}`, chosen ?? {});
    },
    advance: async (milliseconds) => {
      await ask('POST', '/__stack/clock', { advanceMs: milliseconds });
    },
    choose: async (behaviour) => {
      await ask('PUT', '/__stack/behaviour', { behaviour });
    },
    requests: async () => {
      const lines = (await (await ask('GET', '/__stack/requests')).text()).split('\n');
      return lines.filter((line) => line !== '').map((line) => JSON.parse(line) as RecordedRequest);
    },
    snapshot: async () => (await (await ask('GET', '/__stack/snapshot')).json()) as unknown,
    restore: async (snapshot) => {
      await ask('PUT', '/__stack/snapshot', snapshot);
    },
    reset: async () => {
      await ask('POST', '/__stack/reset');
    },
    close: () => ended(child),
  };
}

/** @throws Error with the sentence of a refusal */
async function send(method: string, url: string, body?: unknown): Promise<Response> {
  const answer = await fetch(url, {
    method,
    ...(body !== undefined && {
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    }),
  });
  if (answer.ok) return answer;
  const { message } = (await answer.json()) as { readonly message: string };
  throw new Error(`The stack refuses ${method} ${new URL(url).pathname}: ${message}`);
}

async function consent(parts: Parts, authorizationUrl: string, { login, action }: Consent): Promise<URL> {
  const own = [parts.agentCoreIdentity, ...Object.values(parts.providers)];
  const leaves = (url: string): boolean => !own.includes(new URL(url).origin);
  const browser = new HttpBrowser();
  const accounts = await browser.navigate(authorizationUrl, leaves);
  if (leaves(accounts.url))
    throw new Error(`The authorization URL leads to ${accounts.url}, which is no provider of this stack.`);
  if (accounts.status !== 200)
    throw new Error(`The authorization URL answers ${String(accounts.status)}: ${accounts.url}`);
  const question = await browser.submitAndFollow(accounts, { login }, leaves);
  if (question.url === accounts.url && question.text.includes('name="login"'))
    throw new Error(`There is no account ${login} at ${new URL(question.url).origin}.`);
  const back = await browser.submitAndFollow(question, { action: action ?? 'authorize' }, leaves);
  if (!leaves(back.url))
    throw new Error(
      `The browser did not come back; it shows ${back.url} with status ${String(back.status)}.`,
    );
  return new URL(back.url);
}

async function signIn({ loadBalancer }: Parts, username: string, path: string): Promise<string> {
  if (loadBalancer === undefined) throw new Error('This stack has no load balancer.');
  const browser = new HttpBrowser();
  const chooser = await browser.navigate(loadBalancer + path);
  if (new URL(chooser.url).origin === loadBalancer)
    throw new Error(`${path} leads to no sign-in; it answers ${String(chooser.status)}.`);
  const back = await browser.submitAndFollow(chooser, { username });
  const cookie = await browser.jar.getCookieString(loadBalancer + path);
  if (!cookie.includes(SESSION_COOKIE))
    throw new Error(`${username} was not signed in; the browser shows ${back.url}.`);
  return cookie;
}

function ended(child: ChildProcess): Promise<void> {
  return new Promise((resolve) => {
    if (child.exitCode !== null || child.signalCode !== null) {
      resolve();
      return;
    }
    child.ref();
    child.once('exit', () => {
      resolve();
    });
    if (child.connected) child.disconnect();
  });
}
