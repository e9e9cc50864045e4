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
      effect: z.enum(['read', 'write']).describe('A `write` waits for your approval each time'),
      scopes: z.array(z.string()),
    }),
  ),
  account: z
    .object({
      login: z.string(),
      scopes: z.array(z.string()).describe('Those that it had authorized when it was last looked at'),
      knownAt: z.iso.datetime().describe('When that was'),
    })
    .optional()
    .describe(
      'The account that the tools act as, from its first use on. The next use shows whether the provider still accepts the authorization',
    ),
});
export const connectionList = z.object({ connections: z.array(connectionView) });

/** A provider, and the user's account there, as clients see them. */
export type ConnectionView = z.infer<typeof connectionView>;
