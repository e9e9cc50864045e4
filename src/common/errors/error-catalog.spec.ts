import { globSync, readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import type { ErrorRow } from './error-catalog.js';
import { ERRORS } from './index.js';

describe('the table of errors', () => {
  it('and docs/errors.md have the same codes and statuses', () => {
    const documented = [
      ...readFileSync('docs/errors.md', 'utf8').matchAll(/^\| `([a-z_]+)` \| (\d{3}) \|/gm),
    ];
    const inDocument = documented.map(([, code, status]) => `${code ?? ''} ${status ?? ''}`).sort();
    expect(inDocument).toEqual(
      Object.entries(ERRORS)
        .map(([code, { status }]) => `${code} ${String(status)}`)
        .sort(),
    );
  });

  it('has no unused code', () => {
    const sources = globSync('src/**/*.ts').filter(
      (file) => !file.endsWith('.spec.ts') && !file.includes('error-catalog'),
    );
    const text = sources.map((file) => readFileSync(file, 'utf8')).join();
    expect(Object.keys(ERRORS).filter((code) => !text.includes(`'${code}'`))).toEqual([]);
  });

  it('says when another try makes sense, of each 429 and 503 that is answered before a stream begins', () => {
    const inStreams = /^(model|provider)_/;
    const rows: readonly (readonly [string, ErrorRow])[] = Object.entries(ERRORS);
    const temporary = rows.filter(
      ([code, { status }]) => [429, 503].includes(status) && !inStreams.test(code),
    );
    expect(rows.filter(([, { retryAfter }]) => retryAfter !== undefined)).toEqual(temporary);
  });

  it.each(Object.entries(ERRORS))(
    '%s says what happened and what the reader can do',
    (_code, { title, detail, status }) => {
      expect(title).not.toMatch(/[.!]$/);
      expect(detail).toMatch(/^[A-Z].*\.$/);
      expect(status).toBeGreaterThanOrEqual(400);
    },
  );
});
