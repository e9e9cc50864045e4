import { Logger } from '@nestjs/common';
import { z } from 'zod';
import { AppError } from '../common/errors/index.js';
import { parseRecord } from '../storage/index.js';
import {
  conversationSummary,
  turnRecord,
  VERSION,
  workingSet,
  type ConversationSummary,
  type TurnRecord,
  type WorkingSet,
} from './conversation.js';
import { turnRecordOfVersion1, workingSetOfVersion1 } from './version-1.js';

const logger = new Logger('StoredObjects');

const versioned = z.looseObject({ version: z.int() });

interface Form<T> {
  readonly schema: z.ZodType<T>;
  /** Of version 1, migrated to the present one. */
  readonly older: z.ZodType<T>;
}

const WORKING_SET: Form<WorkingSet> = { schema: workingSet, older: workingSetOfVersion1 };
const TURN_RECORD: Form<TurnRecord> = { schema: turnRecord, older: turnRecordOfVersion1 };

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

/** The record of a turn, like `parseWorkingSet`. @throws AppError `session_unreadable` */
export function parseTurnRecord(text: string, object: string): TurnRecord {
  return orThrow(parse(TURN_RECORD, text, object));
}

/** A line of the index; undefined, and logged, where it cannot be read. */
export function parseSummary(text: string, object: string): ConversationSummary | undefined {
  const parsed = parseRecord(conversationSummary, text);
  if (!parsed.success) tellOperator(object, 'damaged', parsed.error);
  return parsed.data;
}

type Parsed<T> =
  | { readonly data: T }
  | { readonly data: undefined; readonly problem: 'newer' | 'damaged'; readonly cause?: z.ZodError };

function parse<T>({ schema, older }: Form<T>, text: string, object: string): Parsed<T> {
  const version = parseRecord(versioned, text).data?.version;
  if (version !== undefined && version > VERSION) {
    tellOperator(object, 'newer');
    return { data: undefined, problem: 'newer' };
  }
  const parsed = parseRecord(version === 1 ? older : schema, text);
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
