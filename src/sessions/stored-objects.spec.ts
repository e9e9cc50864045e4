import { beforeEach, describe, expect, it } from '@jest/globals';
import { recordedLog, type LoggedLine } from '../common/logging/testing/recorded-log.js';
import { MemoryStore } from '../storage/testing/memory-store.js';
import type { Conversations } from './conversations.js';
import { UserKeys } from './keys.js';
import { parseSegment, parseWorkingSet } from './stored-objects.js';
import { user } from './testing/messages.js';
import { begun, taskOn } from './testing/tasks.js';

const OBJECT = 'sessions/one/working-set.json';
const call = { pauses: 2, asked: null, approved: null, otherAccount: null, reauthenticated: false };
const about = { tool: 'send', title: 'Send' };
const pendingOfVersion1 = {
  interrupts: [
    {
      id: 'interrupt-1',
      reason: 'authorization_required',
      toolCallId: 'a',
      metadata: { ...about, provider: 'github', scopes: ['repo'] },
    },
    {
      id: 'interrupt-2',
      reason: 'approval_required',
      toolCallId: 'b',
      metadata: { ...about, input: { to: 'all' }, account: 'alice-octo' },
    },
    {
      id: 'interrupt-3',
      reason: 'account_changed',
      toolCallId: 'c',
      metadata: { ...about, provider: 'github', before: 'alice-octo', now: 'bob-octo' },
    },
  ],
  state: {
    snapshot: { data: {} },
    strandsIds: { 'interrupt-1': 'loop-1', 'interrupt-2': 'loop-2', 'interrupt-3': 'loop-3' },
    calls: {
      a: { ...call, approved: 'DIGEST', reauthenticated: true },
      b: { ...call, asked: { digest: 'DIGEST', inputBytes: 12 } },
      c: { ...call, otherAccount: '7' },
    },
  },
  resumable: true,
};
const migrated = {
  interrupts: [
    {
      ...about,
      id: 'interrupt-1',
      kind: 'authorization_required',
      toolCallId: 'a',
      provider: 'github',
      scopes: ['repo'],
      pauses: 2,
      approved: 'DIGEST',
      reauthenticated: true,
      loopId: 'loop-1',
    },
    {
      ...about,
      id: 'interrupt-2',
      kind: 'approval_required',
      toolCallId: 'b',
      input: { to: 'all' },
      account: 'alice-octo',
      digest: 'DIGEST',
      inputBytes: 12,
      pauses: 2,
      reauthenticated: false,
      loopId: 'loop-2',
    },
    {
      ...about,
      id: 'interrupt-3',
      kind: 'account_changed',
      toolCallId: 'c',
      provider: 'github',
      before: 'alice-octo',
      now: { id: '7', login: 'bob-octo' },
      pauses: 2,
      reauthenticated: false,
      loopId: 'loop-3',
    },
  ],
  snapshot: { data: {} },
  resumable: true,
};
const set = {
  version: 3,
  sessionId: 'one',
  createdAt: 1,
  updatedAt: 2,
  title: 'hello',
  turns: 1,
  interrupts: 3,
  messages: [user('hello')],
  recent: [],
};
const { recent: _, ...older } = set;
const claim = { seq: 2, runId: 'run', task: 'task', startedAt: 3 };
const olderClaim = { seq: 2, runId: 'run', leaseUntil: 9, startedAt: 3 };
const migratedClaim = { ...claim, task: 'older' };
const record = {
  seq: 1,
  runId: 'run',
  startedAt: 1,
  endedAt: 2,
  outcome: 'interrupt',
  messages: [user('hello')],
};

