import type { IncomingMessage } from 'node:http';
import { z } from 'zod';
import { readBody } from '../lib/http.ts';
import { Refusal } from './refusal.ts';

const MAXIMUM_BYTES = 64 * 1024;
const MAXIMUM_MS = 600_000;
const MAXIMUM_SECONDS = 86_400;

const milliseconds = z.int().min(1).max(MAXIMUM_MS);
const fault = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.enum(['reset', 'hang', 'stall', 'truncate', 'unanswered']) }),
  z.strictObject({ kind: z.literal('drip'), everyMs: milliseconds }),
  z.strictObject({ kind: z.literal('delay'), ms: milliseconds }),
  z.strictObject({ kind: z.literal('clock'), ms: z.int() }),
  z.strictObject({
    kind: z.literal('answer'),
    status: z.int().min(200).max(599),
    headers: z.record(z.string(), z.string()).exactOptional(),
    body: z.string().exactOptional(),
  }),
]);

const plan = z.strictObject({
  part: z.string(),
  path: z.string().min(1).max(200).optional(),
  operation: z.string().optional(),
  fault,
  times: z.int().min(1).optional(),
});
export type Plan = z.infer<typeof plan>;

const chosen = z.strictObject({
  login: z.string().optional(),
  seconds: z.coerce.number().int().min(1).max(MAXIMUM_SECONDS).optional(),
});
export type Chosen = z.infer<typeof chosen>;

export async function readPlan(request: IncomingMessage): Promise<Plan> {
  return parse(plan, await readJson(request));
}

/** What an action is told, from a JSON body. A request without a body tells nothing. */
export async function readChosen(request: IncomingMessage): Promise<Chosen> {
  return parse(chosen, await readJson(request, { absent: '{}' }));
}

/** The same from the form of the page. */
export async function readChosenInForm(request: IncomingMessage): Promise<Chosen> {
  return parse(chosen, Object.fromEntries(new URLSearchParams(await readText(request))));
}

/** The JSON of a body. @throws Refusal */
export async function readJson(
  request: IncomingMessage,
  { absent = '', limit = MAXIMUM_BYTES }: { readonly absent?: string; readonly limit?: number } = {},
): Promise<unknown> {
  const text = (await readText(request, limit)) || absent;
  if (request.headers['content-type']?.split(';')[0] !== 'application/json' && text !== absent)
    throw new Refusal(415, 'Send the body as JSON, with the header content-type: application/json.');
  try {
    return JSON.parse(text);
  } catch {
    throw new Refusal(400, 'The body is not JSON.');
  }
}

async function readText(request: IncomingMessage, limit = MAXIMUM_BYTES): Promise<string> {
  const body = await readBody(request, limit).catch(() => {
    throw new Refusal(413, `The body is larger than ${String(limit)} bytes.`);
  });
  return body.toString('utf8');
}

/** @throws Refusal */
export function parse<T>(schema: z.ZodType<T>, value: unknown): T {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const where = issue === undefined || issue.path.length === 0 ? 'The body' : issue.path.join('.');
  throw new Refusal(400, `${where} is not accepted: ${issue?.message ?? 'unknown'}.`);
}
