import { Module, type ModuleMetadata } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { HttpModule } from '../http.module.js';

@Module({})
class TestModule {}

/**
 * A small application with the error handling of the real one, for tests.
 * @param user the user of every request; when absent, nobody is signed in
 */
export async function testApp(
  { imports = [], ...parts }: ModuleMetadata,
  user?: object,
): Promise<NestFastifyApplication> {
  const root = { module: TestModule, imports: [HttpModule, ...imports], ...parts };
  const app = await NestFactory.create<NestFastifyApplication>(root, new FastifyAdapter(), {
    abortOnError: false,
    logger: false,
  });
  if (user !== undefined) {
    app
      .getHttpAdapter()
      .getInstance()
      .addHook('onRequest', (request, _reply, done) => {
        Object.assign(request, { user });
        done();
      });
  }
  await app.init();
  await app.getHttpAdapter().getInstance().ready();
  return app;
}
