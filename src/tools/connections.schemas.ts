import { z } from 'zod';

const scope = z.object({
  scope: z.string(),
  allows: z.string().describe("What it allows, in the provider's own words"),
  why: z.string().optional().describe('Why it is asked for, where it allows more than the tools need'),
});

/** A provider, and the user's account there. */
export const connectionView = z.object({
  provider: z.string().describe('The id of the provider'),
  label: z.string().describe('Its name for people'),
  settingsUrl: z.url().describe("The provider's own page, where you can withdraw what you have authorized"),
  scopes: z.array(scope).describe('Everything that the tools ask for, each when it is first needed'),
  tools: z.array(
    z.object({
      name: z.string(),
      title: z.string().describe("The tool's title for people"),
      effect: z
        .enum(['read', 'write'])
        .describe('A `write` waits for your approval each time, unless you have allowed more'),
      scopes: z.array(z.string()),
    }),
  ),
  account: z
    .object({
      login: z.string(),
      scopes: z.array(z.string()).describe('Those that it has authorized, as far as it was seen'),
      knownAt: z.iso.datetime().describe('When that was'),
      connectedAt: z.iso.datetime().optional().describe('When it was used first'),
      lastUse: z
        .object({ tool: z.string(), sessionId: z.string(), at: z.iso.datetime() })
        .optional()
        .describe('What used it last, up to half a minute ago'),
    })
    .optional()
    .describe(
      'The account that the tools act as, from its first use on. The next use shows whether the provider still accepts the authorization',
    ),
  disconnectedAt: z.iso
    .datetime()
    .optional()
    .describe('You have disconnected it. The tools ask for a new authorization before they use it again'),
  rules: z
    .array(
      z.object({
        id: z.string(),
        tool: z.string(),
        sessionId: z.string(),
        within: z.record(z.string(), z.string()).describe('The inputs that a call must have'),
        expiresAt: z.iso.datetime(),
      }),
    )
    .describe('What you allow without a new approval, each in one conversation'),
});
/** What became of a connection. */
export const disconnected = z.object({
  provider: z.string(),
  account: z.string().optional().describe('The account that was connected, where it was known'),
  settingsUrl: connectionView.shape.settingsUrl,
  grant: z
    .enum(['to_revoke', 'none', 'by_user', 'unknown'])
    .describe(
      '`to_revoke`: it stands at the provider until you send `revocation` on. `none`: there is no token that still works. `by_user`: this deployment cannot end it; do so at `settingsUrl`. `unknown`: it could not be looked up; do so at `settingsUrl`',
    ),
  revocation: z
    .object({
      url: z.url().describe('Send the ticket here by POST, as the form field `ticket`'),
      ticket: z.string().describe('Good for one minute, for you alone'),
    })
    .optional(),
});
export const ruleParameters = z.strictObject({
  provider: z.string().regex(/^[a-z][a-z0-9-]{0,31}$/),
  rule: z.string().regex(/^[\w-]{12}$/),
});
export const connectionList = z.object({ connections: z.array(connectionView) });

/** A provider, and the user's account there, as clients see them. */
export type ConnectionView = z.infer<typeof connectionView>;
