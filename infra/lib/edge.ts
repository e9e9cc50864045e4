import { Duration, SecretValue } from 'aws-cdk-lib';
import { Certificate, CertificateValidation } from 'aws-cdk-lib/aws-certificatemanager';
import { SubnetType, type IVpc, type SecurityGroup } from 'aws-cdk-lib/aws-ec2';
import {
  ApplicationLoadBalancer,
  ApplicationProtocol,
  DesyncMitigationMode,
  ListenerAction,
  ListenerCondition,
  SslPolicy,
  UnauthenticatedAction,
  XffHeaderProcessingMode,
  type ApplicationListener,
  type IApplicationTargetGroup,
} from 'aws-cdk-lib/aws-elasticloadbalancingv2';
import { ARecord, HostedZone, RecordTarget } from 'aws-cdk-lib/aws-route53';
import { LoadBalancerTarget } from 'aws-cdk-lib/aws-route53-targets';
import type { IBucket } from 'aws-cdk-lib/aws-s3';
import { Construct } from 'constructs';
import type { Deployment } from './deployment.ts';
import { oidcEndpoints } from './oidc.ts';

type Target = 'agent' | 'session-binding';

interface Rule {
  readonly paths: readonly string[];
  readonly methods?: readonly string[];
  /**
   * `authenticate` redirects a browser to the sign-in; `deny` answers 401, because an API client cannot follow the redirect.
   */
  readonly otherwise: 'authenticate' | 'deny';
  readonly target: Target;
}

/** A request that matches none of these rules gets 404. No rule lets a request in without a sign-in. */
export const RULES: readonly Rule[] = [
  {
    paths: ['/oauth2/connect', '/oauth2/session-binding', '/sign-out'],
    methods: ['GET'],
    otherwise: 'authenticate',
    target: 'session-binding',
  },
  {
    paths: ['/oauth2/connect', '/oauth2/revocation', '/sign-out'],
    otherwise: 'deny',
    target: 'session-binding',
  },
  {
    paths: ['/', '/assets/*', '/docs', '/docs/*'],
    methods: ['GET'],
    otherwise: 'authenticate',
    target: 'agent',
  },
  {
    paths: ['/invocations', '/openapi.json', '/runs/*', '/sessions', '/sessions/*'],
    otherwise: 'deny',
    target: 'agent',
  },
  // A rule takes five paths.
  {
    paths: ['/connections', '/connections/*', '/me', '/receipts', '/usage'],
    otherwise: 'deny',
    target: 'agent',
  },
];

export interface EdgeProps {
  readonly vpc: IVpc;
  readonly accessLogs: IBucket;
  readonly securityGroup: SecurityGroup;
}

/** The entry for users: DNS name, certificate, and the load balancer that signs users in. */
export class Edge extends Construct {
  readonly loadBalancer: ApplicationLoadBalancer;
  readonly listener: ApplicationListener;
  readonly #given: Deployment;

  constructor(
    scope: Construct,
    id: string,
    given: Deployment,
    { vpc, accessLogs, securityGroup }: EdgeProps,
  ) {
    super(scope, id);
    this.#given = given;
    const { internal, deletionProtection } = given.loadBalancer;
    this.loadBalancer = new ApplicationLoadBalancer(this, 'LoadBalancer', {
      vpc,
      vpcSubnets: { subnetType: internal ? SubnetType.PRIVATE_WITH_EGRESS : SubnetType.PUBLIC },
      internetFacing: !internal,
      securityGroup,
      deletionProtection,
      dropInvalidHeaderFields: true,
      desyncMitigationMode: DesyncMitigationMode.STRICTEST,
      xffHeaderProcessingMode: XffHeaderProcessingMode.APPEND,
      // Streams send a line every ten seconds.
      idleTimeout: Duration.seconds(60),
    });
    this.loadBalancer.logAccessLogs(accessLogs, 'load-balancer');
    this.listener = this.loadBalancer.addListener('Https', {
      port: 443,
      protocol: ApplicationProtocol.HTTPS,
      sslPolicy: SslPolicy.TLS13_RES,
      certificates: [this.#certificate()],
      open: false,
      defaultAction: ListenerAction.fixedResponse(404, {
        contentType: 'text/plain',
        messageBody: 'Not found',
      }),
    });
    this.loadBalancer.addRedirect({ open: false });
    this.#alias();
  }

  /** Adds the rules, each with a sign-in. */
  route(targets: Readonly<Record<Target, IApplicationTargetGroup>>): void {
    for (const [index, { paths, methods, otherwise, target }] of RULES.entries()) {
      this.listener.addAction(`Rule${String(index + 1)}`, {
        priority: (index + 1) * 10,
        conditions: [
          ListenerCondition.pathPatterns([...paths]),
          ...(methods === undefined ? [] : [ListenerCondition.httpRequestMethods([...methods])]),
        ],
        action: this.#signIn(otherwise, targets[target]),
      });
    }
  }

  #signIn(otherwise: Rule['otherwise'], target: IApplicationTargetGroup): ListenerAction {
    const {
      clientId,
      clientSecretName,
      clientSecretVersionId: versionId,
      scope,
      sessionHours,
    } = this.#given.oidc;
    return ListenerAction.authenticateOidc({
      ...oidcEndpoints(this.#given),
      clientId,
      clientSecret: SecretValue.secretsManager(
        clientSecretName,
        versionId === undefined ? {} : { versionId },
      ),
      scope,
      sessionTimeout: Duration.hours(sessionHours),
      onUnauthenticatedRequest:
        otherwise === 'deny' ? UnauthenticatedAction.DENY : UnauthenticatedAction.AUTHENTICATE,
      // This stack writes the outbound rules of the load balancer's security group itself.
      allowHttpsOutbound: false,
      next: ListenerAction.forward([target]),
    });
  }

  #certificate(): Certificate | ReturnType<typeof Certificate.fromCertificateArn> {
    const { name, certificateArn, hostedZone } = this.#given.domain;
    if (certificateArn !== undefined)
      return Certificate.fromCertificateArn(this, 'Certificate', certificateArn);
    const zone = hostedZone === undefined ? undefined : this.#zone(hostedZone);
    return new Certificate(this, 'Certificate', {
      domainName: name,
      validation: CertificateValidation.fromDns(zone),
    });
  }

  #zone({
    id,
    name,
  }: {
    readonly id: string;
    readonly name: string;
  }): ReturnType<typeof HostedZone.fromHostedZoneAttributes> {
    const existing = this.node.tryFindChild('Zone') as
      ReturnType<typeof HostedZone.fromHostedZoneAttributes> | undefined;
    return (
      existing ?? HostedZone.fromHostedZoneAttributes(this, 'Zone', { hostedZoneId: id, zoneName: name })
    );
  }

  #alias(): void {
    const { name, hostedZone } = this.#given.domain;
    if (hostedZone === undefined) return;
    new ARecord(this, 'Alias', {
      zone: this.#zone(hostedZone),
      recordName: `${name}.`,
      target: RecordTarget.fromAlias(new LoadBalancerTarget(this.loadBalancer)),
    });
  }
}
