import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { breakingChanges } from '../../scripts/lib/breaking-changes.mjs';

interface Schema {
  type?: string;
  maximum?: number;
  maxLength?: number;
  pattern?: string;
  enum?: unknown[];
  required?: string[];
  properties?: Record<string, Schema>;
  additionalProperties?: boolean;
  items?: Schema;
  anyOf?: Schema[];
}
interface Operation {
  parameters: { name: string; in: string; required: boolean; schema: Schema }[];
  requestBody?: { content: Record<string, { schema: Schema }> };
  responses: Record<string, { content?: Record<string, { schema: Schema }> }>;
}
interface Specification {
  paths: Record<string, Record<string, Operation>>;
}

const read = (file: string): Specification => JSON.parse(readFileSync(file, 'utf8')) as Specification;
const RELEASED = 'test/support/released-openapi.json';

/** The parts of a specification that the cases below change. */
function partsOf({ paths }: Specification): {
  list: Operation;
  message: Schema;
  conversation: Schema;
  limit: Schema;
} {
  const list = paths['/sessions']?.get;
  const message = paths['/invocations']?.post?.requestBody?.content['application/json']?.schema.anyOf?.[0];
  const conversation = paths['/sessions/{id}']?.get?.responses['200']?.content?.['application/json']?.schema;
  const limit = list?.parameters[0]?.schema;
  if (!list || !message || !conversation || !limit) throw new Error('the specification has other parts');
  return { list, message, conversation, limit };
}

describe('the specification', () => {
  it('breaks no client of the last release', () => {
    expect(breakingChanges(read(RELEASED), read('src/api-docs/assets/openapi.json'))).toEqual([]);
  });
});

describe('a change of the specification', () => {
  it.each<[string, (specification: Specification) => void, string]>([
    ['a path less', ({ paths }) => delete paths['/sessions'], 'GET /sessions is gone'],
    [
      'a new parameter that is required',
      (each) => partsOf(each).list.parameters.push({ name: 'x', in: 'query', required: true, schema: {} }),
      'GET /sessions: the parameter x is required now',
    ],
    [
      'a parameter less',
      (each) => partsOf(each).list.parameters.pop(),
      'GET /sessions: the parameter limit is gone',
    ],
    [
      'a smaller limit',
      (each) => (partsOf(each).limit.maximum = 50),
      'GET /sessions, parameter limit: maximum is smaller',
    ],
    [
      'a new member that is required',
      (each) => partsOf(each).message.required?.push('x'),
      'POST /invocations, request, alternative 1.x is required now',
    ],
    [
      'a member that is not taken any more',
      (each) => delete partsOf(each).message.properties?.message,
      'POST /invocations, request, alternative 1.message is not taken any more',
    ],
    [
      'a member of an answer less',
      (each) => delete partsOf(each).conversation.properties?.busy,
      'GET /sessions/{id}, answer 200.busy is gone',
    ],
    [
      'a member of an answer that may be absent',
      (each) => partsOf(each).conversation.required?.splice(0, 1),
      'GET /sessions/{id}, answer 200.sessionId may be absent now',
    ],
    [
      'a member of another type',
      (each) => {
        const { properties } = partsOf(each).conversation;
        if (properties?.busy) properties.busy.type = 'string';
      },
      'GET /sessions/{id}, answer 200.busy was boolean and is string',
    ],
    [
      'a success that is gone',
      (each) => delete partsOf(each).list.responses['200'],
      'GET /sessions: the answer 200 is gone',
    ],
  ])('is told to break clients: %s', (_name, change, expected) => {
    const changed = read(RELEASED);
    change(changed);
    expect(breakingChanges(read(RELEASED), changed)).toEqual([expected]);
  });

  it.each<[string, (specification: Specification) => void]>([
    ['a new path', ({ paths }) => (paths['/new'] = {})],
    [
      'a new parameter that can be left out',
      (each) => partsOf(each).list.parameters.push({ name: 'x', in: 'query', required: false, schema: {} }),
    ],
    ['a larger limit', (each) => (partsOf(each).limit.maximum = 200)],
    [
      'a new member of an answer',
      (each) => {
        const { properties } = partsOf(each).conversation;
        if (properties) properties.new = { type: 'string' };
      },
    ],
    ['an error less', (each) => delete partsOf(each).list.responses['503']],
  ])('is told to break nobody: %s', (_name, change) => {
    const changed = read(RELEASED);
    change(changed);
    expect(breakingChanges(read(RELEASED), changed)).toEqual([]);
  });
});
