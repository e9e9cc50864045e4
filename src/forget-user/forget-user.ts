import type { ObjectVersion, UserObjects } from './user-objects.js';

/** How many versions there are, of each kind. */
export type Counts = Readonly<Record<ObjectVersion['kind'], number>>;

export interface Wish {
  /** Delete; without it, the objects are only counted. */
  readonly yes: boolean;
  /** Delete also while a turn is in progress. */
  readonly force: boolean;
}

/** What was found, and what became of it. */
export type Outcome =
  | { readonly kind: 'counted' | 'deleted'; readonly found: Counts; readonly left: Counts }
  | { readonly kind: 'busy'; readonly found: Counts; readonly conversations: readonly string[] };

const NONE: Counts = { object: 0, 'old version': 0, 'delete marker': 0 };

/**
 * Deletes everything of a user page by page, and lists it again.
 * @param busyConversations those in which a turn is in progress
 * @throws BucketFault
 */
export async function forgetUser(
  objects: UserObjects,
  busyConversations: () => Promise<readonly string[]>,
  { yes, force }: Wish,
): Promise<Outcome> {
  const found = await counted(objects);
  if (!yes) return { kind: 'counted', found, left: found };
  const conversations = force ? [] : await busyConversations();
  if (conversations.length > 0) return { kind: 'busy', found, conversations };
  for await (const page of objects.pages()) {
    if (page.length > 0) await objects.delete(page);
  }
  return { kind: 'deleted', found, left: await counted(objects) };
}

export function totalOf(counts: Counts): number {
  return Object.values(counts).reduce((sum, count) => sum + count, 0);
}

async function counted(objects: UserObjects): Promise<Counts> {
  const counts: Record<ObjectVersion['kind'], number> = { ...NONE };
  for await (const page of objects.pages()) {
    for (const { kind } of page) counts[kind] += 1;
  }
  return counts;
}
