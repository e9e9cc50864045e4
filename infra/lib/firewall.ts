import { Stack } from 'aws-cdk-lib';
import type { ApplicationLoadBalancer } from 'aws-cdk-lib/aws-elasticloadbalancingv2';
import type { ILogGroup } from 'aws-cdk-lib/aws-logs';
import { CfnLoggingConfiguration, CfnWebACL, CfnWebACLAssociation } from 'aws-cdk-lib/aws-wafv2';
import { Construct } from 'constructs';
import type { Deployment } from './deployment.ts';

const MANAGED_RULES = [
  'AWSManagedRulesCommonRuleSet',
  'AWSManagedRulesKnownBadInputsRuleSet',
  'AWSManagedRulesAmazonIpReputationList',
];

/**
 * These rules would refuse texts that people write to an assistant (code, markup, paths), values that the load balancer and
 * browsers send (cookie shards, long callbacks, tickets), and API clients without a name. The application checks all of them
 * itself.
 */
const COUNTED = [
  {
    group: 'AWSManagedRulesCommonRuleSet',
    rules: [
      'SizeRestrictions_BODY',
      'SizeRestrictions_QUERYSTRING',
      'SizeRestrictions_Cookie_HEADER',
      'NoUserAgent_HEADER',
      'CrossSiteScripting_BODY',
      'GenericLFI_BODY',
      'GenericRFI_BODY',
      'EC2MetaDataSSRF_BODY',
    ],
  },
  {
    group: 'AWSManagedRulesKnownBadInputsRuleSet',
    rules: ['Log4JRCE_BODY', 'JavaDeserializationRCE_BODY', 'ReactJSRCE_BODY'],
  },
];

/** The first shard of the load balancer's session cookie, which is unique for each sign-in. */
const SESSION_COOKIE = 'AWSELBAuthSessionCookie-0';
/**
 * The fields that neither a log nor a sample may contain: sessions, tokens, and queries with the tickets and session URIs of
 * authorizations.
 */
const SECRET_HEADERS = ['cookie', 'authorization', 'x-amzn-oidc-data', 'x-amzn-oidc-accesstoken'];
const REDACTED: CfnLoggingConfiguration.FieldToMatchProperty[] = [
  ...SECRET_HEADERS.map((Name) => ({ singleHeader: { Name } })),
  { queryString: {} },
];
const PROTECTED: CfnWebACL.DataProtectionConfigProperty = {
  dataProtections: [
    { action: 'SUBSTITUTION', field: { fieldType: 'SINGLE_HEADER', fieldKeys: SECRET_HEADERS } },
    { action: 'SUBSTITUTION', field: { fieldType: 'QUERY_STRING' } },
  ],
};

/** The web application firewall in front of the load balancer: rates, AWS's managed rules, and a log without secrets. */
export class Firewall extends Construct {
  /** The value of CloudWatch's dimension `WebACL`. Here the name of the ACL and the name of its metrics are the same. */
  readonly metricName: string;

  constructor(
    scope: Construct,
    id: string,
    { environment, firewall: given }: Deployment,
    { loadBalancer, log }: { readonly loadBalancer: ApplicationLoadBalancer; readonly log: ILogGroup },
  ) {
    super(scope, id);
    this.metricName = `onbehalf-${environment}`;
    const managed = MANAGED_RULES.map((name, index) => managedRule(name, index + 10));
    const acl = new CfnWebACL(this, 'Acl', {
      name: this.metricName,
      scope: 'REGIONAL',
      defaultAction: { allow: {} },
      rules: [
        rateRule('RateOfSession', 0, {
          aggregateKeyType: 'CUSTOM_KEYS',
          limit: given.requestsPerSession,
          customKeys: [
            { cookie: { name: SESSION_COOKIE, textTransformations: [{ priority: 0, type: 'NONE' }] } },
          ],
        }),
        rateRule('RateOfAddress', 1, { aggregateKeyType: 'IP', limit: given.requestsPerIp }),
        ...managed,
      ],
      visibilityConfig: visible(this.metricName),
      dataProtectionConfig: PROTECTED,
    });
    new CfnWebACLAssociation(this, 'Association', {
      resourceArn: loadBalancer.loadBalancerArn,
      webAclArn: acl.attrArn,
    });
    const { partition, region, account } = Stack.of(this);
    new CfnLoggingConfiguration(this, 'Logging', {
      resourceArn: acl.attrArn,
      // WAF requires the ARN without the `:*` at its end.
      logDestinationConfigs: [`arn:${partition}:logs:${region}:${account}:log-group:${log.logGroupName}`],
      redactedFields: REDACTED,
    });
  }
}

function rateRule(
  name: string,
  priority: number,
  rateBasedStatement: CfnWebACL.RateBasedStatementProperty,
): CfnWebACL.RuleProperty {
  return {
    name,
    priority,
    action: { block: {} },
    statement: { rateBasedStatement },
    visibilityConfig: visible(name),
  };
}

function managedRule(name: string, priority: number): CfnWebACL.RuleProperty {
  return {
    name,
    priority,
    overrideAction: { none: {} },
    statement: {
      managedRuleGroupStatement: {
        vendorName: 'AWS',
        name,
        ruleActionOverrides: COUNTED.filter(({ group }) => group === name).flatMap(({ rules }) =>
          rules.map((rule) => ({ name: rule, actionToUse: { count: {} } })),
        ),
      },
    },
    visibilityConfig: visible(name),
  };
}

/** With samples, an operator can see a refused request in the console for three hours, except for its protected fields. */
function visible(metricName: string): CfnWebACL.VisibilityConfigProperty {
  return { metricName, cloudWatchMetricsEnabled: true, sampledRequestsEnabled: true };
}
