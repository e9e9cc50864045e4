import { z } from 'zod';
import { VENDORS } from './credential-provider.ts';
import { cidr, host, keyArn, region, secretName, subnet, text, url, zone } from './forms.ts';

export const oidcProvider = z.discriminatedUnion(
  'kind',
  [
    z.strictObject({
      kind: z.literal('entra').describe('Microsoft Entra ID'),
      tenantId: z.uuid({ error: "must be the tenant's id, a UUID" }),
    }),
    z.strictObject({
      kind: z.literal('cognito').describe('Amazon Cognito'),
      userPoolId: text(
        /^[a-z]{2}(-[a-z]+)+-\d_\w+$/,
        "must be the user pool's id, such as eu-central-1_A1b2C3d4E",
      ).describe('Its first part is the region of the pool'),
      domain: host().describe("The pool's domain"),
    }),
    z.strictObject({
      kind: z.literal('okta').describe('Okta'),
      domain: host().describe("The organization's domain"),
      authorizationServer: text(/^\w+$/, "must be the authorization server's id").default('default'),
    }),
    z.strictObject({
      kind: z.literal('custom').describe('Any other OpenID provider, by its discovery document'),
      issuer: url(),
      authorizationEndpoint: url(),
      tokenEndpoint: url(),
      userInfoEndpoint: url(),
    }),
  ],
  { error: 'must have a kind: entra, cognito, okta or custom' },
);

export const egress = z
  .strictObject({
    cidrs: z
      .array(cidr())
      .describe(
        "Where tasks may go: GitHub's ranges; those of the load balancer's key host, public-keys.auth.elb.REGION.amazonaws.com, without which nobody can sign in; AgentCore Identity's where it is in another region; with vpcId, the VPC's own range too, where its endpoints are",
      ),
    s3PrefixListId: text(/^pl-[0-9a-f]+$/, "must be a prefix list's id, pl-…").describe(
      "S3's in this region: aws ec2 describe-managed-prefix-lists tells it",
    ),
  })
  .describe('Closes the way out but for these, on port 443. Open to everywhere when absent');

export const network = z.union([
  z.strictObject({
    cidr: cidr().default('10.42.0.0/16').describe('A new VPC of this range'),
    availabilityZones: z
      .array(zone())
      .min(2, { error: 'needs at least two zones' })
      .describe('Its zones. With each comes a NAT gateway'),
    agentCoreZones: z
      .array(zone())
      .min(1, { error: 'needs at least one zone, or leave it out' })
      .optional()
      .describe(
        'The zones among them that have the endpoint of AgentCore, which serves some zones only: docs/deploy.md has the command. All of them when absent',
      ),
    egress: egress.optional(),
  }),
  z.strictObject({
    vpcId: text(/^vpc-\w+$/, "must be a VPC's id, vpc-…").describe('A VPC that is there, taken as it is'),
    availabilityZones: z.array(zone()).min(2, { error: 'needs at least two zones' }),
    publicSubnetIds: z.array(subnet()).min(2, { error: 'needs at least two subnets' }),
    privateSubnetIds: z.array(subnet()).min(2, { error: 'needs at least two subnets' }),
    egress: egress.optional(),
  }),
]);

export const model = z.strictObject({
  inferenceProfileId: text(
    /^((us|eu|apac|au|ca|jp|us-gov|global)\.[\w.:-]{1,250}|arn:aws[\w-]*:bedrock:[\w-]+:\d{12}:application-inference-profile\/\w+)$/,
    'must be an inference profile: us.…, eu.…, apac.…, global.…, or the ARN of an application inference profile',
  ),
  foundationModelId: text(
    /^[\w-]+\.[\w.:-]{1,250}$/,
    'must be a model id, such as anthropic.claude-…',
  ).describe("The model behind the profile: what a system-defined profile's id has after its first part"),
  regions: z
    .array(region())
    .min(1, { error: 'needs at least one region' })
    .describe(
      'Every region that the profile may send a request to: aws bedrock get-inference-profile tells them. A global profile sends to all regions of the account: name those that you use Bedrock in',
    ),
});

/** A provider whose tools the agent offers, and its OAuth client. */
export const provider = z.strictObject({
  id: text(/^[a-z][a-z0-9-]{0,31}$/, 'must be the id of a provider, such as github').describe(
    "The provider's id in the application, such as github",
  ),
  vendor: z
    .enum(VENDORS, { error: `must be one of ${VENDORS.join(', ')}` })
    .optional()
    .describe(
      'The vendor under which AgentCore Identity knows it. Needed for every provider but github, which is GithubOauth2, or CustomOauth2 where apiBase names a server of your own',
    ),
  clientId: text(/^[\x21-\x7e]{1,256}$/, 'must be a client id, without spaces').describe(
    'The OAuth client that you have registered at the provider',
  ),
  clientSecretName: secretName().describe(
    'A secret with the member clientSecret, in the region of AgentCore Identity',
  ),
  clientSecretKeyArn: keyArn()
    .optional()
    .describe('The key that encrypts that secret, where it is not AWS’s own'),
  endGrants: z
    .boolean()
    .default(false)
    .describe(
      'Users who disconnect the provider also end their authorization there: session binding gets the client’s secret. For github, and for what src/roles/revocable.ts names beside it',
    ),
  apiBase: url()
    .optional()
    .describe(
      "The provider's REST API, where it is another than its own; of GitHub Enterprise Server https://HOST/api/v3, and users consent there as well: untried, and AgentCore Identity must reach it over the Internet",
    ),
  endpoints: z
    .strictObject({ issuer: url(), authorizationEndpoint: url(), tokenEndpoint: url() })
    .optional()
    .describe('Of the authorization server; needed for the vendor CustomOauth2, and of use for it alone'),
});
export type ProviderDeployment = z.output<typeof provider>;
