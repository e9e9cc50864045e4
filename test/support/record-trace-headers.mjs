// Loaded before a role: appends every outgoing request's address and its headers that name a trace to the file in
// RECORD_TRACE_HEADERS, one JSON object a line.
import { subscribe } from 'node:diagnostics_channel';
import { appendFileSync } from 'node:fs';

const NAMES = ['traceparent', 'tracestate', 'baggage', 'x-amzn-trace-id'];

function record(origin, headers) {
  const trace = Object.fromEntries(
    NAMES.filter((name) => name in headers).map((name) => [name, headers[name]]),
  );
  const signed = /SignedHeaders=([^,]*)/.exec(headers['authorization'] ?? '')?.[1] ?? '';
  appendFileSync(process.env['RECORD_TRACE_HEADERS'], `${JSON.stringify({ origin, trace, signed })}\n`);
}

subscribe('http.client.request.start', ({ request }) => {
  record(`${request.protocol}//${request.getHeader('host')}`, request.getHeaders());
});
subscribe('undici:request:create', ({ request }) => {
  const pairs = request.headers.flatMap((name, at) =>
    at % 2 === 0 ? [[name, request.headers[at + 1]]] : [],
  );
  record(
    String(request.origin),
    Object.fromEntries(pairs.map(([name, value]) => [String(name).toLowerCase(), String(value)])),
  );
});
