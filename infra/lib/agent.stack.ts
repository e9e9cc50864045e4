import { CfnElement, CfnOutput, Duration, Fn, Stack, type StackProps } from 'aws-cdk-lib';
import { CfnBudget } from 'aws-cdk-lib/aws-budgets';
import { Metric } from 'aws-cdk-lib/aws-cloudwatch';
import { Peer, Port, SecurityGroup, type IVpc } from 'aws-cdk-lib/aws-ec2';
import { DockerImageAsset, Platform } from 'aws-cdk-lib/aws-ecr-assets';
import { Repository } from 'aws-cdk-lib/aws-ecr';
import { Cluster, ContainerImage, Secret as ContainerSecret } from 'aws-cdk-lib/aws-ecs';
import { Key } from 'aws-cdk-lib/aws-kms';
import { FilterPattern, MetricFilter, type ILogGroup } from 'aws-cdk-lib/aws-logs';
import { Secret } from 'aws-cdk-lib/aws-secretsmanager';
import type { Construct, IConstruct } from 'constructs';
import { AuditTrail } from './audit-trail.ts';
import type { Deployment } from './deployment.ts';
import { Edge } from './edge.ts';
import { environmentOf, prefixOf } from './environment.ts';
import { Firewall } from './firewall.ts';
import { namesOf } from './names.ts';
import { Network } from './network.ts';
import { Observability } from './observability.ts';
import { agentPolicy, sessionBindingPolicy } from './permissions.ts';
import { ContainerInsights, PORT, RoleService, type RoleServiceProps } from './service.ts';
import { Storage } from './storage.ts';

const REPOSITORY = `${import.meta.dirname}/../..`;

/** Both roles on Fargate behind one load balancer, with the network, the storage and the alarms that they need. */
export class AgentStack extends Stack {
  /** Logical ids. The checks use them to name their findings. */
  readonly auditBucketId: string;
  readonly sessionsBucketId: string | undefined;

  constructor(scope: Construct, id: string, given: Deployment, props: StackProps) {
    super(scope, id, props);
    const storage = new Storage(this, 'Storage', given);
    const network = new Network(this, 'Network', given.network, storage.logGroup('FlowLogs'));
    const { vpc } = network;
    const { front, tasks } = this.#securityGroups(vpc, given);
    network.letOut(Object.values(tasks));
    const identityIsHere = (given.identityRegion ?? given.region) === given.region;
    network.openEndpoints(Object.values(tasks), storage.bucket.bucketArn, identityIsHere);
    const edge = new Edge(this, 'Edge', given, { vpc, accessLogs: storage.accessLogs, securityGroup: front });
    const firewall = new Firewall(this, 'Firewall', given, {
      loadBalancer: edge.loadBalancer,
      // WAF writes only to log groups with this prefix. The group outlives the stack, so the group of the next stack needs
      // another name.
      log: storage.logGroup('FirewallLogs', `aws-waf-logs-onbehalf-${given.environment}-${idOf(this)}`),
    });

    const logGroups = {
      agent: storage.logGroup('AgentLogs'),
      sessionBinding: storage.logGroup('SessionBindingLogs'),
    };
    const [flowSecret, accepted] = this.#flowSecrets(storage);
    const common = {
      cluster: new Cluster(this, 'Cluster', { vpc, containerInsightsV2: ContainerInsights.ENABLED }),
      vpc,
      image: this.#image(given),
      secrets: {
        FLOW_SECRET: ContainerSecret.fromSecretsManager(flowSecret),
        FLOW_SECRET_ACCEPTED: ContainerSecret.fromSecretsManager(accepted),
      },
    };
    const environment = environmentOf(given, {
      albArn: edge.loadBalancer.loadBalancerArn,
      bucketName: storage.bucket.bucketName,
    });
    const services = this.#services(given, { common, environment, storage, logGroups, tasks });
    edge.route({ agent: services.agent.targetGroup, 'session-binding': services.sessionBinding.targetGroup });
    this.#scale(given, services, logGroups.agent);
    const auditTrail = new AuditTrail(this, 'AuditTrail', {
      given: given.audit,
      key: storage.auditKey,
      accessLogs: storage.accessLogs,
      logGroups: Object.values(logGroups),
      deliveryLog: storage.logGroup('AuditDeliveryLogs'),
    });
    this.auditBucketId = this.#idOf(auditTrail.bucket) ?? '';
    this.sessionsBucketId = this.#idOf(storage.bucket);
    new Observability(this, 'Observability', given, {
      loadBalancer: edge.loadBalancer,
      firewall,
      clusterName: common.cluster.clusterName,
      services,
      logGroups,
      key: storage.logsKey,
      auditTrail,
    });
    this.#budget(given);
    new CfnOutput(this, 'PublicUrl', { value: namesOf(given).publicUrl });
    new CfnOutput(this, 'LoadBalancerDnsName', { value: edge.loadBalancer.loadBalancerDnsName });
    new CfnOutput(this, 'LoadBalancerArn', { value: edge.loadBalancer.loadBalancerArn });
    new CfnOutput(this, 'ClusterName', { value: common.cluster.clusterName });
    new CfnOutput(this, 'AgentServiceName', { value: services.agent.service.serviceName });
    new CfnOutput(this, 'SessionBindingServiceName', { value: services.sessionBinding.service.serviceName });
    new CfnOutput(this, 'FlowSecretName', { value: flowSecret.secretName });
    new CfnOutput(this, 'FlowSecretAcceptedName', { value: accepted.secretName });
  }

