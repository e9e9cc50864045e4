/** Prints the demo's steps and counts what was checked. */
export class Report {
  #failed = 0;
  #checked = 0;

  heading(text: string): void {
    process.stdout.write(`\n${text}\n`);
  }

  /** A step of the flow: its number or numbers, the two parties, and the event. */
  step(numbers: string, parties: string, event: string): void {
    process.stdout.write(`\n${numbers.padStart(7)}  ${parties}\n         ${event}\n`);
  }

  check(what: string, holds: boolean): void {
    this.#checked += 1;
    if (!holds) this.#failed += 1;
    process.stdout.write(`         ${holds ? 'ok  ' : 'DIFF'} ${what}\n`);
  }

  /** The exit code. */
  end(seconds: number): number {
    const result = this.#failed === 0 ? 'All checks passed' : `${String(this.#failed)} differed`;
    process.stdout.write(`\n${result}: ${String(this.#checked)} checks in ${seconds.toFixed(1)} s.\n`);
    return this.#failed === 0 ? 0 : 1;
  }
}
