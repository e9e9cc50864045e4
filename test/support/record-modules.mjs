// Preloaded into a role: writes the URL of every module that it loads to the file in RECORD_MODULES.
import { appendFileSync } from 'node:fs';
import { registerHooks } from 'node:module';

registerHooks({
  load(url, context, next) {
    appendFileSync(process.env['RECORD_MODULES'], `${url}\n`);
    return next(url, context);
  },
});
