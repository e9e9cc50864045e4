import { AsyncLocalStorage } from 'node:async_hooks';

/** The ids of a request. Every log line of it carries them, except the user. */
export interface RequestContext {
  readonly requestId: string;
  sessionId?: string;
  runId?: string;
  /** The ids among these that the client chose. */
  chosenByClient?: readonly ('sessionId' | 'runId')[];
  /** The `sub` of the signed-in user. It is not logged. */
  user?: string;
}

const storage = new AsyncLocalStorage<RequestContext>();

/** Does work with the ids of a request on every line that it logs. */
export function runInContext<T>(context: RequestContext, work: () => T): T {
  return storage.run(context, work);
}

/** The ids of the request that is being served; undefined outside of one. */
export function requestContext(): RequestContext | undefined {
  return storage.getStore();
}

/** Adds ids that become known while a request is served. */
export function annotateContext(ids: Omit<Partial<RequestContext>, 'requestId'>): void {
  Object.assign(storage.getStore() ?? {}, ids);
}
