import type { Random } from '../support/random.ts';

const BASE64URL = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_=';
const PRINTABLE = `${BASE64URL}.,:;'"!?@#$%&*()[]{}<>|\\/+~^\` `;
const HOSTILE_VALUES: readonly unknown[] = [
  null,
  '',
  'none',
  'HS256',
  0,
  -1,
  9e15,
  true,
  [],
  {},
  '../x',
  '\u0000',
  'admin',
];

type Mutator = (token: string, random: Random) => string;
const splice = (text: string, at: number, remove: number, insert: string): string =>
  text.slice(0, at) + insert + text.slice(at + remove);

/** Changes of a token: of its text, of its order, and of its claims. */
const MUTATORS: readonly Mutator[] = [
  (token, random) => splice(token, random.below(token.length), 1, random.text(1, BASE64URL)),
  (token, random) => splice(token, random.below(token.length), 1, random.text(1, PRINTABLE)),
  (token, random) =>
    splice(token, random.below(token.length), 0, random.text(1 + random.below(8), BASE64URL)),
  (token, random) => splice(token, random.below(token.length), 1 + random.below(8), ''),
  (token, random) => token.slice(0, random.below(token.length)),
  (token, random) => token.slice(random.below(token.length)) + token,
  (token, random) => token + random.text(1 + random.below(16), BASE64URL),
  (token, random) => {
    const parts = token.split('.');
    return [random.pick(parts), random.pick(parts), random.pick(parts)].join('.');
  },
  (token, random) => rewrite(token, random, 0),
  (token, random) => rewrite(token, random, 1),
  (token, random) => {
    const [header = '', payload = ''] = token.split('.');
    return `${header}.${payload}.${random.text(86, BASE64URL.slice(0, 64))}==`;
  },
  (token, random) => mutate(mutate(token, random), random),
];

/** Applies one or several random changes. It never returns the empty token, which counts as no token. */
export function mutate(token: string, random: Random): string {
  const changed = random.pick(MUTATORS)(token, random).trim();
  return changed === '' ? '.' : changed;
}

/** Replaces, removes or adds a member of the header or the payload, and keeps the signature. */
function rewrite(token: string, random: Random, part: 0 | 1): string {
  const parts = token.split('.');
  const members = decode(parts[part] ?? '');
  const name = random.pick([...Object.keys(members), 'crit', 'jwk', 'admin']);
  if (random.below(4) === 0) Reflect.deleteProperty(members, name);
  else members[name] = random.pick(HOSTILE_VALUES);
  parts[part] = Buffer.from(JSON.stringify(members))
    .toString('base64')
    .replaceAll('+', '-')
    .replaceAll('/', '_');
  return parts.join('.');
}

function decode(segment: string): Record<string, unknown> {
  try {
    return { ...(JSON.parse(Buffer.from(segment, 'base64url').toString()) as Record<string, unknown>) };
  } catch {
    return {};
  }
}

/** The content and the signature of a token. Another spelling of the same signature is not a forgery. */
export function meaningOf(token: string): string {
  const [header = '', payload = '', signature = '', ...rest] = token.split('.');
  return [header, payload, Buffer.from(signature, 'base64url').toString('hex'), ...rest].join('.');
}
