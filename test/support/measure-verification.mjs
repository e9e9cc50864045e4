// Prints the p99 of verifying a genuine token with a known key, in milliseconds, for each of a hundred rounds.
import 'reflect-metadata';
import { generateKeyPairSync, sign } from 'node:crypto';
import { createServer } from 'node:http';
import { Logger } from '@nestjs/common';
import { AlbTokenVerifier } from '../../dist/identity/sign-in/alb/alb-token.verifier.js';

const ROUNDS = 100;
const TOKENS = 300;
const kid = '3f2b8f9e-5d1c-4b7e-9a51-0c6f2d7e8a90';
const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
Logger.overrideLogger(false);

const keys = createServer((_request, response) =>
  response.end(publicKey.export({ type: 'spki', format: 'pem' })),
);
await new Promise((resolve) => keys.listen(0, '127.0.0.1', resolve));
const alb = {
  arn: 'arn:aws:elasticloadbalancing:eu-central-1:111122223333:loadbalancer/app/measured/50dc6c495c0c9188',
  issuer: 'https://login.example.com',
  clientId: 'client',
  publicKeysUrl: `http://127.0.0.1:${keys.address().port}`,
};
const verifier = new AlbTokenVerifier(alb);

const tokens = Array.from({ length: TOKENS }, (_, number) => tokenOf(`user-${number}`));
for (const token of tokens) await verifier.verify(token);
const rounds = [];
for (let round = 0; round < ROUNDS; round += 1) {
  const times = [];
  for (const token of tokens) {
    const startedAt = performance.now();
    await verifier.verify(token);
    times.push(performance.now() - startedAt);
  }
  times.sort((a, b) => a - b);
  rounds.push(times[Math.floor(times.length * 0.99)]);
}
process.stdout.write(`${JSON.stringify(rounds)}\n`);
keys.close();
keys.closeAllConnections();

function tokenOf(sub) {
  const exp = Math.floor(Date.now() / 1000) + 600;
  const { arn: signer, issuer: iss, clientId: client } = alb;
  const input = [
    { typ: 'JWT', alg: 'ES256', kid, iss, client, signer, exp },
    { sub, name: sub, email: `${sub}@example.com` },
  ]
    .map((part) => padded(JSON.stringify(part)))
    .join('.');
  return `${input}.${padded(sign('sha256', Buffer.from(input), { key: privateKey, dsaEncoding: 'ieee-p1363' }))}`;
}

function padded(data) {
  return Buffer.from(data).toString('base64').replaceAll('+', '-').replaceAll('/', '_');
}
