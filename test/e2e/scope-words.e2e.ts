import { describe, expect, it } from '@jest/globals';
import { SCOPES } from '../../local/github/seed.ts';
import { GITHUB_SCOPES } from '../../src/github-tools/github.scopes.js';

describe("the descriptions of GitHub's scopes", () => {
  it.each(Object.entries(GITHUB_SCOPES))(
    'are the same on our page as on the consent page: %s',
    (scope, description) => {
      expect(typeof description === 'string' ? description : description.allows).toBe(SCOPES[scope]?.title);
    },
  );
});
