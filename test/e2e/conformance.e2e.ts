import { readFileSync } from 'node:fs';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { conformanceDocument, DOCUMENT } from '../conformance/document.ts';
import { runConformance, type OperationResult } from '../conformance/run.ts';

describe("the stand-ins for AWS, compared with AWS's own model", () => {
  let results: readonly OperationResult[];

  beforeAll(async () => {
    results = await runConformance();
  }, 120_000);

  it('answers every request as the model says, or for a reason that the table gives', () => {
    expect(results.flatMap(({ differences }) => differences)).toEqual([]);
  });

  it('answers every operation at least once', () => {
    expect(results.filter(({ answered }) => answered === 0)).toEqual([]);
    expect(results).toHaveLength(24);
  });

  it('is documented; else run: npm run docs:conformance', () => {
    expect(conformanceDocument(results)).toBe(readFileSync(DOCUMENT, 'utf8'));
  });
});
