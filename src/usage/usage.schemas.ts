import { z } from 'zod';
import { figures } from './figures.js';

const limit = z.int().min(1);

export const usageOfToday = z.object({
  day: z.iso.date().describe('The day, in UTC'),
  endsAt: z.iso.datetime().describe('When the day ends, and its figures begin at 0 again'),
  used: figures.describe('What your runs have taken today').extend({
    requests: figures.shape.requests.describe('Runs that you have begun'),
    inputTokens: figures.shape.inputTokens.describe('Tokens that the language model has read'),
    outputTokens: figures.shape.outputTokens.describe('Tokens that it has written'),
    running: figures.shape.running.describe('Runs in progress'),
  }),
  limits: z
    .object({
      running: limit.describe('Runs that may be in progress at once'),
      requests: limit.optional().describe('Runs that you may begin on a day'),
      tokens: limit.optional().describe('Tokens on a day, read and written'),
    })
    .describe('A limit that is absent does not exist'),
});
