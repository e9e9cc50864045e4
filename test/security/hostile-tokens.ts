import { createHmac, createPublicKey, generateKeyPairSync, sign } from 'node:crypto';
import { AlbSigner } from '../../local/load-balancer/signer.ts';
import { ALB_ARN, ALB_CLIENT_ID, type LocalStack } from '../../local/stack.ts';
import { tokenOf, tokensOfEveryPadding, type TokenParts } from '../support/tokens.ts';

import { ALGORITHMS, EXPIRIES, KIDS, MEMBERS, SIGNERS, SUBJECTS, unixNow } from './hostile-values.ts';

type Headers = readonly (readonly [string, string])[];
export type HostileCase = readonly [name: string, headers: Headers];

const HEADER = 'x-amzn-oidc-data';
const P256_ORDER = 'ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551';
const base64url = (data: string | Buffer): string => Buffer.from(data).toString('base64url');
/** JSON cannot represent `undefined`. */
const label = (value: unknown): string =>
  value === undefined ? 'missing' : JSON.stringify(value).slice(0, 60);

/** Tokens that both roles must refuse although their signature is genuine. */
export function hostileCases(stack: LocalStack): readonly HostileCase[] {
  const named = (name: string, token: string): HostileCase => [name, [[HEADER, token]]];
  const signed = (name: string, parts: TokenParts): HostileCase => named(name, tokenOf(stack, parts));
  const inHeader = (member: string, values: readonly unknown[]): HostileCase[] =>
    values.map((value) => signed(`header ${member} = ${label(value)}`, { header: { [member]: value } }));
  const inPayload = (member: string, values: readonly unknown[]): HostileCase[] =>
    values.map((value) => signed(`payload ${member} = ${label(value)}`, { payload: { [member]: value } }));
  return [
    ...inHeader('alg', ALGORITHMS),
    ...inHeader('typ', [undefined, null, '', 'jwt', 'at+jwt', 'JWS', 'JWT ', ['JWT'], 1]),
    ...inHeader('signer', SIGNERS),
    ...inHeader('client', [
      undefined,
      null,
      '',
      'another',
      `${ALB_CLIENT_ID} `,
      ` ${ALB_CLIENT_ID}`,
      ALB_CLIENT_ID.toUpperCase(),
      [ALB_CLIENT_ID],
      { id: ALB_CLIENT_ID },
      0,
      true,
      `${ALB_CLIENT_ID}\u0000`,
    ]),
    ...inHeader('iss', issuers(stack)),
    ...inPayload(
      'iss',
      issuers(stack).filter((value) => value !== undefined),
    ),
    ...inHeader('exp', [undefined, ...EXPIRIES()]),
    ...inPayload('exp', EXPIRIES()),
    ...inHeader('kid', KIDS),
    ...['crit', 'jku', 'jwk', 'x5u', 'x5c', 'x5t', 'cty', 'zip', 'enc', 'b64', 'p2c', 'nonce', 'apu'].flatMap(
      (member) => inHeader(member, MEMBERS[member] ?? ['x']),
    ),
    ...inPayload('sub', SUBJECTS),
    ...duplicates(stack),
    ...signatures(stack),
    ...shapes(stack),
    ...placements(stack),
  ];
}

function issuers(stack: LocalStack): readonly unknown[] {
  const { url } = stack.identityProvider;
  return [
    undefined,
    null,
    '',
    0,
    [url],
    { iss: url },
    `${url}/`,
    `${url} `,
    url.toUpperCase(),
    url.replace('http:', 'https:'),
    url.slice(0, -1),
    `${url}/.`,
    'https://evil.example',
    `${url}@evil.example`,
  ];
}

/** Members that occur twice. Parsers differ in which of the two counts. */
function duplicates(stack: LocalStack): readonly HostileCase[] {
  const { signer } = stack.loadBalancer;
  const genuine: Record<string, unknown> = {
    typ: 'JWT',
    kid: signer.kid,
    alg: 'ES256',
    iss: stack.identityProvider.url,
    client: ALB_CLIENT_ID,
    signer: ALB_ARN,
    exp: unixNow() + 120,
  };
  const header = JSON.stringify(genuine);
  const payload = JSON.stringify({ sub: 'subject', exp: unixNow() + 120 });
  const twice = (json: string, member: string, value: string, first: boolean): string =>
    first ? json.replace('{', `{"${member}":${value},`) : json.replace(/\}$/, `,"${member}":${value}}`);
  const cases: HostileCase[] = [];
  for (const first of [true, false]) {
    const where = first ? 'first' : 'last';
    for (const [member, value] of Object.entries(genuine)) {
      for (const other of [JSON.stringify(value), '"evil"']) {
        const token = signer.signText(twice(header, member, other, first), payload);
        cases.push([`header ${member} twice, ${other.slice(0, 20)} ${where}`, [[HEADER, token]]]);
      }
    }
    for (const [member, value] of [
      ['sub', '"mallory"'],
      ['exp', '1'],
      ['s\\u0075b', '"mallory"'],
    ] as const) {
      cases.push([
        `payload ${member} twice, ${where}`,
        [[HEADER, signer.signText(header, twice(payload, member, value, first))]],
      ]);
    }
  }
  cases.push([
    'a nested member twice',
    [[HEADER, signer.signText(header, '{"sub":"a","address":{"x":1,"x":2}}')]],
  ]);
  cases.push([
    'header __proto__',
    [[HEADER, signer.signText(twice(header, '__proto__', '{"alg":"ES256"}', false), payload)]],
  ]);
  return cases;
}

