import 'reflect-metadata';
import { DocumentBuilder, SwaggerModule } from '@nestjs/swagger';
import { format, resolveConfig } from 'prettier';

export const SPECIFICATION = 'src/api-docs/assets/openapi.json';

/** Creating an application calls no service, so these values need not exist. */
const ENVIRONMENT = {
  ROLE: 'agent',
  LOG_LEVEL: 'fatal',
  AWS_REGION: 'eu-central-1',
  PUBLIC_URL: 'https://agent.example.com',
  ALB_ARN: 'arn:aws:elasticloadbalancing:eu-central-1:111122223333:loadbalancer/app/example/50dc6c495c0c9188',
  ALB_ISSUER: 'https://login.example.com',
  ALB_CLIENT_ID: 'example',
  FLOW_SECRET: 'no-secret-0123456789-abcdefghijklmnop',
  S3_BUCKET_NAME: 'example',
  WORKLOAD_IDENTITY_NAME: 'example',
  INFERENCE_PROFILE_ID: 'example',
  GITHUB_PROVIDER_NAME: 'example',
};

/** Returns the specification that the built code describes, in the form of the file. */
export async function specificationText() {
  const [{ createApp }, { loadRole }, { jsonSchema }] = await Promise.all([
    import('../../dist/create-app.js'),
    import('../../dist/roles/load-role.js'),
    import('../../dist/common/openapi/index.js'),
  ]);
  const app = await createApp(await loadRole(ENVIRONMENT));
  try {
    const document = SwaggerModule.createDocument(app, base(), {
      standardSchemaConverter: (schema, { schemaType }) => ({ schema: jsonSchema(schema, schemaType) }),
    });
    return await format(JSON.stringify(document), {
      ...(await resolveConfig(SPECIFICATION)),
      filepath: SPECIFICATION,
    });
  } finally {
    await app.close();
  }
}

function base() {
  return new DocumentBuilder()
    .setOpenAPIVersion('3.1.0')
    .setTitle('OnBehalf')
    .setDescription(
      "An AI agent that acts for the user who asked, with that user's consent, and for nobody else.",
    )
    .setVersion('1')
    .setLicense('Apache-2.0', 'https://www.apache.org/licenses/LICENSE-2.0')
    .addServer('https://agent.example.com', 'Behind the load balancer')
    .addTag('Agent', 'Runs')
    .addTag('Conversations', 'Messages and results of earlier turns')
    .addSecurity('loadBalancer', {
      type: 'apiKey',
      in: 'cookie',
      name: 'AWSELBAuthSessionCookie-0',
      description:
        'The load balancer signs in by OpenID Connect and keeps the session in this cookie. Open /docs to sign in.',
    })
    .addSecurityRequirements('loadBalancer')
    .build();
}
