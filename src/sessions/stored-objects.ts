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

/**
 * The working set of a conversation, from its object's text; one of an older version is migrated.
 * @param object the object's name without the user's prefix, for the log
 * @throws AppError `session_unreadable`
 */
export function parseWorkingSet(text: string, object: string): WorkingSet {
  return parse({ schema: workingSet, older: workingSetOfVersion1 }, text, object);
}

/** The record of a turn, like `parseWorkingSet`. @throws AppError `session_unreadable` */
export function parseTurnRecord(text: string, object: string): TurnRecord {
  return parse({ schema: turnRecord, older: turnRecordOfVersion1 }, text, object);
}

/** A line of the index; undefined, and logged, where it cannot be read. */
export function parseSummary(text: string, object: string): ConversationSummary | undefined {
  const parsed = parseRecord(conversationSummary, text);
  if (!parsed.success) tellOperator(object, 'damaged', parsed.error);
  return parsed.data;
}

function parse<T>(
  { schema, older }: { readonly schema: z.ZodType<T>; readonly older: z.ZodType<T> },
  text: string,
  object: string,
): T {
  const version = parseRecord(versioned, text).data?.version;
  if (version !== undefined && version > VERSION) {
    tellOperator(object, 'newer');
    throw new AppError('session_unreadable', { reason: 'newer' });
  }
  const parsed = parseRecord(version === 1 ? older : schema, text);
  if (parsed.success) return parsed.data;
  tellOperator(object, 'damaged', parsed.error);
  throw new AppError('session_unreadable', { reason: 'damaged', cause: parsed.error });
}

/** Names the object, and the members that do not fit; never a value. */
function tellOperator(object: string, problem: 'newer' | 'damaged', error?: z.ZodError): void {
  const members = error?.issues.slice(0, 3).map(({ path }) => path.join('.'));
  logger.error({ event: 'object_unreadable', object, problem, ...(members !== undefined && { members }) });
}
