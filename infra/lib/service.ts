import { Duration } from 'aws-cdk-lib';
import { type SecurityGroup, SubnetType, type IVpc } from 'aws-cdk-lib/aws-ec2';
import {
  AvailabilityZoneRebalancing,
  ContainerInsights,
  CpuArchitecture,
  FargateService,
  FargateTaskDefinition,
  AwsLogDriverMode,
  LogDriver,
  OperatingSystemFamily,
  PropagatedTagSource,
  type ContainerImage,
  type ICluster,
  type ScalableTaskCount,
  type Secret,
} from 'aws-cdk-lib/aws-ecs';
import { ApplicationProtocol, ApplicationTargetGroup } from 'aws-cdk-lib/aws-elasticloadbalancingv2';
import { type PolicyStatement } from 'aws-cdk-lib/aws-iam';
import type { ILogGroup } from 'aws-cdk-lib/aws-logs';
import { Construct } from 'constructs';

export const PORT = 8080;
export { ContainerInsights };

export interface RoleServiceProps {
  readonly role: 'agent' | 'session-binding';
  readonly cluster: ICluster;
  readonly vpc: IVpc;
  readonly image: ContainerImage;
  readonly environment: Readonly<Record<string, string>>;
  readonly secrets: Readonly<Record<string, Secret>>;
  readonly policy: readonly PolicyStatement[];
  /** The name with which operators find the task definition. */
  readonly family: string;
  readonly size: {
    readonly cpu: number;
    readonly memoryMiB: number;
    readonly minimum: number;
    readonly maximum: number;
  };
  readonly logGroup: ILogGroup;
  readonly securityGroup: SecurityGroup;
  /** How long a task that is stopped may still answer its open requests. */
  readonly drain: Duration;
}

/** One role as a Fargate service behind the load balancer. The two roles differ only in these props. */
export class RoleService extends Construct {
  readonly service: FargateService;
  readonly targetGroup: ApplicationTargetGroup;
  readonly scaling: ScalableTaskCount;

  constructor(scope: Construct, id: string, props: RoleServiceProps) {
    super(scope, id);
    const { role, cluster, vpc, size } = props;
    const definition = new FargateTaskDefinition(this, 'Task', {
      family: props.family,
      cpu: size.cpu,
      memoryLimitMiB: size.memoryMiB,
      runtimePlatform: {
        cpuArchitecture: CpuArchitecture.ARM64,
        operatingSystemFamily: OperatingSystemFamily.LINUX,
      },
    });
    definition.addContainer('app', {
      image: props.image,
      readonlyRootFilesystem: true,
      user: '1000:1000',
      environment: { ROLE: role, PORT: String(PORT), ...props.environment },
      secrets: props.secrets,
      // A role waits rather than loses a log line, because the log contains the audit trail.
      logging: LogDriver.awsLogs({
        logGroup: props.logGroup,
        streamPrefix: role,
        mode: AwsLogDriverMode.BLOCKING,
      }),
      portMappings: [{ containerPort: PORT }],
      // The application ends and saves its streams within 20 s of SIGTERM.
      stopTimeout: Duration.seconds(30),
      healthCheck: {
        command: ['CMD', 'node', 'dist/healthcheck.js'],
        interval: Duration.seconds(15),
        timeout: Duration.seconds(5),
        startPeriod: Duration.seconds(30),
      },
    });
    for (const statement of props.policy) definition.taskRole.addToPrincipalPolicy(statement);
    this.service = new FargateService(this, 'Service', {
      cluster,
      taskDefinition: definition,
      // There is no desired count, because each deployment would reset the number that the scaling chose. The minimum of the
      // scaling applies.
      propagateTags: PropagatedTagSource.SERVICE,
      enableECSManagedTags: true,
      minHealthyPercent: 100,
      maxHealthyPercent: 200,
      circuitBreaker: { rollback: true },
      availabilityZoneRebalancing: AvailabilityZoneRebalancing.ENABLED,
      assignPublicIp: false,
      vpcSubnets: { subnetType: SubnetType.PRIVATE_WITH_EGRESS },
      securityGroups: [props.securityGroup],
    });
    this.targetGroup = new ApplicationTargetGroup(this, 'Targets', {
      vpc,
      port: PORT,
      protocol: ApplicationProtocol.HTTP,
      targets: [this.service],
      deregistrationDelay: props.drain,
      healthCheck: {
        path: '/ready',
        healthyHttpCodes: '200',
        interval: Duration.seconds(10),
        timeout: Duration.seconds(3),
        healthyThresholdCount: 2,
        unhealthyThresholdCount: 2,
      },
    });
    this.scaling = this.service.autoScaleTaskCount({ minCapacity: size.minimum, maxCapacity: size.maximum });
  }
}
