import type { StoredMessage } from '../../../sessions/index.js';
import type { ToolOutcome } from '../../../tools/index.js';

export const context = { user: { sub: 'alice' }, sessionId: 'one', runId: 'run' };
export const CALL = { toolUseId: 'a', name: 'say', input: { word: 'hello' } };
export const result: ToolOutcome = {
  kind: 'result',
  provider: 'parrot',
  data: { said: 'hello' },
  widerScopes: [],
};
export const approvalRequired: ToolOutcome = {
  kind: 'approval_required',
  tool: 'say',
  provider: 'parrot',
  input: { word: 'hello' },
  inputBytes: 16,
  digest: 'DIGEST',
  account: undefined,
  widerScopes: [],
};
export const authorizationRequired = {
  kind: 'authorization_required',
  tool: 'say',
  provider: { id: 'parrot', label: 'Parrot', scopes: {} },
  scopes: [],
  authorization: { sessionUri: 'urn:session', expiresAt: 0 },
  reauthenticated: false,
  called: false,
} as unknown as ToolOutcome;

export function user(...content: StoredMessage['content']): StoredMessage {
  return { role: 'user', content };
}
export const assistant = (...content: StoredMessage['content']): StoredMessage => ({
  role: 'assistant',
  content,
});
export const use = (id: string): StoredMessage['content'][number] => ({
  toolUse: { toolUseId: id, name: 'say', input: { word: 'hello' } },
});
export const failed = (toolUseId: string, why: string): StoredMessage['content'][number] => ({
  toolResult: { toolUseId, status: 'error', content: [{ text: why }] },
});
