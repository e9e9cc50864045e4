import { describe, expect, it } from '@jest/globals';
import { covers, GITHUB_SCOPES, grantedScopes } from './github.scopes.js';

describe('the scopes that are asked for', () => {
  it('are the least that the tools need', () => {
    expect(Object.keys(GITHUB_SCOPES)).toEqual(['read:user', 'repo']);
  });

  it('are all told in words', () => {
    const { repo } = GITHUB_SCOPES;
    for (const words of [GITHUB_SCOPES['read:user'], repo.allows, repo.why]) expect(words).toMatch(/\w+ \w+/);
  });
});

describe('covers', () => {
  it.each<[readonly string[], string]>([
    [['repo'], 'repo'],
    [['gist', 'read:user'], 'read:user'],
    [['user'], 'read:user'],
    [['gist', 'user'], 'read:user'],
    [['repo'], 'public_repo'],
  ])('takes %j for %s', (granted, needed) => {
    expect(covers(granted, needed)).toBe(true);
  });

  it.each<[readonly string[], string]>([
    [[], 'repo'],
    [['public_repo'], 'repo'],
    [['read:user'], 'user'],
    [['user:email'], 'read:user'],
    [['user'], 'public_repo'],
    [['repo'], 'read:user'],
    [['repo:status'], 'repo'],
    [['REPO'], 'repo'],
    [['repo'], 'no_such_scope'],
  ])('does not take %j for %s', (granted, needed) => {
    expect(covers(granted, needed)).toBe(false);
  });
});

describe('grantedScopes', () => {
  it.each<[string, readonly string[]]>([
    ['repo', ['repo']],
    ['repo, read:user', ['repo', 'read:user']],
    ['repo,user', ['repo', 'user']],
    [' repo ,, user ', ['repo', 'user']],
    ['', []],
    [' ', []],
  ])('reads %j', (header, scopes) => {
    expect(grantedScopes(new Headers({ 'x-oauth-scopes': header }))).toEqual(scopes);
  });

  it('tells nothing where GitHub does not: the token of an App has none', () => {
    expect(grantedScopes(new Headers({ 'x-accepted-oauth-scopes': 'repo' }))).toBeUndefined();
  });
});
