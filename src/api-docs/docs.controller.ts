import { createReadStream, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { Controller, Get, Header, Inject, Param, Res, StreamableFile } from '@nestjs/common';
import { ApiExcludeController } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import { z } from 'zod';
import { AppError } from '../common/errors/index.js';
import { html } from '../common/http/index.js';
import { SERVICE_CONFIG, type ServiceConfig } from '../config/index.js';
import { CurrentUser, type User } from '../identity/sign-in/index.js';

const document = z.looseObject({ openapi: z.string() });
const OWN = join(import.meta.dirname, 'assets');
const SWAGGER_UI = dirname(createRequire(import.meta.url).resolve('swagger-ui-dist/package.json'));
const ASSETS = new Map([
  ['start.css', { folder: OWN, type: 'text/css; charset=utf-8' }],
  ['start.js', { folder: OWN, type: 'text/javascript; charset=utf-8' }],
  ['swagger-ui.css', { folder: SWAGGER_UI, type: 'text/css; charset=utf-8' }],
  ['swagger-ui-bundle.js', { folder: SWAGGER_UI, type: 'text/javascript; charset=utf-8' }],
  ['favicon-32x32.png', { folder: SWAGGER_UI, type: 'image/png' }],
]);

/** Only the name of the person who is signed in is not ours. */
function pageFor({ displayName }: User): string {
  const who = displayName === undefined ? html`You are signed in` : html`Signed in as ${displayName}`;
  return html`<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>OnBehalf API</title><link rel="icon" href="/docs/favicon-32x32.png"><link rel="stylesheet" href="/docs/swagger-ui.css"><link rel="stylesheet" href="/docs/start.css"></head>
<body><p id="who">${who} · <a href="/sign-out">Sign out</a></p><div id="notice" role="status" hidden></div><div id="swagger-ui"></div><script src="/docs/swagger-ui-bundle.js"></script><script src="/docs/start.js"></script></body></html>`
    .value;
}

/** Swagger UI writes style attributes and loads data: images; nothing comes from another origin. */
const POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; connect-src 'self'; frame-ancestors 'none'; base-uri 'none'";

/**
 * Swagger UI, behind the same guard as everything else: `SwaggerModule.setup` would serve it past the guard. The
 * specification is a file of the repository, which `npm run openapi` writes and a test compares with the code.
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

  @Get('docs')
  @Header('content-security-policy', POLICY)
  @Header('content-type', 'text/html; charset=utf-8')
  page(@CurrentUser() user: User): string {
    return pageFor(user);
  }

  @Get('docs/:asset')
  asset(@Param('asset') name: string, @Res({ passthrough: true }) reply: FastifyReply): StreamableFile {
    const asset = ASSETS.get(name);
    if (asset === undefined) throw new AppError('not_found');
    void reply.header('cache-control', 'private, max-age=3600');
    return new StreamableFile(createReadStream(join(asset.folder, name)), { type: asset.type });
  }
}
