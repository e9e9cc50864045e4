import { createReadStream, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { Controller, Get, Inject, Param, Res, StreamableFile } from '@nestjs/common';
import { ApiExcludeController } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import { z } from 'zod';
import { AppError } from '../common/errors/index.js';
import { SERVICE_CONFIG, type ServiceConfig } from '../config/index.js';

const document = z.looseObject({ openapi: z.string() });
const OWN = join(import.meta.dirname, 'assets');
const SWAGGER_UI = dirname(createRequire(import.meta.url).resolve('swagger-ui-dist/package.json'));
const ASSETS = new Map([
  ['swagger-ui.css', { folder: SWAGGER_UI, type: 'text/css; charset=utf-8' }],
  ['swagger-ui-bundle.js', { folder: SWAGGER_UI, type: 'text/javascript; charset=utf-8' }],
]);

/**
 * The specification, and the files of Swagger UI, behind the same guard as everything else: `SwaggerModule.setup` would
 * serve them past the guard. The page itself is one of the pages. The specification is a file of the repository, which `npm run openapi` writes and a test compares with the code.
 */
@ApiExcludeController()
@Controller()
export class DocsController {
  readonly #specification: object;

  constructor(@Inject(SERVICE_CONFIG) { publicUrl }: ServiceConfig) {
    const servers = [{ url: publicUrl, description: 'Behind the load balancer' }];
    const specification = document.parse(JSON.parse(readFileSync(join(OWN, 'openapi.json'), 'utf8')));
    this.#specification = { ...specification, servers };
  }

  @Get('openapi.json')
  specification(): object {
    return this.#specification;
  }

  @Get('docs/:asset')
  asset(@Param('asset') name: string, @Res({ passthrough: true }) reply: FastifyReply): StreamableFile {
    const asset = ASSETS.get(name);
    if (asset === undefined) throw new AppError('not_found');
    void reply.header('cache-control', 'private, max-age=3600');
    return new StreamableFile(createReadStream(join(asset.folder, name)), { type: asset.type });
  }
}
