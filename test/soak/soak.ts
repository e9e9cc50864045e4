import { setTimeout as delay } from 'node:timers/promises';
import { USERS } from '../../local/identity-provider/users.ts';
import { consentUpToBinding } from '../../local/lib/consent.ts';
import { HttpBrowser } from '../../local/lib/http-browser.ts';
import { invoke } from '../../local/lib/invoke.ts';
import { startStack, type LocalStack } from '../../local/stack.ts';
import { Random } from '../support/random.ts';
import { Causes } from './causes.ts';
import { checkAnswer, checkConversation, checkWrites } from './checks.ts';
import { Client } from './client.ts';
import { Figures } from './figures.ts';
import { HeapProbe } from './heap.ts';
import { issuesByTitle } from './issues.ts';
import { soakModel } from './model.ts';
import { Player, type Owner } from './player.ts';
import { Storm } from './storm.ts';
import { AgentTasks } from './tasks.ts';
import { readLatest, readWhole } from './views.ts';

export interface SoakOptions {
  readonly minutes: number;
  readonly seed: number;
  /** A folder for logs and measurements. */
  readonly folder: string;
  readonly say: (line: string) => void;
}

const TURNS_PER_SECOND = 10;
/** A user may have ten runs in progress at one task. */
const CONVERSATIONS_PER_USER = 9;
const WORD_DELAY_MS = 10;
const PROGRESS_MS = 10_000;
const LOGINS = ['alice-octo', 'bob-octo', 'carol-octo'];
const PLACES = ['alice-octo/tram-times', 'bob-octo/sourdough', 'carol-octo/endgames'];
/** Each needs a consent for a scope of its own. */
const CONSENTS = ['Who am I on GitHub?', 'List my repositories on GitHub'];
/** One play of so many is compared with the store at once. */
const CHECKED_AT_ONCE = 10;
const SETTLING_MS = 70_000;
const FREE_WITHIN_MS = 20_000;

/** Users who play turns at two agent tasks, while parts fail and tasks die and are replaced. */
export class Soak {
  readonly figures: Figures;
  readonly heap: HeapProbe;
  readonly #options: SoakOptions;
  readonly #stack: LocalStack;
  readonly #tasks: AgentTasks;
  readonly #causes: Causes;
  readonly #random: Random;
  #players: readonly Player[] = [];
  readonly #plays = new Set<Promise<void>>();

