import { Logger } from '@nestjs/common';
import { z } from 'zod';
import { AppError } from '../common/errors/index.js';
import { parseRecord } from '../storage/index.js';
import { segment, VERSION, workingSet, type TurnRecord, type WorkingSet } from './conversation.js';
import { turnOfVersion1, workingSetOfVersion1 } from './version-1.js';
import { turnOfVersion2, workingSetOfVersion2 } from './version-2.js';

const logger = new Logger('StoredObjects');

const versioned = z.looseObject({ version: z.int() });

/** The schema of each version, the present one first. An older one migrates what it reads. */
type Forms<T> = readonly [z.ZodType<T>, Readonly<Record<number, z.ZodType<T>>>];

const WORKING_SET: Forms<WorkingSet> = [workingSet, { 1: workingSetOfVersion1, 2: workingSetOfVersion2 }];
const SEGMENT: Forms<z.infer<typeof segment>> = [segment, { 1: turnOfVersion1, 2: turnOfVersion2 }];

/**
 * The working set of a conversation, from its object's text; one of an older version is migrated.
 * @param object the object's name without the user's prefix, for the log
 * @throws AppError `session_unreadable`
 */
export function parseWorkingSet(text: string, object: string): WorkingSet {
  return orThrow(parse(WORKING_SET, text, object));
}

/** Like `parseWorkingSet`, and undefined where it cannot be read. */
export function readableWorkingSet(text: string, object: string): WorkingSet | undefined {
  return parse(WORKING_SET, text, object).data;
}

/** The turns of a segment, in order, like `parseWorkingSet`. @throws AppError `session_unreadable` */
export function parseSegment(text: string, object: string): readonly TurnRecord[] {
  return orThrow(parse(SEGMENT, text, object)).turns;
}

type Parsed<T> =
  | { readonly data: T }
  | { readonly data: undefined; readonly problem: 'newer' | 'damaged'; readonly cause?: z.ZodError };

function parse<T>([present, older]: Forms<T>, text: string, object: string): Parsed<T> {
  const version = parseRecord(versioned, text).data?.version;
  if (version !== undefined && version > VERSION) {
    tellOperator(object, 'newer');
    return { data: undefined, problem: 'newer' };
  }
  const parsed = parseRecord(older[version ?? VERSION] ?? present, text);
  if (parsed.success) return { data: parsed.data };
  tellOperator(object, 'damaged', parsed.error);
  return { data: undefined, problem: 'damaged', cause: parsed.error };
}

function orThrow<T>(parsed: Parsed<T>): T {
  if (!('problem' in parsed)) return parsed.data;
  throw new AppError('session_unreadable', { reason: parsed.problem, cause: parsed.cause });
}

/** Names the object, and the members that do not fit; never a value. */
function tellOperator(object: string, problem: 'newer' | 'damaged', error?: z.ZodError): void {
  const members = error?.issues.slice(0, 3).map(({ path }) => path.join('.'));
  logger.error({ event: 'object_unreadable', object, problem, ...(members !== undefined && { members }) });
}
