import { Annotations, Stack } from 'aws-cdk-lib';
import {
  FlowLogDestination,
  GatewayVpcEndpointAwsService,
  InterfaceVpcEndpointAwsService,
  IpAddresses,
  Peer,
  Port,
  SubnetType,
  Vpc,
  type GatewayVpcEndpoint,
  type IVpc,
  type SecurityGroup,
} from 'aws-cdk-lib/aws-ec2';
import { AnyPrincipal, PolicyStatement } from 'aws-cdk-lib/aws-iam';
import type { ILogGroup } from 'aws-cdk-lib/aws-logs';
import { Construct } from 'constructs';
import type { Deployment } from './deployment.ts';

/** The services that tasks reach without leaving AWS's network, and the actions that are allowed there. */
const ENDPOINTS = {
  AgentCore: {
    service: InterfaceVpcEndpointAwsService.BEDROCK_AGENTCORE,
    actions: [
      'bedrock-agentcore:GetWorkloadAccessTokenForUserId',
      'bedrock-agentcore:GetWorkloadAccessTokenForJWT',
      'bedrock-agentcore:GetResourceOauth2Token',
      'bedrock-agentcore:CompleteResourceTokenAuth',
    ],
  },
  Bedrock: {
    service: InterfaceVpcEndpointAwsService.BEDROCK_RUNTIME,
    actions: ['bedrock:InvokeModelWithResponseStream'],
  },
  EcrApi: { service: InterfaceVpcEndpointAwsService.ECR, actions: ['ecr:*'] },
  EcrDocker: { service: InterfaceVpcEndpointAwsService.ECR_DOCKER, actions: ['ecr:*'] },
  Logs: {
    service: InterfaceVpcEndpointAwsService.CLOUDWATCH_LOGS,
    actions: ['logs:CreateLogStream', 'logs:PutLogEvents'],
  },
  SecretsManager: {
    service: InterfaceVpcEndpointAwsService.SECRETS_MANAGER,
    actions: ['secretsmanager:GetSecretValue'],
  },
} as const;

/** A VPC over two zones or more, with flow logs and endpoints; or an existing VPC, which is used unchanged. */
export class Network extends Construct {
  readonly vpc: IVpc;
  readonly #given: Deployment['network'];
  readonly #s3: GatewayVpcEndpoint | undefined;

  constructor(scope: Construct, id: string, given: Deployment['network'], flowLogs: ILogGroup) {
    super(scope, id);
    this.#given = given;
    if ('vpcId' in given) {
      // Only gateway endpoints would need the route tables, and this VPC gets none.
      Annotations.of(this).acknowledgeWarning('@aws-cdk/aws-ec2:noSubnetRouteTableId');
      this.vpc = Vpc.fromVpcAttributes(this, 'Vpc', given);
      return;
    }
    const vpc = new Vpc(this, 'Vpc', {
      ipAddresses: IpAddresses.cidr(given.cidr),
      availabilityZones: given.availabilityZones,
      natGateways: given.availabilityZones.length,
      restrictDefaultSecurityGroup: true,
      subnetConfiguration: [
        { name: 'public', subnetType: SubnetType.PUBLIC, mapPublicIpOnLaunch: false, cidrMask: 24 },
        { name: 'tasks', subnetType: SubnetType.PRIVATE_WITH_EGRESS, cidrMask: 22 },
      ],
      flowLogs: { All: { destination: FlowLogDestination.toCloudWatchLogs(flowLogs) } },
    });
    this.#s3 = vpc.addGatewayEndpoint('S3', { service: GatewayVpcEndpointAwsService.S3 });
    this.vpc = vpc;
  }

  /** Endpoints that only the tasks may use, and only for the deployment's own resources. */
  openEndpoints(tasks: readonly SecurityGroup[], bucketArn: string, identityIsHere: boolean): void {
    const { vpc } = this;
    if (!(vpc instanceof Vpc) || 'vpcId' in this.#given) return;
    const { AgentCore: agentCore, ...others } = ENDPOINTS;
    const wanted = identityIsHere ? { AgentCore: agentCore, ...others } : others;
    const { agentCoreZones = this.#given.availabilityZones } = this.#given;
    for (const [name, { service, actions }] of Object.entries(wanted)) {
      const subnets = name === 'AgentCore' ? { availabilityZones: agentCoreZones } : {};
      const endpoint = vpc.addInterfaceEndpoint(name, {
        service,
        open: false,
        subnets: { subnetType: SubnetType.PRIVATE_WITH_EGRESS, ...subnets },
      });
      endpoint.addToPolicy(this.#byThisAccount(actions, ['*']));
      for (const group of tasks) endpoint.connections.allowFrom(group, Port.tcp(443), 'From the tasks');
    }
    this.#restrictS3(bucketArn);
  }

  /** Tasks may connect to AWS and to the addresses that the deployment names. If it names none, all addresses are allowed. */
  letOut(tasks: readonly SecurityGroup[]): void {
    const { egress } = this.#given;
    for (const group of tasks) {
      if (egress === undefined) {
        group.addEgressRule(Peer.anyIpv4(), Port.tcp(443), 'AWS, and the provider');
        continue;
      }
      for (const range of egress.cidrs)
        group.addEgressRule(Peer.ipv4(range), Port.tcp(443), 'Named by the deployment');
      if ('cidr' in this.#given)
        group.addEgressRule(Peer.ipv4(this.#given.cidr), Port.tcp(443), 'The endpoints of AWS');
      group.addEgressRule(Peer.prefixList(egress.s3PrefixListId), Port.tcp(443), 'S3');
    }
  }

  #restrictS3(bucketArn: string): void {
    const { region, partition } = Stack.of(this);
    this.#s3?.addToPolicy(
      this.#byThisAccount(
        ['s3:GetObject', 's3:PutObject', 's3:DeleteObject', 's3:ListBucket'],
        [bucketArn, `${bucketArn}/*`],
      ),
    );
    // The bucket where ECR keeps layers: https://docs.aws.amazon.com/AmazonECR/latest/userguide/vpc-endpoints.html
    this.#s3?.addToPolicy(
      new PolicyStatement({
        principals: [new AnyPrincipal()],
        actions: ['s3:GetObject'],
        resources: [`arn:${partition}:s3:::prod-${region}-starport-layer-bucket/*`],
      }),
    );
  }

  #byThisAccount(actions: readonly string[], resources: readonly string[]): PolicyStatement {
    return new PolicyStatement({
      principals: [new AnyPrincipal()],
      actions: [...actions],
      resources: [...resources],
      conditions: { StringEquals: { 'aws:PrincipalAccount': Stack.of(this).account } },
    });
  }
}
