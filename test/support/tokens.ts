import { type AlbSigner } from '../../local/load-balancer/signer.ts';
import { ALB_ARN, ALB_CLIENT_ID, type LocalStack } from '../../local/stack.ts';

export interface TokenParts {
  readonly header?: Readonly<Record<string, unknown>>;
  readonly payload?: Readonly<Record<string, unknown>>;
}

/** A token like those of the stack's load balancer, with some members replaced; `undefined` removes a member. */
export function tokenOf(
  stack: LocalStack,
  { header = {}, payload = {} }: TokenParts = {},
  signer: AlbSigner = stack.loadBalancer.signer,
): string {
  const exp = Math.floor(Date.now() / 1000) + 120;
  const iss = stack.identityProvider.url;
  const genuine = { iss, client: ALB_CLIENT_ID, signer: ALB_ARN, exp };
  return signer.sign({ ...genuine, ...header }, { sub: 'subject', exp, iss, ...payload });
}

/** The two padding lengths of a token's first segments: `=` signs behind header and payload. */
export function paddingOf(token: string): string {
  const [header = '', payload = ''] = token.split('.');
  return [header, payload].map((segment) => (/=*$/.exec(segment)?.[0] ?? '').length).join();
}

/** Returns one genuine token for each of the nine paddings of header and payload. */
export function tokensOfEveryPadding(stack: LocalStack): ReadonlyMap<string, string> {
  const tokens = new Map<string, string>();
  for (let filler = 0; tokens.size < 9 && filler < 64; filler += 1) {
    // The members of the header are fixed, so the decimals of the expiry vary its length.
    const payload = { sub: 'subject', filler: 'x'.repeat(filler % 8) };
    const exp = Number(
      `${String(Math.floor(Date.now() / 1000) + 120)}.${'5'.repeat(1 + Math.floor(filler / 8))}`,
    );
    const token = tokenOf(stack, { header: { exp }, payload });
    tokens.set(paddingOf(token), token);
  }
  return tokens;
}
