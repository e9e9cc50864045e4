import { readFileSync } from 'node:fs';
import { z } from 'zod';
import type { Behaviour } from './agentcore-identity/behaviour.ts';
import { TENANTS } from './identity-provider/users.ts';
import { PROVIDERS } from './providers.ts';

/** The parts that a stack can have, by their names in the file. */
export const PART_NAMES = [
  'loadBalancer',
  'identityProvider',
  'agentCoreIdentity',
  'providers',
  'bedrock',
  's3',
  'account',
] as const;
export type PartName = (typeof PART_NAMES)[number];

/** The names under which the file chooses a port: the parts', with each provider by its id, and two more. */
const PORT_NAMES = [
  ...PART_NAMES.filter((name) => name !== 'providers'),
  ...PROVIDERS.map(({ id }) => id),
  'board',
  'keys',
];

const text = z.string().min(1);
const url = z.url({ protocol: /^https?$/ });
const port = z.int().min(1).max(65_535);
/** AWS's own model has the exact constraints; a name outside them is refused when it is used. */
const client = z.strictObject({ clientId: text, clientSecret: text, redirectUris: z.array(url).default([]) });

const reply = z.strictObject({
  /** A part of the user's text, in any case. */
  when: text.describe("Part of the user's text; letter case does not matter."),
  say: z.string().default('').describe('What the model answers.'),
  call: z
    .array(z.strictObject({ name: text, input: z.record(z.string(), z.unknown()).default({}) }))
    .default([])
    .describe('The tools that the model calls.'),
});

const credentialProvider = z.strictObject({
  name: text,
  vendor: text.default('CustomOauth2').describe("One of AWS's vendors, such as GithubOauth2."),
  clientId: text,
  clientSecret: text,
  provider: text
    .exactOptional()
    .describe('A provider of this stack, such as github. It takes the place of the endpoints.'),
  authorizationEndpoint: url.exactOptional(),
  tokenEndpoint: url.exactOptional(),
});

const choices = z.strictObject({
  sessionsOpenAgain: z.boolean().exactOptional(),
  customStateParameter: z.enum(['state', 'customState', 'none']).exactOptional(),
  denial: z.enum(['session_and_error', 'error_alone', 'session_alone']).exactOptional(),
  fewerScopesSatisfy: z.boolean().exactOptional(),
  otherTokenCompletes: z.boolean().exactOptional(),
} satisfies Record<keyof Behaviour, z.ZodType>);

/** All answers of one kind, or some of them by their names. */
export const behaviour = z.union([z.enum(['strict', 'lenient']), choices]);

/** The form of `stack.json`. Everything is optional, and is added to what the stack has without a file. */
export const stackFile = z
  .strictObject({
    $schema: z.string().exactOptional(),
    port: port
      .exactOptional()
      .describe('The first of the ports. LOCAL_PORT goes before it; the default is 8000.'),
    parts: z.array(z.enum(PART_NAMES)).exactOptional().describe('The parts to start; all when absent.'),
    ports: z
      .partialRecord(z.enum(PORT_NAMES), port)
      .default({})
      .describe('The port of a part, by its name; of a provider, by its id; and of "board" and "keys".'),
    identityProvider: z
      .strictObject({
        tenant: z.enum(TENANTS).default('entra').describe('The product whose claims and subjects it has.'),
        users: z
          .array(
            z.strictObject({
              username: text,
              name: text,
              oid: z.uuid().exactOptional(),
              groups: z.array(text).default([]),
            }),
          )
          .min(1)
          .exactOptional(),
        clients: z.array(client).default([]),
      })
      .prefault({}),
    loadBalancer: z
      .strictObject({
        issuer: url
          .exactOptional()
          .describe('A foreign issuer, in place of the identity provider of this stack.'),
        clientId: text.exactOptional(),
        clientSecret: text.exactOptional(),
        scope: text.exactOptional().describe('The scopes that a sign-in asks for.'),
        targets: z
          .record(z.string(), z.array(url))
          .default({})
          .describe('The addresses of each target group. `agent` and `session-binding` are the two roles.'),
        rules: z
          .array(
            z.strictObject({
              paths: z.array(text).min(1).describe('Paths, in which * is any text.'),
              methods: z.array(text).exactOptional(),
              action: z
                .enum(['authenticate', 'deny'])
                .describe('For a request without a session: redirect to the sign-in, or answer 401.'),
              target: text,
            }),
          )
          .default([]),
      })
      .prefault({}),
    agentCoreIdentity: z
      .strictObject({
        workloads: z.array(z.strictObject({ name: text, returnUrls: z.array(url).default([]) })).default([]),
        credentialProviders: z.array(credentialProvider).default([]),
        vendors: z
          .record(z.string(), z.strictObject({ authorizationEndpoint: url, tokenEndpoint: url }))
          .default({})
          .describe(
            "The endpoints of AWS's vendors, for credential providers that are created over the API.",
          ),
        apiKeys: z.record(z.string(), text).default({}),
        trustedIssuers: z
          .array(z.strictObject({ issuer: url, jwksUri: url, audience: text }))
          .default([])
          .describe('The issuers whose JWTs are user tokens.'),
        policies: z
          .record(z.string(), z.array(text))
          .default({})
          .describe('The operations that an access key may call. A key that is not listed may call all.'),
        behaviour: behaviour.default('strict').describe('What AWS leaves open: docs/conformance.md.'),
      })
      .prefault({}),
    providers: z
      .record(z.string(), z.strictObject({ clients: z.array(client).default([]) }))
      .default({})
      .describe('Further OAuth clients of a provider of this stack, by its id.'),
    bedrock: z
      .strictObject({
        wordDelayMs: z.int().min(0).max(60_000).exactOptional(),
        replies: z
          .array(reply)
          .default([])
          .describe('What the model answers, before its rules. The first that fits counts.'),
      })
      .prefault({}),
    s3: z.strictObject({ buckets: z.array(text).default([]) }).prefault({}),
  })
  .describe('What a local stack has, beside what it has without a file.');

/** What a local stack has, beside what it has without a file. */
export type StackFile = z.infer<typeof stackFile>;

/** The file of a stack that has none. */
export const NO_FILE: StackFile = stackFile.parse({});

/**
 * Reads a stack's file.
 * @throws Error with a sentence that names the file and what is wrong in it
 */
export function readStackFile(file: string): StackFile {
  let written: unknown;
  try {
    written = JSON.parse(readFileSync(file, 'utf8'));
  } catch (error) {
    const isMissing = (error as NodeJS.ErrnoException).code === 'ENOENT';
    throw new Error(
      isMissing ? `There is no file ${file}.` : `${file} is not JSON: ${(error as Error).message}`,
      {
        cause: error,
      },
    );
  }
  return stackOf(written, file);
}

/**
 * Checks what a stack's file says.
 * @throws Error with a sentence that names the file and what is wrong in it
 */
export function stackOf(written: unknown, file: string): StackFile {
  const { data, error } = stackFile.safeParse(written);
  if (data !== undefined) return data;
  const lines = error.issues.map(({ path, message }) => `  ${path.join('.') || 'the file'}: ${message}`);
  throw new Error(`${file} is not what a stack can have (stack.schema.json):\n${lines.join('\n')}`);
}
