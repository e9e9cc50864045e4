import { createReadStream } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { Controller, Get, Header, Param, Res, StreamableFile } from '@nestjs/common';
import { ApiExcludeController, type OpenAPIObject } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import { AppError } from '../../common/errors/index.js';
import { Html, html } from '../../common/http/index.js';
import { CurrentUser, type User } from '../../identity/sign-in/index.js';
import { OpenApiDocument } from './openapi-document.js';
import { STYLE, START } from './start-script.js';

const ASSETS = dirname(createRequire(import.meta.url).resolve('swagger-ui-dist/package.json'));
const STYLE_ELEMENT = new Html(`<style>${STYLE}</style>`);
const TYPES = new Map([
  ['swagger-ui.css', 'text/css; charset=utf-8'],
  ['swagger-ui-bundle.js', 'text/javascript; charset=utf-8'],
  ['favicon-32x32.png', 'image/png'],
]);

/** Only the name of the person who is signed in is not ours. */
function pageFor({ displayName }: User): string {
  const who = displayName === undefined ? html`You are signed in` : html`Signed in as ${displayName}`;
  return html`<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>OnBehalf API</title><link rel="icon" href="/docs/favicon-32x32.png"><link rel="stylesheet" href="/docs/swagger-ui.css">${STYLE_ELEMENT}</head>
<body><p id="who">${who} · <a href="/sign-out">Sign out</a></p><div id="notice" role="status" hidden></div><div id="swagger-ui"></div><script src="/docs/swagger-ui-bundle.js"></script><script src="/docs/start.js"></script></body></html>`
    .value;
}

/** Swagger UI writes style attributes and loads data: images; nothing comes from another origin. */
const POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; connect-src 'self'; frame-ancestors 'none'; base-uri 'none'";

/** Swagger UI, behind the same guard as everything else: `SwaggerModule.setup` would serve it past the guard. */
@ApiExcludeController()
@Controller()
export class DocsController {
  readonly #document: OpenApiDocument;

  constructor(document: OpenApiDocument) {
    this.#document = document;
  }

  @Get()
  home(@Res() reply: FastifyReply): void {
    void reply.redirect('/docs', 302);
  }

  @Get('openapi.json')
  specification(): OpenAPIObject {
    return this.#document.value;
  }

  @Get('docs')
  @Header('content-security-policy', POLICY)
  @Header('content-type', 'text/html; charset=utf-8')
  page(@CurrentUser() user: User): string {
    return pageFor(user);
  }

  @Get('docs/start.js')
  @Header('content-type', 'text/javascript; charset=utf-8')
  start(): string {
    return START;
  }

  @Get('docs/:asset')
  asset(@Param('asset') asset: string, @Res({ passthrough: true }) reply: FastifyReply): StreamableFile {
    const type = TYPES.get(asset);
    if (type === undefined) throw new AppError('not_found');
    void reply.header('cache-control', 'private, max-age=3600');
    return new StreamableFile(createReadStream(join(ASSETS, asset)), { type });
  }
}
