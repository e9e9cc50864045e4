import type { SeedConfig } from 'emulate';
import { ACCOUNTS } from '../provider-gate/accounts.ts';
import type { ScopeText } from '../provider-gate/authorize.ts';

/** Descriptions of GitHub's scopes, as its consent page shows them. */
export const SCOPES: Readonly<Record<string, ScopeText>> = {
  'read:user': { title: 'Read all user profile data', detail: 'Your name, e-mail address and the like.' },
  'user:email': { title: 'Read your e-mail addresses', detail: 'Also those that are not public.' },
  repo: {
    title: 'Full control of private repositories',
    detail: 'Code, issues, settings; of public ones too.',
  },
  public_repo: { title: 'Write to your public repositories', detail: 'Not the private ones.' },
  'read:org': { title: 'Read your organisations', detail: 'Memberships and teams.' },
};

export function upstreamToken(login: string): string {
  return `upstream-${login}`;
}

export function seed(): SeedConfig {
  const owned = (owner: string, rows: readonly (readonly [string, string, boolean])[]): object[] =>
    rows.map(([name, description, isPrivate]) => ({ owner, name, description, private: isPrivate }));
  return {
    tokens: Object.fromEntries(
      ACCOUNTS.map(({ login }) => [upstreamToken(login), { login, scopes: Object.keys(SCOPES) }]),
    ),
    github: {
      users: [
        {
          login: 'alice-octo',
          name: 'Alice Arden',
          email: 'alice@example.com',
          bio: 'Maps and timetables',
          location: 'Utrecht',
        },
        {
          login: 'bob-octo',
          name: 'Bob Baker',
          email: 'bob@example.com',
          bio: 'Bread and compilers',
          location: 'Leipzig',
        },
        {
          login: 'carol-octo',
          name: 'Carol Castle',
          email: 'carol@example.com',
          bio: 'Chess and cartography',
          location: 'Porto',
        },
      ],
      repos: [
        ...owned('alice-octo', [
          ['tram-times', 'When the next tram leaves', false],
          ['garden-log', 'What grew, and when', true],
          ['map-tiles', 'Vector tiles of small towns', false],
        ]),
        ...owned('bob-octo', [
          ['sourdough', 'A build system for bread', false],
          ['ledger', 'Household accounts', true],
        ]),
        ...owned('carol-octo', [['endgames', 'A collection of chess endgames', false]]),
      ],
    },
  };
}
