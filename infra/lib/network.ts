import {
  FlowLogDestination,
  GatewayVpcEndpointAwsService,
  InterfaceVpcEndpointAwsService,
  IpAddresses,
  Port,
  SubnetType,
  Vpc,
  type IVpc,
  type SecurityGroup,
} from 'aws-cdk-lib/aws-ec2';
import type { ILogGroup } from 'aws-cdk-lib/aws-logs';
import { Construct } from 'constructs';
import type { Deployment } from './deployment.ts';

/** What tasks reach without leaving AWS's network; GitHub and the identity provider are reached through NAT. */
const ENDPOINTS = {
  AgentCore: InterfaceVpcEndpointAwsService.BEDROCK_AGENTCORE,
  Bedrock: InterfaceVpcEndpointAwsService.BEDROCK_RUNTIME,
  EcrApi: InterfaceVpcEndpointAwsService.ECR,
  EcrDocker: InterfaceVpcEndpointAwsService.ECR_DOCKER,
  Kms: InterfaceVpcEndpointAwsService.KMS,
  Logs: InterfaceVpcEndpointAwsService.CLOUDWATCH_LOGS,
  SecretsManager: InterfaceVpcEndpointAwsService.SECRETS_MANAGER,
};

/** A VPC over two zones or more, with flow logs and endpoints; or one that is there already, taken as it is. */
export class Network extends Construct {
  readonly vpc: IVpc;

  constructor(scope: Construct, id: string, given: Deployment['network'], flowLogs: ILogGroup) {
    super(scope, id);
    if ('vpcId' in given) {
      this.vpc = Vpc.fromVpcAttributes(this, 'Vpc', given);
      return;
    }
    this.vpc = new Vpc(this, 'Vpc', {
      ipAddresses: IpAddresses.cidr(given.cidr),
      maxAzs: given.zones,
      natGateways: given.zones,
      restrictDefaultSecurityGroup: true,
      subnetConfiguration: [
        { name: 'public', subnetType: SubnetType.PUBLIC, mapPublicIpOnLaunch: false, cidrMask: 24 },
        { name: 'tasks', subnetType: SubnetType.PRIVATE_WITH_EGRESS, cidrMask: 22 },
      ],
      gatewayEndpoints: { S3: { service: GatewayVpcEndpointAwsService.S3 } },
      flowLogs: { All: { destination: FlowLogDestination.toCloudWatchLogs(flowLogs) } },
    });
  }

  /** Endpoints that the tasks, and nobody else, may talk to. */
  openEndpoints(tasks: readonly SecurityGroup[], identityIsHere: boolean): void {
    const { AgentCore: agentCore, ...others } = ENDPOINTS;
    const services = identityIsHere ? { AgentCore: agentCore, ...others } : others;
    for (const [name, service] of Object.entries(services)) {
      if (!(this.vpc instanceof Vpc)) return;
      const endpoint = this.vpc.addInterfaceEndpoint(name, { service, open: false });
      for (const group of tasks) endpoint.connections.allowFrom(group, Port.tcp(443), 'From the tasks');
    }
  }
}
