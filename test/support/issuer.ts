import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import type { TrustedIssuer } from '../../local/agentcore-identity/user-tokens.ts';

export interface TestIssuer extends TrustedIssuer {
  /** A new token for a subject; no two are the same. */
  token(sub: string, audience?: string): Promise<string>;
  close(): void;
}

/** An issuer of JWT access tokens that publishes its keys, and where they are. */
export async function startIssuer(): Promise<TestIssuer> {
  const { privateKey, publicKey } = await generateKeyPair('ES256');
  const jwks = JSON.stringify({ keys: [{ ...(await exportJWK(publicKey)), kid: 'k', alg: 'ES256' }] });
  const server = createServer((request, response) => {
    const discovery = JSON.stringify({ issuer, jwks_uri: `${issuer}/jwks` });
    response.end(request.url === '/.well-known/openid-configuration' ? discovery : jwks);
  }).listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const issuer = `http://127.0.0.1:${String((server.address() as AddressInfo).port)}`;
  const audience = 'onbehalf';
  let count = 0;
  return {
    issuer,
    jwksUri: `${issuer}/jwks`,
    audience,
    token: (sub, forAudience = audience) =>
      new SignJWT({ sub, client_id: forAudience, count: (count += 1) })
        .setProtectedHeader({ alg: 'ES256', kid: 'k' })
        .setIssuer(issuer)
        .setAudience(forAudience)
        .setExpirationTime('5m')
        .sign(privateKey),
    close: () => {
      server.closeAllConnections();
      server.close();
    },
  };
}