describe('stored objects', () => {
  let log: readonly LoggedLine[];
  beforeEach(() => {
    log = recordedLog();
  });

  it.each([
    ['a working set', set],
    ['a working set with a paused run', { ...set, pending: migrated }],
    ['a working set with turns', { ...set, recent: [record] }],
    [
      'a working set with a claim',
      {
        ...set,
        claim: { ...claim, begun: [{ toolCallId: 'a', digest: 'DIGEST', at: 4 }], pending: migrated },
      },
    ],
    ['a tombstone', { ...set, messages: [], deletedAt: 5 }],
  ])('are read as they were written: %s', (_name, value) => {
    expect(parseWorkingSet(JSON.stringify(value), OBJECT)).toStrictEqual(value);
    expect(log).toEqual([]);
  });

  it.each([
    ['a working set', { ...older, version: 1 }, set],
    ['a paused run', { ...older, version: 1, pending: pendingOfVersion1 }, { ...set, pending: migrated }],
    [
      'a claim on a paused run',
      { ...older, version: 1, claim: { ...olderClaim, taken: pendingOfVersion1 } },
      { ...set, claim: { ...migratedClaim, pending: migrated } },
    ],
    ['a claim', { ...older, version: 1, claim: olderClaim }, { ...set, claim: migratedClaim }],
    ['a working set', { ...older, version: 2 }, set],
    ['a paused run', { ...older, version: 2, pending: migrated }, { ...set, pending: migrated }],
    ['a claim', { ...older, version: 2, claim: olderClaim }, { ...set, claim: migratedClaim }],
  ])('of an older version are migrated: %s', (_name, old, now) => {
    expect(parseWorkingSet(JSON.stringify(old), OBJECT)).toStrictEqual(now);
  });

  it('of version 1 are migrated as far as they go, where nothing is known of a call', () => {
    const unknown = { tool: 'send', title: '', pauses: 1, reauthenticated: false, loopId: '' };
    const interrupts = pendingOfVersion1.interrupts.map(({ metadata, ...rest }) => ({
      ...rest,
      metadata: { tool: metadata.tool },
    }));
    const pending = {
      ...pendingOfVersion1,
      interrupts,
      state: { snapshot: null, strandsIds: {}, calls: {} },
    };
    const { pending: read } = parseWorkingSet(JSON.stringify({ ...older, version: 1, pending }), OBJECT);
    expect(read?.interrupts).toStrictEqual([
      {
        ...unknown,
        id: 'interrupt-1',
        kind: 'authorization_required',
        toolCallId: 'a',
        provider: '',
        scopes: [],
      },
      {
        ...unknown,
        id: 'interrupt-2',
        kind: 'approval_required',
        toolCallId: 'b',
        input: null,
        digest: '',
        inputBytes: 0,
      },
      {
        ...unknown,
        id: 'interrupt-3',
        kind: 'account_changed',
        toolCallId: 'c',
        provider: '',
        before: '',
        now: { id: '', login: '' },
      },
    ]);
  });

  it.each([
    ['of version 1', { ...record, version: 1, pending: pendingOfVersion1 }],
    ['of version 2', { ...record, version: 2, pending: migrated }],
    ['as they are written', { version: 3, turns: [{ ...record, pending: migrated }] }],
  ])('have the turns of a segment: %s', (_name, stored) => {
    expect(parseSegment(JSON.stringify(stored), OBJECT)).toStrictEqual([{ ...record, pending: migrated }]);
  });

  it.each([
    ['no JSON', 'damaged', '{"version":3,'],
    ['nothing', 'damaged', ''],
    ['no version', 'damaged', JSON.stringify({ ...set, version: undefined })],
    ['another kind of object', 'damaged', JSON.stringify(record)],
    [
      'a block that is none',
      'damaged',
      JSON.stringify({ ...set, messages: [{ role: 'user', content: [7] }] }),
    ],
    ['a member too many', 'damaged', JSON.stringify({ ...set, SECRET: 1 })],
    ['version 4', 'newer', JSON.stringify({ ...set, version: 4 })],
  ])('that cannot be read are logged by name, never by content: %s', (_name, problem, text) => {
    expect(() => parseWorkingSet(text, OBJECT)).toThrow(
      expect.objectContaining({ code: 'session_unreadable', reason: problem }),
    );
    expect(log).toMatchObject([
      { level: 'error', fields: { event: 'object_unreadable', object: OBJECT, problem } },
    ]);
    expect(JSON.stringify(log)).not.toContain('SECRET');
  });

  it('are told with the members that do not fit', () => {
    expect(() => parseWorkingSet(JSON.stringify({ ...set, turns: 'SECRET' }), OBJECT)).toThrow();
    expect(log).toMatchObject([{ fields: { members: ['turns'] } }]);
  });
});

describe('a conversation that cannot be read', () => {
  const keys = new UserKeys('alice');
  let store: MemoryStore;
  let conversations: Conversations;

  beforeEach(async () => {
    recordedLog();
    store = new MemoryStore();
    conversations = taskOn(store);
    await say('good');
    for (let count = 0; count < 17; count += 1) await say('bad');
    conversations = taskOn(store);
  });

  const say = async (id: string): Promise<void> => {
    const turn = await begun(conversations, 'hello', { id });
    await turn.finish({ outcome: 'success', messages: [user('hello')] });
  };
  const spoil = (key: string, text = '{"version":9}'): Promise<unknown> =>
    store.put(key, text, { always: true });

  it.each([
    ['its working set', keys.workingSet('bad')],
    ['a segment', keys.segment('bad', 16)],
  ])('is a typed error, for %s', async (_name, key) => {
    await spoil(key);
    await expect(conversations.read('alice', 'bad', { limit: 10 })).rejects.toMatchObject({
      code: 'session_unreadable',
    });
  });

  it('takes no turn, and is left as it is', async () => {
    await spoil(keys.workingSet('bad'));
    await expect(begun(conversations, 'hello', { id: 'bad' })).rejects.toMatchObject({
      code: 'session_unreadable',
    });
    expect(store.objects.get(keys.workingSet('bad'))?.text).toBe('{"version":9}');
  });

  it.each([
    ['damaged', 'no JSON'],
    ['newer', '{"version":9}'],
  ])('can be deleted: %s', async (_name, text) => {
    await spoil(keys.workingSet('bad'), text);
    await spoil(keys.segment('bad', 1), text);
    await conversations.delete('alice', 'bad');
    expect([...store.objects.keys()].filter((key) => key.includes('/bad/'))).toEqual([]);
    const { sessions } = await conversations.list('alice', { limit: 10 });
    expect(sessions.map(({ sessionId }) => sessionId)).toEqual(['good']);
  });

  it('harms no other', async () => {
    await spoil(keys.workingSet('bad'));
    const { sessions: listed } = await conversations.list('alice', { limit: 10 });
    expect(listed).toContainEqual(expect.objectContaining({ sessionId: 'good', title: 'hello' }));
    expect(listed).toContainEqual(expect.objectContaining({ sessionId: 'bad', title: '' }));
    expect((await conversations.read('alice', 'good', { limit: 10 })).turns).toHaveLength(1);
  });
});
