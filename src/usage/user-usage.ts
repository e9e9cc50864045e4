import { NOTHING, sum, type Figures, type Tokens } from './figures.js';

/** What one user takes today: of this task, and of the others as far as this task knows. */
export class UserUsage {
  #day: string;
  #own = NOTHING;
  #others = NOTHING;

  constructor(day: string) {
    this.#day = day;
  }

  get day(): string {
    return this.#day;
  }

  get own(): Figures {
    return this.#own;
  }

  get total(): Figures {
    return sum([this.#own, this.#others]);
  }

  /** A new day begins with nothing but the runs in progress. */
  turnTo(day: string): void {
    this.#day = day;
    this.#own = { ...NOTHING, running: this.#own.running };
    this.#others = NOTHING;
  }

  learn(others: Figures): void {
    this.#others = others;
  }

  begin(): void {
    const { requests, running } = this.#own;
    this.#own = { ...this.#own, requests: requests + 1, running: running + 1 };
  }

  spend({ inputTokens, outputTokens }: Tokens): void {
    const own = this.#own;
    this.#own = {
      ...own,
      inputTokens: own.inputTokens + inputTokens,
      outputTokens: own.outputTokens + outputTokens,
    };
  }

  /** @param tokens undefined where the run was refused: it does not count then */
  end(tokens: Tokens | undefined): void {
    const { requests, running } = this.#own;
    this.#own = {
      ...this.#own,
      requests: tokens === undefined ? Math.max(0, requests - 1) : requests,
      running: running - 1,
    };
    if (tokens !== undefined) this.spend(tokens);
  }
}
