import { z } from 'zod';

/** The id of a conversation, chosen by the client. The one place that says what it looks like. */
export const sessionId = z
  .string()
  .regex(/^[A-Za-z0-9_-]{1,64}$/)
  .describe('Names the conversation; the first message with a new id starts one');
