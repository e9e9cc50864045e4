import { setTimeout as delay } from 'node:timers/promises';
import { startRole, type RoleProcess } from '../../local/lib/role-process.ts';
import type { LocalStack } from '../../local/stack.ts';
import type { Causes } from './causes.ts';
import type { Figures } from './figures.ts';
import type { HeapProbe } from './heap.ts';

/** So long a load balancer goes on sending requests to a task that is dead. */
const UNNOTICED_MS = 1_000;
/** ECS ends a task by force after 30 s. */
const LATEST_MS = 30_000;
const DEAD = 'SIGKILL';
/** Nine conversations of a user go on at once; the runs of another task, and of a dead one, count a little longer. */
const LIMITS = { RUNS_PER_USER: '30' };

/** Two agent tasks behind the load balancer: one that lives through the whole soak, and one that is killed and replaced. */
export class AgentTasks {
  readonly #stack: LocalStack;
  readonly #causes: Causes;
  readonly #figures: Figures;
  readonly #logs: string;
  readonly #survivor: RoleProcess;
  readonly #sessionBinding: RoleProcess;
  #other: RoleProcess;
  lastKill = 0;

  private constructor(
    { stack, causes, figures, logs }: TaskPlace,
    [survivor, other, sessionBinding]: readonly [RoleProcess, RoleProcess, RoleProcess],
  ) {
    [this.#stack, this.#causes, this.#figures, this.#logs] = [stack, causes, figures, logs];
    [this.#survivor, this.#other, this.#sessionBinding] = [survivor, other, sessionBinding];
    this.#register([survivor, other]);
  }

  static async start(place: TaskPlace, heap: HeapProbe): Promise<AgentTasks> {
    const { stack, logs } = place;
    const agent = agentEnvironment(stack);
    const started: RoleProcess[] = [];
    const start = async (...given: Parameters<typeof startRole>): Promise<RoleProcess> => {
      const task = await startRole(...given);
      started.push(task);
      return task;
    };
    try {
      const watched = { environment: { ...agent, ...heap.environment }, logFile: `${logs}/survivor.log` };
      const survivor = await start('agent', watched);
      const other = await start('agent', { environment: agent, logFile: `${logs}/others.log` });
      const binding = await start('session-binding', { environment: stack.environment('session-binding') });
      heap.watch(survivor.process);
      return new AgentTasks(place, [survivor, other, binding]);
    } catch (error) {
      await Promise.all(started.map((task) => task.stop()));
      throw error;
    }
  }

  /** Kills a task. The load balancer notices a little later, and then another task takes its place. */
  async kill(): Promise<void> {
    const end = this.#causes.begin('task killed');
    this.#figures.count('tasks killed');
    this.lastKill = Date.now();
    this.#other.process.kill(DEAD);
    await this.#other.exited;
    await delay(UNNOTICED_MS);
    this.#register([this.#survivor]);
    end();
    this.#other = await this.#startAnother();
    this.#register([this.#survivor, this.#other]);
  }

  /** Starts and registers a new task, and then ends the old one. */
  async replace(): Promise<void> {
    const old = this.#other;
    this.#other = await this.#startAnother();
    const end = this.#causes.begin('task replaced');
    this.#figures.count('tasks replaced');
    this.#register([this.#survivor, this.#other]);
    old.process.kill('SIGTERM');
    const startedAt = Date.now();
    const late = setTimeout(() => old.process.kill(DEAD), LATEST_MS);
    const code = await old.exited;
    clearTimeout(late);
    end();
    this.#figures.largest('replaced task ended after, at most (ms)', Date.now() - startedAt);
    if (code !== 0) this.#figures.break('tasks that did not end by themselves', `exit code ${String(code)}`);
  }

  /** A sentence for each task that has ended by itself. */
  broken(): readonly string[] {
    return [this.#survivor, this.#other, this.#sessionBinding]
      .filter(({ process }) => process.exitCode !== null)
      .map((task) => `exit code ${String(task.process.exitCode)}: ${task.output().slice(-500)}`);
  }

  async stop(): Promise<void> {
    await Promise.all([this.#survivor, this.#other, this.#sessionBinding].map((task) => task.stop()));
  }

  #startAnother(): Promise<RoleProcess> {
    return startRole('agent', {
      environment: agentEnvironment(this.#stack),
      logFile: `${this.#logs}/others.log`,
    });
  }

  #register(agents: readonly RoleProcess[]): void {
    this.#stack.loadBalancer.register({
      agent: agents.map(({ url }) => url),
      'session-binding': [this.#sessionBinding.url],
    });
  }
}

function agentEnvironment(stack: LocalStack): Readonly<Record<string, string>> {
  return { ...stack.environment('agent'), ...LIMITS };
}

export interface TaskPlace {
  readonly stack: LocalStack;
  readonly causes: Causes;
  readonly figures: Figures;
  /** A folder. */
  readonly logs: string;
}
