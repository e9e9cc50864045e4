import { AppError } from '../common/errors/index.js';
import { userPrefix } from '../storage/index.js';
import { sessionId as validId } from './session-id.js';

/** The keys of a user's conversations, all of them under the user's prefix. */
export class UserKeys {
  readonly #prefix: string;

  constructor(sub: string) {
    this.#prefix = userPrefix(sub);
  }

  /** A key without the user's part, as logs name an object. */
  nameOf(key: string): string {
    return key.slice(this.#prefix.length);
  }

  /** The prefix of the list of conversations. */
  linePrefix(): string {
    return `${this.#prefix}index/`;
  }

  /** A line of the list, by its name. */
  line(name: string): string {
    return `${this.linePrefix()}${name}`;
  }

  /** The line of a conversation of an older version. */
  olderLine(sessionId: string): string {
    return this.line(`${checked(sessionId)}.json`);
  }

  /** The prefix of all conversations. */
  sessions(): string {
    return `${this.#prefix}sessions/`;
  }

  /** The conversation whose working set has a key; undefined for another object. */
  sessionOfWorkingSet(key: string): string | undefined {
    return /^([^/]+)\/working-set\.json$/.exec(key.slice(this.sessions().length))?.[1];
  }

  session(sessionId: string): string {
    return `${this.sessions()}${checked(sessionId)}/`;
  }

  workingSet(sessionId: string): string {
    return `${this.session(sessionId)}working-set.json`;
  }

  /** The segment of turns that ends with the turn of this number. */
  segment(sessionId: string, last: number): string {
    return `${this.segments(sessionId)}${padded(last)}.json`;
  }

  /** The events of the run in progress, while another task follows it. */
  copyOfRun(sessionId: string): string {
    return `${this.session(sessionId)}run.json`;
  }

  /** The prefix of all segments of a conversation. */
  segments(sessionId: string): string {
    return `${this.session(sessionId)}turns/`;
  }
}

function padded(number: number): string {
  return String(number).padStart(8, '0');
}

function checked(sessionId: string): string {
  if (!validId.safeParse(sessionId).success) throw new AppError('invalid_request', { reason: 'session_id' });
  return sessionId;
}
