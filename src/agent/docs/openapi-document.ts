import { Injectable } from '@nestjs/common';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { DocumentBuilder, SwaggerModule, type OpenAPIObject } from '@nestjs/swagger';

/** The specification of this role's API; made once, when the application stands. */
@Injectable()
export class OpenApiDocument {
  #document: OpenAPIObject | undefined;

  create(app: NestFastifyApplication, publicUrl: string): void {
    const base = new DocumentBuilder()
      .setOpenAPIVersion('3.1.0')
      .setTitle('OnBehalf')
      .setDescription(
        "An AI agent that acts for the user who asked, with that user's consent, and for nobody else.",
      )
      .setVersion('1')
      .setLicense('Apache-2.0', 'https://www.apache.org/licenses/LICENSE-2.0')
      .addServer(publicUrl, 'Behind the load balancer')
      .addTag('Agent', 'Runs')
      .addTag('Conversations', 'What was said')
      .addSecurity('loadBalancer', {
        type: 'apiKey',
        in: 'cookie',
        name: 'AWSELBAuthSessionCookie-0',
        description:
          'The load balancer signs in by OpenID Connect and keeps the session in this cookie. Open /docs to sign in.',
      })
      .addSecurityRequirements('loadBalancer')
      .build();
    this.#document = SwaggerModule.createDocument(app, base);
  }

  get value(): OpenAPIObject {
    if (this.#document === undefined) throw new TypeError('The specification has not been made yet');
    return this.#document;
  }
}
