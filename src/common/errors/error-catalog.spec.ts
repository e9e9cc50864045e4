import { globSync, readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
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

  it.each(Object.entries(ERRORS))(
    '%s says what happened and what the reader can do',
    (_code, { title, detail, status }) => {
      expect(title).not.toMatch(/[.!]$/);
      expect(detail).toMatch(/^[A-Z].*\.$/);
      expect(status).toBeGreaterThanOrEqual(400);
    },
  );
});
