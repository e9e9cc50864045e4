import { Module } from '@nestjs/common';
import { BuiltPages } from './built-pages.js';
import { PagesController } from './pages.controller.js';

/** The pages for people. Their sources are in `web/`. */
@Module({
  controllers: [PagesController],
  providers: [{ provide: BuiltPages, useFactory: () => new BuiltPages() }],
})
export class PagesModule {}
