import { beginChild, markFailed, NAMES, telemetry, workOf } from '../../common/telemetry/index.js';
import { MeasuredModel, type Model } from '../strands/index.js';
import type { RunEvent } from './run-event.js';

const AGENT = 'OnBehalf';
const OPERATION = 'invoke_agent';
const ATTRIBUTES = { [NAMES.operation]: OPERATION, [NAMES.agent]: AGENT } as const;

/** How a run ended, as the log says it. */
interface Outcome {
  readonly outcome: 'success' | 'interrupt' | 'cancelled' | 'error';
  /** Of the table of errors. */
  readonly code?: string;
}

/** What is told of a run to those who operate it: its span, its duration, and the fields of its line in the log. */
export class RunReport {
  /** The model, with the calls of this run counted. */
  readonly model: MeasuredModel;
  readonly #startedAt = performance.now();
  readonly #span = beginChild(`${OPERATION} ${AGENT}`, { attributes: ATTRIBUTES });

  constructor(model: Model) {
    this.model = new MeasuredModel(model);
  }

  /** Does what belongs to the run. */
  during<T>(work: () => T): T {
    return this.#span === undefined ? work() : workOf(this.#span).do(work);
  }

  /** @param last the last event of the run */
  end(last: RunEvent | undefined): Readonly<Record<string, unknown>> {
    const durationMs = performance.now() - this.#startedAt;
    const ended = outcomeOf(last);
    const { usage } = this.model;
    const failed = ended.code === undefined ? {} : { [NAMES.errorType]: ended.code };
    telemetry()?.instruments.operationDuration.record(durationMs / 1000, { ...ATTRIBUTES, ...failed });
    if (ended.code !== undefined && this.#span !== undefined) markFailed(this.#span, ended.code);
    this.#span
      ?.setAttributes({
        'onbehalf.run.outcome': ended.outcome,
        [NAMES.inputTokens]: usage.inputTokens,
        [NAMES.outputTokens]: usage.outputTokens,
      })
      .end();
    return { ...ended, durationMs: Math.round(durationMs), ...usage };
  }
}

function outcomeOf(last: RunEvent | undefined): Outcome {
  switch (last?.kind) {
    case 'finished':
      return { outcome: last.outcome };
    case 'interrupted':
      return { outcome: 'interrupt' };
    case 'failed':
      return { outcome: 'error', code: last.error.code };
    default:
      return { outcome: 'error', code: 'internal_error' };
  }
}
