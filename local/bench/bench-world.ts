import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { USERS } from '../identity-provider/users.ts';
import { consentUpToBinding } from '../lib/consent.ts';
import { HttpBrowser } from '../lib/http-browser.ts';
import { invoke, toInvocation, type Invocation } from '../lib/invoke.ts';
import { startRole, type RoleName, type RoleProcess } from '../lib/role-process.ts';
import { startStack, type LocalStack } from '../stack.ts';
import { benchModel } from './bench-model.ts';

/** A turn as its client has seen it. */
export interface Measured extends Invocation {
  /** From the request to the first text of the answer. */
  readonly firstTextMs: number;
}

const CONSENTS = ['Who am I on GitHub?', 'List my repositories on GitHub'];
const LOGIN = 'alice-octo';
const CPU_WITHIN_MS = 5_000;

/** The local stack with two agent tasks, each addressed directly, and a user whose account is connected. */
export class BenchWorld {
  readonly stack: LocalStack;
  /** The task that serves most turns, and another one. */
  readonly tasks: readonly [RoleProcess, RoleProcess];
  readonly #sessionBinding: RoleProcess;
  readonly #folder: string;

  private constructor(
    stack: LocalStack,
    [first, second, sessionBinding]: readonly [RoleProcess, RoleProcess, RoleProcess],
    folder: string,
  ) {
    [this.stack, this.tasks, this.#sessionBinding, this.#folder] = [
      stack,
      [first, second],
      sessionBinding,
      folder,
    ];
  }

  static async start(): Promise<BenchWorld> {
    const stack = await startStack();
    const folder = mkdtempSync(join(tmpdir(), 'onbehalf-bench-'));
    const agent = stack.environment('agent');
    const NODE_OPTIONS = '--import ./local/bench/report-cpu.mjs';
    const started: RoleProcess[] = [];
    const start = async (
      role: RoleName,
      environment: Readonly<Record<string, string>>,
    ): Promise<RoleProcess> => {
      const task = await startRole(role, { environment });
      started.push(task);
      return task;
    };
    try {
      const first = await start('agent', { ...agent, NODE_OPTIONS, REPORT_CPU: join(folder, 'cpu') });
      const second = await start('agent', agent);
      const binding = await start('session-binding', stack.environment('session-binding'));
      stack.loadBalancer.register({ agent: [first.url], 'session-binding': [binding.url] });
      const world = new BenchWorld(stack, [first, second, binding], folder);
      await world.#connect();
      stack.bedrock.model = benchModel;
      return world;
    } catch (error) {
      await Promise.all(started.map((task) => task.stop()));
      await stack.close();
      rmSync(folder, { recursive: true });
      throw error;
    }
  }

  /** Sends a request to a task, and reads the answer to its end. */
  async send(task: RoleProcess, body: object): Promise<Measured> {
    const sub = USERS[0]?.sub ?? '';
    const identity = this.stack.loadBalancer.identityHeaders({ claims: { sub }, accessToken: '' });
    const startedAt = performance.now();
    const answer = await fetch(`${task.url}/invocations`, {
      method: 'POST',
      headers: { ...identity, 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
    const decoder = new TextDecoder();
    let text = '';
    let firstTextMs = NaN;
    for await (const chunk of answer.body ?? []) {
      text += decoder.decode(chunk, { stream: true });
      if (Number.isNaN(firstTextMs) && text.includes('TEXT_MESSAGE_CONTENT'))
        firstTextMs = performance.now() - startedAt;
    }
    const invocation = toInvocation(answer.status, text);
    if (invocation.last?.type !== 'RUN_FINISHED') throw new Error(`A turn failed: ${text.slice(-500)}`);
    return { ...invocation, firstTextMs };
  }

  say(task: RoleProcess, sessionId: string, message: string): Promise<Measured> {
    return this.send(task, { sessionId, message });
  }

  /** The CPU time that the first task has used so far, in milliseconds. */
  async cpuMs(): Promise<number> {
    const lines = (): readonly string[] => {
      const file = join(this.#folder, 'cpu');
      return existsSync(file) ? readFileSync(file, 'utf8').trim().split('\n') : [];
    };
    const before = lines().length;
    this.tasks[0].process.kill('SIGUSR2');
    const until = Date.now() + CPU_WITHIN_MS;
    while (lines().length === before) {
      if (Date.now() > until) throw new Error('The task does not tell its CPU time.');
      await delay(10);
    }
    return Number(lines().at(-1));
  }

  async close(): Promise<void> {
    await Promise.all([...this.tasks, this.#sessionBinding].map((task) => task.stop()));
    await this.stack.close();
    rmSync(this.#folder, { recursive: true });
  }

  async #connect(): Promise<void> {
    const { url } = this.stack.loadBalancer;
    const browser = new HttpBrowser();
    await browser.signIn(url, USERS[0]?.username ?? '');
    for (const [index, message] of CONSENTS.entries()) {
      const paused = await invoke(browser, url, { sessionId: `consent-${String(index)}`, message });
      const link = paused.interrupts[0]?.metadata.connectUrl ?? '';
      await browser.navigate(await consentUpToBinding(browser, link, LOGIN));
    }
  }
}
