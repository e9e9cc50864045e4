/** Bytes that a lenient server would read as several requests, or as a different request. */
export interface RawRequest {
  readonly name: string;
  readonly bytes: string;
}

const HOST = 'Host: localhost';
const INNER = `GET /sessions HTTP/1.1\r\n${HOST}\r\n\r\n`;
const JSON_TYPE = 'Content-Type: application/json';

const lines = (...all: readonly string[]): string => `${all.join('\r\n')}\r\n\r\n`;
const post = (headers: readonly string[], body: string): string =>
  lines('POST /invocations HTTP/1.1', HOST, JSON_TYPE, ...headers) + body;

/** Two lengths in one request, so that two servers could disagree about its end (RFC 9112, section 6.3). */
const smuggled = (transferEncoding: string): RawRequest => ({
  name: `CL and ${transferEncoding}`,
  bytes: post(['Content-Length: 4', transferEncoding], `0\r\n\r\n${INNER}`),
});

export const RAW_REQUESTS: readonly RawRequest[] = [
  ...[
    'Transfer-Encoding: chunked',
    'Transfer-Encoding: Chunked',
    'Transfer-Encoding:\tchunked',
    'Transfer-Encoding: chunked, identity',
    'Transfer-Encoding: identity, chunked',
    'Transfer-Encoding: xchunked',
    'Transfer-Encoding : chunked',
    ' Transfer-Encoding: chunked',
    'X: y\r\n Transfer-Encoding: chunked',
    'Transfer-Encoding: chunked\r\nTransfer-Encoding: x',
    'Transfer-Encoding: "chunked"',
    'Transfer-Encoding:\u000bchunked',
  ].map(smuggled),
  {
    name: 'TE only, with a request behind its end',
    bytes: post(['Transfer-Encoding: chunked'], `0\r\n\r\n${INNER}`),
  },
  {
    name: 'two lengths',
    bytes: post(['Content-Length: 2', `Content-Length: ${String(INNER.length)}`], `{}${INNER}`),
  },
  { name: 'two lengths in one', bytes: post(['Content-Length: 2, 30'], `{}${INNER}`) },
  { name: 'a negative length', bytes: post(['Content-Length: -1'], INNER) },
  { name: 'a length with a sign', bytes: post(['Content-Length: +2'], `{}${INNER}`) },
  { name: 'a length that overflows', bytes: post(['Content-Length: 18446744073709551616'], INNER) },
  { name: 'a hexadecimal length', bytes: post(['Content-Length: 0x2'], `{}${INNER}`) },
  {
    name: 'a chunk size that overflows',
    bytes: post(['Transfer-Encoding: chunked'], `fffffffffffffffff\r\n${INNER}`),
  },
  {
    name: 'a chunk size with an extension that never ends',
    bytes: post(['Transfer-Encoding: chunked'], `2;${'x'.repeat(20_000)}\r\n{}\r\n0\r\n\r\n`),
  },
  { name: 'line feeds without carriage returns', bytes: `GET /sessions HTTP/1.1\n${HOST}\n\n` },
  { name: 'a folded header', bytes: lines('GET /sessions HTTP/1.1', HOST, 'x-amzn-oidc-data:', ' token') },
  { name: 'a header without a name', bytes: lines('GET /sessions HTTP/1.1', HOST, ': x') },
  { name: 'a NUL in a header', bytes: lines('GET /sessions HTTP/1.1', HOST, 'x: a\u0000b') },
  { name: 'a NUL in the path', bytes: lines('GET /sess\u0000ions HTTP/1.1', HOST) },
  { name: 'a space in the path', bytes: lines('GET /sessions /x HTTP/1.1', HOST) },
  { name: 'the absolute form', bytes: lines('GET http://localhost/sessions HTTP/1.1', HOST) },
  {
    name: 'the absolute form of another host',
    bytes: lines('GET http://evil.example/sessions HTTP/1.1', HOST),
  },
  { name: 'CONNECT', bytes: lines('CONNECT evil.example:443 HTTP/1.1', HOST) },
  { name: 'TRACE', bytes: lines('TRACE /sessions HTTP/1.1', HOST, 'x-amzn-oidc-data: x') },
  { name: 'an unknown method', bytes: lines('STEAL /sessions HTTP/1.1', HOST) },
  { name: 'HTTP/1.0', bytes: lines('GET /sessions HTTP/1.0') },
  { name: 'HTTP/0.9', bytes: 'GET /sessions\r\n' },
  { name: 'HTTP/2 with prior knowledge', bytes: 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n' },
  {
    name: 'an upgrade',
    bytes: lines(
      'GET /sessions HTTP/1.1',
      HOST,
      'Connection: Upgrade',
      'Upgrade: websocket',
      'Sec-WebSocket-Version: 13',
      'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
    ),
  },
  {
    name: 'an upgrade to HTTP/2',
    bytes: lines(
      'GET /sessions HTTP/1.1',
      HOST,
      'Connection: Upgrade, HTTP2-Settings',
      'Upgrade: h2c',
      'HTTP2-Settings: AAMAAABkAAQAAP__',
    ),
  },
  { name: 'no host', bytes: lines('GET /sessions HTTP/1.1') },
  { name: 'two hosts', bytes: lines('GET /sessions HTTP/1.1', HOST, 'Host: evil.example') },
  { name: 'two requests in one packet', bytes: INNER + INNER },
  { name: 'a TLS hello', bytes: '\u0016\u0003\u0001\u0002\u0000\u0001\u0000\u0001\u00fc' },
  {
    name: 'expect continue',
    bytes: lines('POST /invocations HTTP/1.1', HOST, JSON_TYPE, 'Content-Length: 2', 'Expect: 100-continue'),
  },
];