/** Signatures that are not ours, or not over these bytes. */
function signatures(stack: LocalStack): readonly HostileCase[] {
  const genuine = tokenOf(stack);
  const [header = '', payload = '', signature = ''] = genuine.split('.');
  const bytes = Buffer.from(signature, 'base64url');
  const stranger = new AlbSigner();
  const { kid } = stack.loadBalancer.signer;
  const { privateKey: rsa } = generateKeyPairSync('rsa', { modulusLength: 2_048 });
  const input = `${header}.${payload}`;
  const withSignature = (raw: Buffer | string): string =>
    `${input}.${typeof raw === 'string' ? raw : raw.toString('base64').replaceAll('+', '-').replaceAll('/', '_')}`;
  const half = (hex: string): Buffer => Buffer.from(hex.padStart(64, '0'), 'hex');
  const pem = createPublicKey(stack.loadBalancer.signer.publicKeyPem()).export({
    type: 'spki',
    format: 'pem',
  });
  const flipped = Array.from({ length: 16 }, (_, index) => {
    const changed = Buffer.from(bytes);
    changed[index * 4] = (changed[index * 4] ?? 0) ^ 1;
    return [`signature with bit ${String(index * 32)} flipped`, withSignature(changed)] as const;
  });
  const other = tokenOf(stack, { payload: { sub: 'mallory' } }).split('.');
  const padded = tokensOfEveryPadding(stack).get('2,2') ?? '';
  const cases: readonly (readonly [string, string])[] = [
    ['no signature', `${input}.`],
    ['no third segment', input],
    ['a signature of zeros', withSignature(Buffer.alloc(64))],
    ['r = 0', withSignature(Buffer.concat([half('0'), bytes.subarray(32)]))],
    ['s = 0', withSignature(Buffer.concat([bytes.subarray(0, 32), half('0')]))],
    ['r = n', withSignature(Buffer.concat([half(P256_ORDER), bytes.subarray(32)]))],
    ['s = n', withSignature(Buffer.concat([bytes.subarray(0, 32), half(P256_ORDER)]))],
    ['r = s = 1', withSignature(Buffer.concat([half('1'), half('1')]))],
    ['r and s exchanged', withSignature(Buffer.concat([bytes.subarray(32), bytes.subarray(0, 32)]))],
    ['a signature one byte short', withSignature(bytes.subarray(0, 63))],
    ['a signature one byte long', withSignature(Buffer.concat([bytes, Buffer.from([0])]))],
    ['a signature twice', withSignature(Buffer.concat([bytes, bytes]))],
    ["another message's signature", withSignature(other[2] ?? '')],
    ['another payload', `${header}.${other[1] ?? ''}.${signature}`],
    ['another load balancer, its own kid', tokenOf(stack, {}, stranger)],
    ['another load balancer, our kid', tokenOf(stack, { header: { kid } }, stranger)],
    ['RS256 by a key of theirs', withSignature(sign('sha256', Buffer.from(input), rsa))],
    ['HS256 with the public key as the secret', hs256(genuine, pem.toString())],
    [
      'a signature without canonical end',
      `${input}.${signature.replace(/=+$/, '').slice(0, -1)}${signature.includes('B==') ? 'C' : 'B'}==`,
    ],
    ['a signature with one = sign', `${input}.${signature.replace(/=+$/, '')}=`],
    ['a signature with three = signs', `${input}.${signature}=`],
    ['padding taken from the signed part', padded.replaceAll(/=+\./g, '.')],
    ['header and payload exchanged', `${payload}.${header}.${signature}`],
    ...flipped,
  ];
  return cases.map(([name, token]) => [name, [[HEADER, token]]]);
}

