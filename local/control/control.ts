import type { IncomingMessage, ServerResponse } from 'node:http';
import { z } from 'zod';
import { answersOf } from '../agentcore-identity/behaviour.ts';
import { parse, readJson } from '../fault-board/bodies.ts';
import { Refusal } from '../fault-board/refusal.ts';
import { route, type Routes } from '../fault-board/routes.ts';
import type { Recorder } from '../inspector/recorder.ts';
import { ENVIRONMENT_OWNERS, type EnvironmentOwner } from '../lib/environment.ts';
import { sendJson, urlOf } from '../lib/http.ts';
import type { StartedParts } from '../parts.ts';
import { behaviour } from '../stack-file.ts';
import { restore, snapshotOf, type Snapshot } from './snapshot.ts';

/** What is controlled over HTTP. */
export interface Controlled {
  readonly parts: StartedParts;
  /** How far the clock of the parts is ahead. */
  readonly clock: { offsetMs: number };
  readonly recorder: Recorder | undefined;
  readonly now: () => number;
  environment(owner: EnvironmentOwner): Record<string, string>;
  reset(): Promise<void>;
}

const YEARS_MS = 10 * 365 * 24 * 3_600_000;
const SNAPSHOT_BYTES = 256 * 1024 * 1024;

const advance = z.strictObject({ advanceMs: z.int().min(1).max(YEARS_MS) });
const choose = z.strictObject({ behaviour });
/** The parts of a snapshot are those that this stack wrote itself. */
const snapshot = z.looseObject({
  version: z.literal(1),
  clockOffsetMs: z.int().min(0),
  providers: z.record(z.string(), z.unknown()),
});

const ROUTES: Routes<{ readonly stack: Controlled }> = {
  'GET /__stack': ({ stack, response }) => {
    sendJson(response, 200, stateOf(stack));
  },
  'POST /__stack/reset': async ({ stack, response }) => {
    await stack.reset();
    stack.recorder?.clear();
    response.writeHead(204).end();
  },
  'POST /__stack/clock': async ({ stack, request, response }) => {
    stack.clock.offsetMs += parse(advance, await readJson(request)).advanceMs;
    sendJson(response, 200, clockOf(stack));
  },
  'PUT /__stack/behaviour': async ({ stack, request, response }) => {
    const { agentCoreIdentity } = stack.parts;
    if (agentCoreIdentity === undefined) throw new Refusal(404, 'This stack has no AgentCore Identity.');
    const { behaviour: choice } = parse(choose, await readJson(request));
    Object.assign(agentCoreIdentity.behaviour, answersOf(choice));
    sendJson(response, 200, agentCoreIdentity.behaviour);
  },
  'GET /__stack/requests': ({ stack, request, response }) => {
    const since = Number(urlOf(request).searchParams.get('since') ?? 0);
    response.writeHead(200, { 'content-type': 'application/x-ndjson' });
    response.end((stack.recorder?.hops(since) ?? []).map((hop) => `${JSON.stringify(hop)}\n`).join(''));
  },
  'DELETE /__stack/requests': ({ stack, response }) => {
    stack.recorder?.clear();
    response.writeHead(204).end();
  },
  'GET /__stack/snapshot': ({ stack, response }) => {
    sendJson(response, 200, snapshotOf(stack.parts, stack.clock));
  },
  'PUT /__stack/snapshot': async ({ stack, request, response }) => {
    const given = parse(snapshot, await readJson(request, { limit: SNAPSHOT_BYTES }));
    restore(given as unknown as Snapshot, stack.parts, stack.clock);
    response.writeHead(204).end();
  },
};

/** Answers a request under `/__stack`. @throws Refusal */
export function answerControl(
  stack: Controlled,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  return route(ROUTES, { stack }, request, response);
}

function stateOf(stack: Controlled): object {
  const { loadBalancer, identityProvider, agentCoreIdentity, providers, bedrock, s3, account } = stack.parts;
  return {
    parts: {
      loadBalancer: loadBalancer?.url,
      identityProvider: identityProvider?.url,
      agentCoreIdentity: agentCoreIdentity?.url,
      providers: Object.fromEntries([...providers].map(([id, { url }]) => [id, url])),
      bedrock: bedrock?.url,
      s3: s3?.url,
      account: account?.url,
    },
    users: identityProvider?.users.map(({ username, sub }) => ({ username, sub })),
    clock: clockOf(stack),
    behaviour: agentCoreIdentity?.behaviour,
    environment: Object.fromEntries(ENVIRONMENT_OWNERS.map((owner) => [owner, stack.environment(owner)])),
  };
}

function clockOf({ clock, now }: Controlled): object {
  return { offsetMs: clock.offsetMs, now: new Date(now()).toISOString() };
}
