import type { IncomingMessage, ServerResponse } from 'node:http';
import { FaultSwitch } from '../lib/faults.ts';
import { readBody, sendJson, serve } from '../lib/http.ts';
import { escapeHtml } from '../lib/page.ts';
import type { Listen, Part } from '../lib/part.ts';
import { signerOf } from '../lib/sigv4.ts';

export interface Principal {
  readonly account: string;
  readonly arn: string;
}

export interface KmsKey {
  readonly enabled: boolean;
  readonly rotates: boolean;
}

export interface AccountOptions extends Listen {
  /** The holder of each access key. Other keys are refused. */
  readonly principals: Readonly<Record<string, Principal>>;
  /** The KMS keys by their ARNs. */
  readonly keys: Readonly<Record<string, KmsKey>>;
}

export interface LocalAccount extends Part {
  readonly keys: Map<string, KmsKey>;
}

/**
 * The parts of an AWS account besides its services: the identity of a caller (STS) and the keys (KMS). It implements only the
 * calls that the doctor makes.
 */
export async function startAccount(options: AccountOptions): Promise<LocalAccount> {
  const faults = new FaultSwitch();
  const keys = new Map(Object.entries(options.keys));
  const serving = await serve(
    async (request, response) => {
      const body = (await readBody(request, 64 * 1024)).toString('utf8');
      if (signerOf(request, 'kms') !== undefined) answerKms(keys, request, response, body);
      else answerSts(options.principals[signerOf(request, 'sts') ?? ''], response, body);
    },
    faults,
    options,
  );
  return {
    url: serving.url,
    faults,
    keys,
    close: () => serving.close(),
    reset: () => {
      faults.clear();
      keys.clear();
      for (const [arn, key] of Object.entries(options.keys)) keys.set(arn, key);
      return Promise.resolve();
    },
  };
}

/** The query protocol, with XML answers. */
function answerSts(principal: Principal | undefined, response: ServerResponse, body: string): void {
  const known = new URLSearchParams(body).get('Action') === 'GetCallerIdentity';
  const xml = (status: number, text: string): void => {
    response.writeHead(status, { 'content-type': 'text/xml' });
    response.end(text);
  };
  if (principal === undefined || !known) {
    const [code, message] = known
      ? ['InvalidClientTokenId', 'The security token included in the request is invalid.']
      : ['InvalidAction', 'The action is not valid for this endpoint.'];
    xml(
      403,
      `<ErrorResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><Error><Type>Sender</Type><Code>${code}</Code>` +
        `<Message>${message}</Message></Error><RequestId>local</RequestId></ErrorResponse>`,
    );
    return;
  }
  const { account, arn } = principal;
  xml(
    200,
    '<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><GetCallerIdentityResult>' +
      `<Arn>${escapeHtml(arn)}</Arn><UserId>local</UserId><Account>${account}</Account>` +
      '</GetCallerIdentityResult><ResponseMetadata><RequestId>local</RequestId></ResponseMetadata></GetCallerIdentityResponse>',
  );
}

/** JSON 1.1. */
function answerKms(
  keys: ReadonlyMap<string, KmsKey>,
  request: IncomingMessage,
  response: ServerResponse,
  body: string,
): void {
  const { KeyId: id } = JSON.parse(body) as { KeyId: string };
  const key = keys.get(id);
  const operation = request.headers['x-amz-target'];
  if (key === undefined) {
    sendJson(response, 400, { __type: 'NotFoundException', message: `Key '${id}' does not exist` });
  } else if (operation === 'TrentService.DescribeKey') {
    const KeyState = key.enabled ? 'Enabled' : 'Disabled';
    sendJson(response, 200, {
      KeyMetadata: { KeyId: id, Arn: id, Enabled: key.enabled, KeyState, KeyManager: 'CUSTOMER' },
    });
  } else if (operation === 'TrentService.GetKeyRotationStatus') {
    sendJson(response, 200, { KeyId: id, KeyRotationEnabled: key.rotates });
  } else {
    sendJson(response, 400, { __type: 'UnknownOperationException' });
  }
}