  private constructor(
    options: SoakOptions,
    stack: LocalStack,
    {
      tasks,
      causes,
      figures,
      heap,
    }: { tasks: AgentTasks; causes: Causes; figures: Figures; heap: HeapProbe },
  ) {
    [this.#options, this.#stack, this.#tasks, this.#causes] = [options, stack, tasks, causes];
    [this.figures, this.heap, this.#random] = [figures, heap, new Random(options.seed)];
  }

  static async start(options: SoakOptions): Promise<Soak> {
    const stack = await startStack({ wordDelayMs: WORD_DELAY_MS });
    try {
      const causes = new Causes();
      const figures = new Figures(causes, options.say);
      const heap = new HeapProbe(`${options.folder}/heap`);
      const tasks = await AgentTasks.start({ stack, causes, figures, logs: options.folder }, heap);
      return new Soak(options, stack, { tasks, causes, figures, heap });
    } catch (error) {
      await stack.close();
      throw error;
    }
  }

  /** Plays for the time that was asked for, or until the signal aborts; then checks everything that is stored. */
  async run(signal: AbortSignal): Promise<void> {
    await this.#seat();
    const over = AbortSignal.any([signal, AbortSignal.timeout(this.#options.minutes * 60_000)]);
    const { figures } = this;
    const storm = new Storm(this.#stack, this.#tasks, {
      causes: this.#causes,
      figures,
      random: new Random(this.#options.seed + 1),
    });
    const progress = setInterval(() => {
      this.#progress();
    }, PROGRESS_MS);
    try {
      await Promise.all([storm.rage(over), this.#deal(over)]);
      await Promise.race([Promise.all(this.#plays), delay(SETTLING_MS, undefined, { ref: false })]);
    } finally {
      clearInterval(progress);
    }
    await this.#checkAll();
  }

  async stop(): Promise<void> {
    await this.#tasks.stop();
    await this.#stack.close();
  }

  /** Signs the users in, connects their accounts, and gives each of them conversations. */
  async #seat(): Promise<void> {
    const owners: Owner[] = [];
    for (const [index, { username }] of USERS.entries())
      owners.push(await this.#owner(username, LOGINS[index] ?? '', PLACES[index] ?? ''));
    this.#stack.bedrock.model = soakModel;
    const { figures } = this;
    const lastKill = (): number => this.#tasks.lastKill;
    const table = { random: this.#random, figures, causes: this.#causes, lastKill };
    this.#players = owners.flatMap((owner, user) =>
      Array.from(
        { length: CONVERSATIONS_PER_USER },
        (_, index) => new Player(`soak-${String(user + 1)}-${String(index + 1)}`, owner, table),
      ),
    );
  }

  async #owner(username: string, login: string, place: string): Promise<Owner> {
    const { url } = this.#stack.loadBalancer;
    const browser = new HttpBrowser();
    await browser.signIn(url, username);
    for (const [index, message] of CONSENTS.entries()) {
      const paused = await invoke(browser, url, { sessionId: `consent-${String(index)}`, message });
      const link = paused.interrupts[0]?.metadata.connectUrl;
      if (link === undefined) throw new Error(`no connect link: ${paused.raw.slice(0, 500)}`);
      await browser.navigate(await consentUpToBinding(browser, link, login));
    }
    return { client: new Client(url, await browser.jar.getCookieString(url)), place };
  }

  /** Gives a turn to a free conversation, ten times a second. */
  async #deal(over: AbortSignal): Promise<void> {
    const startedAt = Date.now();
    for (let dealt = 1; !over.aborted; dealt += 1) {
      const due = startedAt + (dealt * 1000) / TURNS_PER_SECOND - Date.now();
      if (due > 0) await delay(due, undefined, { signal: over }).catch(() => undefined);
      const free = this.#players.filter(({ isBusy }) => !isBusy);
      if (free.length === 0) {
        this.figures.count('turns that found every conversation busy');
        continue;
      }
      const play = this.#play(this.#random.pick(free));
      this.#plays.add(play);
      void play.finally(() => this.#plays.delete(play));
    }
    this.figures.count('seconds of play', Math.round((Date.now() - startedAt) / 1000));
  }

  async #play(player: Player): Promise<void> {
    await player.play();
    const run = player.ledger.runs.at(-1);
    if (run === undefined || this.#random.below(CHECKED_AT_ONCE) > 0) return;
    const { client } = player.owner;
    const page = await readLatest(client, player.ledger.sessionId);
    if (page === undefined) return;
    this.figures.count('answers compared at once');
    checkAnswer(
      run,
      page.turns.find(({ runId }) => runId === run.runId),
      this.figures,
    );
  }

  #progress(): void {
    this.heap.ask();
    this.#stack.bedrock.requests.length = 0;
    const { figures } = this;
    const parts = ['turns', 'bursts of faults', 'tasks killed', 'tasks replaced'].map(
      (name) => `${String(figures.of(name))} ${name}`,
    );
    const size = this.heap.sizes().at(-1)?.toFixed(1) ?? '–';
    const faults = figures.faults().length;
    this.#options.say(`${parts.join(', ')}; heap ${size} MB; ${String(faults)} things that must not be`);
  }

  async #checkAll(): Promise<void> {
    const { figures } = this;
    for (const sentence of this.#tasks.broken()) figures.break('tasks that ended by themselves', sentence);
    for (const sentence of this.#stack.bedrock.refusals)
      figures.break('histories not valid', `the model refuses one: ${sentence}`);
    const done = await issuesByTitle(this.#stack.gitHub, PLACES);
    for (const { ledger, owner } of this.#players) {
      figures.count('conversations');
      const view = await readWhole(owner.client, ledger.sessionId, FREE_WITHIN_MS);
      if (view === undefined) {
        figures.break('conversations that cannot be read', ledger.sessionId);
        continue;
      }
      checkConversation(ledger, view, figures);
      checkWrites(ledger, view, done, figures);
    }
  }
}