function hs256(genuine: string, secret: string): string {
  const payload = genuine.split('.')[1] ?? '';
  const original = JSON.parse(Buffer.from(genuine.split('.')[0] ?? '', 'base64url').toString()) as object;
  const header = base64url(JSON.stringify({ ...original, alg: 'HS256' }));
  return `${header}.${payload}.${createHmac('sha256', secret).update(`${header}.${payload}`).digest('base64url')}`;
}

/** Texts that are not a JSON Web Signature of two JSON objects. */
function shapes(stack: LocalStack): readonly HostileCase[] {
  const { signer } = stack.loadBalancer;
  const token = tokenOf(stack);
  const [header = '', payload = '', signature = ''] = token.split('.');
  const text = Buffer.from(header, 'base64url').toString();
  const values = [
    '[]',
    '""',
    '"text"',
    '1',
    'null',
    'true',
    '',
    ' ',
    '{',
    '{}',
    '{"sub":}',
    "{'sub':'a'}",
    '{"sub":"a"}x',
    '{"sub":"a"}//',
    '\ufeff{"sub":"a"}',
    'NaN',
    '[{"sub":"a"}]',
    `${'['.repeat(3_000)}${']'.repeat(3_000)}`,
    `{"sub":"a","x":${'['.repeat(2_500)}${']'.repeat(2_500)}`,
  ];
  const cases: (readonly [string, string])[] = [
    ...values.map((value) => [`payload ${label(value)}`, signer.signText(text, value)] as const),
    ...values
      .filter((value) => value !== '{}')
      .map((value) => [`header ${label(value)}`, signer.signText(value, '{"sub":"a"}')] as const),
    ['two segments', `${header}.${payload}`],
    ['four segments', `${token}.${signature}`],
    ['five segments', `${token}.a.b`],
    ['empty header', `.${payload}.${signature}`],
    ['empty payload', `${header}..${signature}`],
    ['dots', '..'],
    ['a word', 'token'],
    ['Bearer', `Bearer ${token}`],
    ['quoted', `"${token}"`],
    ['two, joined by a comma', `${token}, ${token}`],
    ['a space within', token.replace('.', '. ')],
    ['a tab within', token.replace('.', '.\t')],
    ['percent-encoded', encodeURIComponent(token).replaceAll('.', '%2E')],
    ['= in the middle', token.replace('.', 'A=A.')],
    ['three = signs', `${header}===.${payload}.${signature}`],
    ['a JWE of five parts', `${header}.${payload}.${signature}.${payload}.${signature}`],
    ['the JSON serialisation', JSON.stringify({ protected: header, payload, signature })],
    ['oversize by its payload, genuine', tokenOf(stack, { payload: { filler: 'x'.repeat(13_000) } })],
    ['oversize by its header', tokenOf(stack, { header: { kid: 'x'.repeat(13_000) } })],
    ['70 KB', `${header}.${'A'.repeat(70_000)}.${signature}`],
    ['90 KB', `${header}.${'A'.repeat(90_000)}.${signature}`],
    ['not ASCII', `${header}.\u00e4.${signature}`],
  ];
  return cases.map(([name, value]) => [name, [[HEADER, value]]]);
}

/** A genuine token in a wrong place, or twice. */
function placements(stack: LocalStack): readonly HostileCase[] {
  const token = tokenOf(stack);
  const other = tokenOf(stack, { payload: { sub: 'mallory' } });
  return [
    ['no header at all', []],
    ['an empty header', [[HEADER, '']]],
    [
      'the same token twice',
      [
        [HEADER, token],
        [HEADER, token],
      ],
    ],
    [
      'two tokens',
      [
        [HEADER, token],
        [HEADER, other],
      ],
    ],
    [
      'an empty one first',
      [
        [HEADER, ''],
        [HEADER, token],
      ],
    ],
    [
      'an empty one last',
      [
        [HEADER, token],
        [HEADER, ''],
      ],
    ],
    [
      'in another spelling as well',
      [
        [HEADER, token],
        ['X-AMZN-OIDC-DATA', token],
      ],
    ],
    ['with underscores', [['x_amzn_oidc_data', token]]],
    ['as authorization', [['authorization', `Bearer ${token}`]]],
    ['as a cookie', [['cookie', `${HEADER}=${token}; AWSELBAuthSessionCookie-0=${token}`]]],
    ['as the access token', [['x-amzn-oidc-accesstoken', token]]],
    ['as the identity', [['x-amzn-oidc-identity', 'subject']]],
    [
      'as the identity, with an access token',
      [
        ['x-amzn-oidc-identity', 'subject'],
        ['x-amzn-oidc-accesstoken', token],
      ],
    ],
    [
      'forwarded',
      [
        ['forwarded', `for=127.0.0.1;${HEADER}=${token}`],
        [`x-forwarded-${HEADER}`, token],
      ],
    ],
  ];
}