  #services(
    given: Deployment,
    {
      common,
      environment,
      storage,
      logGroups,
      tasks,
    }: {
      readonly common: Pick<RoleServiceProps, 'cluster' | 'vpc' | 'image' | 'secrets'>;
      readonly environment: ReturnType<typeof environmentOf>;
      readonly storage: Storage;
      readonly logGroups: Readonly<Record<'agent' | 'sessionBinding', ILogGroup>>;
      readonly tasks: Readonly<Record<'agent' | 'sessionBinding', SecurityGroup>>;
    },
  ): Readonly<Record<'agent' | 'sessionBinding', RoleService>> {
    const service = (
      name: string,
      {
        moreSecrets,
        ...of
      }: Omit<RoleServiceProps, keyof typeof common | 'family'> & {
        readonly moreSecrets?: RoleServiceProps['secrets'];
      },
    ): RoleService =>
      new RoleService(this, name, {
        ...common,
        ...of,
        secrets: { ...common.secrets, ...moreSecrets },
        family: `onbehalf-${given.environment}-${of.role}`,
      });
    return {
      agent: service('Agent', {
        role: 'agent',
        environment: environment.agent,
        policy: agentPolicy(this, given, storage),
        size: given.agent,
        logGroup: logGroups.agent,
        securityGroup: tasks.agent,
        // At the end of the delay the load balancer cuts open connections, before the task gets SIGTERM. By then every run
        // has ended by itself or by its deadline, and its user has received the result.
        drain: Duration.minutes(given.agent.runMinutes + 1),
      }),
      sessionBinding: service('SessionBinding', {
        role: 'session-binding',
        environment: environment.sessionBinding,
        moreSecrets: this.#clientSecrets(given),
        policy: sessionBindingPolicy(this, given, storage),
        size: given.sessionBinding,
        logGroup: logGroups.sessionBinding,
        securityGroup: tasks.sessionBinding,
        drain: Duration.seconds(15),
      }),
    };
  }

  /** The secrets of the clients whose grants session binding can end: they are the ones that AgentCore Identity reads. */
  #clientSecrets(given: Deployment): RoleServiceProps['secrets'] {
    const region = given.identityRegion ?? given.region;
    const { partition, account } = Stack.of(this);
    const secrets = given.providers
      .filter(({ endGrants }) => endGrants)
      .map(({ id, clientSecretName, clientSecretKeyArn }) => {
        const secret = Secret.fromSecretAttributes(this, `ClientSecret-${id}`, {
          secretPartialArn: `arn:${partition}:secretsmanager:${region}:${account}:secret:${clientSecretName}`,
          ...(clientSecretKeyArn !== undefined && {
            encryptionKey: Key.fromKeyArn(this, `ClientSecretKey-${id}`, clientSecretKeyArn),
          }),
        });
        return [
          `${prefixOf(id)}_CLIENT_SECRET`,
          ContainerSecret.fromSecretsManager(secret, 'clientSecret'),
        ] as const;
      });
    return Object.fromEntries(secrets);
  }

  /** The tested image, by its digest; or an image of this checkout, which the CDK builds and pushes. */
  #image({ image, revision }: Deployment): ContainerImage {
    if (image === undefined) {
      const asset = new DockerImageAsset(this, 'Image', {
        directory: REPOSITORY,
        platform: Platform.LINUX_ARM64,
        ...(revision !== undefined && { buildArgs: { REVISION: revision } }),
      });
      return ContainerImage.fromDockerImageAsset(asset);
    }
    const [address = '', digest = ''] = image.split('@');
    const [registry = '', ...name] = address.split('/');
    const [account = '', , , region = ''] = registry.split('.');
    const repository = Repository.fromRepositoryAttributes(this, 'Repository', {
      repositoryArn: `arn:${Stack.of(this).partition}:ecr:${region}:${account}:repository/${name.join('/')}`,
      repositoryName: name.join('/'),
    });
    return ContainerImage.fromEcrRepository(repository, digest);
  }

  /** The secret that seals, and the secret that is also accepted during a replacement: docs/operations.md. */
  #flowSecrets(storage: Storage): readonly [Secret, Secret] {
    const make = (name: string, description: string): Secret =>
      new Secret(this, name, {
        description,
        encryptionKey: storage.logsKey,
        generateSecretString: { passwordLength: 64, excludePunctuation: true },
      });
    return [
      make('FlowSecret', 'OnBehalf: the keys of tickets and results are derived from it'),
      make('FlowSecretAccepted', 'OnBehalf: accepted beside the flow secret while that is replaced'),
    ];
  }

  /** Users reach the load balancer, and only the load balancer reaches the tasks. */
  #securityGroups(
    vpc: IVpc,
    { loadBalancer }: Deployment,
  ): {
    readonly front: SecurityGroup;
    readonly tasks: Readonly<Record<'agent' | 'sessionBinding', SecurityGroup>>;
  } {
    const group = (name: string, description: string): SecurityGroup =>
      new SecurityGroup(this, name, { vpc, description, allowAllOutbound: false });
    const front = group('FrontGroup', 'The load balancer');
    const tasks = {
      agent: group('AgentGroup', 'The agent role'),
      sessionBinding: group('SessionBindingGroup', 'The session-binding role'),
    };
    for (const source of loadBalancer.sourceCidrs) {
      for (const port of [80, 443]) front.addIngressRule(Peer.ipv4(source), Port.tcp(port), 'Users');
    }
    front.addEgressRule(Peer.anyIpv4(), Port.tcp(443), 'The identity provider');
    for (const each of Object.values(tasks)) {
      each.addIngressRule(front, Port.tcp(PORT), 'The load balancer, and nobody else');
      front.addEgressRule(each, Port.tcp(PORT), 'The tasks');
    }
    return { front, tasks };
  }

  /** Scales each role by its own load: the agent by runs in progress and CPU, session binding by requests. */
  #scale(
    given: Deployment,
    { agent, sessionBinding }: Readonly<Record<'agent' | 'sessionBinding', RoleService>>,
    agentLogs: ConstructorParameters<typeof MetricFilter>[2]['logGroup'],
  ): void {
    const metricNamespace = `OnBehalf/${given.environment}`;
    const metricName = 'RunsInProgress';
    new MetricFilter(this, 'RunsInProgressFilter', {
      logGroup: agentLogs,
      metricNamespace,
      metricName,
      filterPattern: FilterPattern.stringValue('$.event', '=', 'runs_in_progress'),
      metricValue: '$.running',
    });
    agent.scaling.scaleToTrackCustomMetric('Runs', {
      metric: new Metric({
        namespace: metricNamespace,
        metricName,
        statistic: 'Average',
        period: Duration.minutes(1),
      }),
      targetValue: given.agent.runsPerTask,
      scaleInCooldown: Duration.minutes(5),
      scaleOutCooldown: Duration.minutes(1),
    });
    agent.scaling.scaleOnCpuUtilization('Cpu', { targetUtilizationPercent: 60 });
    sessionBinding.scaling.scaleOnRequestCount('Requests', {
      requestsPerTarget: given.sessionBinding.requestsPerTask,
      targetGroup: sessionBinding.targetGroup,
    });
  }

  #idOf(construct: IConstruct): string | undefined {
    const resource = construct.node.defaultChild;
    return resource instanceof CfnElement ? this.getLogicalId(resource) : undefined;
  }

  #budget(given: Deployment): void {
    if (given.monthlyBudgetUsd === undefined) return;
    const subscribers =
      given.alarmEmail === undefined ? [] : [{ subscriptionType: 'EMAIL', address: given.alarmEmail }];
    new CfnBudget(this, 'Budget', {
      budget: {
        budgetType: 'COST',
        timeUnit: 'MONTHLY',
        budgetLimit: { amount: given.monthlyBudgetUsd, unit: 'USD' },
        // The tags must be activated once for cost allocation: docs/deploy.md.
        costFilters: { TagKeyValue: ['user:application$onbehalf', `user:environment$${given.environment}`] },
      },
      ...(subscribers.length > 0 && {
        notificationsWithSubscribers: [
          {
            notification: {
              notificationType: 'FORECASTED',
              comparisonOperator: 'GREATER_THAN',
              threshold: 100,
            },
            subscribers,
          },
        ],
      }),
    });
  }
}

/** Eight characters that differ for every stack, even for a later stack of the same name. */
function idOf({ stackId }: Stack): string {
  return Fn.select(0, Fn.split('-', Fn.select(2, Fn.split('/', stackId))));
}
