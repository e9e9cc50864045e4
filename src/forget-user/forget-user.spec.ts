import { describe, expect, it } from '@jest/globals';
import { forgetUser, type Wish } from './forget-user.js';
import { isDone, sentencesOf } from './sentences.js';
import type { ObjectVersion, UserObjects } from './user-objects.js';

/** A bucket in memory, in pages of two. */
class Objects implements UserObjects {
  versions: readonly ObjectVersion[];
  /** What is written after a page was deleted. */
  late: readonly ObjectVersion[] = [];

  constructor(...kinds: readonly ObjectVersion['kind'][]) {
    this.versions = kinds.map((kind, n) => ({ key: `key-${String(n)}`, versionId: String(n), kind }));
  }

  async *pages(): AsyncGenerator<readonly ObjectVersion[], void, undefined> {
    await Promise.resolve();
    const { versions } = this;
    for (let at = 0; at < Math.max(versions.length, 1); at += 2) yield versions.slice(at, at + 2);
  }

  async delete(page: readonly ObjectVersion[]): Promise<void> {
    await Promise.resolve();
    if (page.length === 0) throw new TypeError('S3 refuses an empty batch');
    this.versions = [...this.versions.filter((version) => !page.includes(version)), ...this.late];
    this.late = [];
  }
}

const DELETE: Wish = { yes: true, force: false };
const nobody = () => Promise.resolve([]);
const found = { object: 2, 'old version': 1, 'delete marker': 1 };
const none = { object: 0, 'old version': 0, 'delete marker': 0 };
const filled = (): Objects => new Objects('object', 'old version', 'delete marker', 'object');

describe('to forget a user', () => {
  it('counts, and deletes nothing without being told to', async () => {
    const objects = filled();
    const outcome = await forgetUser(objects, nobody, { yes: false, force: true });
    expect(outcome).toEqual({ kind: 'counted', found, left: found });
    expect(objects.versions).toHaveLength(4);
    expect(sentencesOf(outcome)).toBe(
      'Found 2 objects, 1 old version, 1 delete marker. Nothing was deleted. To delete it, add --yes.\n',
    );
    expect(isDone(outcome)).toBe(true);
  });

  it('deletes every version, and lists again', async () => {
    const objects = filled();
    const outcome = await forgetUser(objects, nobody, DELETE);
    expect(outcome).toEqual({ kind: 'deleted', found, left: none });
    expect(objects.versions).toEqual([]);
    expect(sentencesOf(outcome)).toContain(
      'Deleted all of it. Listed again: 0 objects, 0 old versions, 0 delete markers left.',
    );
    expect(isDone(outcome)).toBe(true);
  });

  it('has nothing to delete where there is nothing', async () => {
    expect(await forgetUser(new Objects(), nobody, DELETE)).toEqual({
      kind: 'deleted',
      found: none,
      left: none,
    });
  });

  it('says what was written meanwhile', async () => {
    const objects = filled();
    objects.late = [{ key: 'late', versionId: '9', kind: 'object' }];
    const outcome = await forgetUser(objects, nobody, DELETE);
    expect(outcome).toMatchObject({ kind: 'deleted', left: { object: 1 } });
    expect(sentencesOf(outcome)).toContain('1 object, 0 old versions');
    expect(sentencesOf(outcome)).toContain('run this command again');
    expect(isDone(outcome)).toBe(false);
  });

  it('refuses while a turn is in progress, unless it is forced', async () => {
    const objects = filled();
    const busy = () => Promise.resolve(['one', 'two']);
    const outcome = await forgetUser(objects, busy, DELETE);
    expect(outcome).toEqual({ kind: 'busy', found, conversations: ['one', 'two'] });
    expect(objects.versions).toHaveLength(4);
    expect(sentencesOf(outcome)).toContain('a turn is in progress in: one, two.');
    expect(isDone(outcome)).toBe(false);
    expect(await forgetUser(objects, busy, { yes: true, force: true })).toMatchObject({ kind: 'deleted' });
    expect(objects.versions).toEqual([]);
  });
});
