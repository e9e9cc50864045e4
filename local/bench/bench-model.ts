import type { Model } from '../bedrock/protocol.ts';

/** The messages of a measurement, and what the model does with each. */
export const PLAIN = 'Just answer.';
export const READ = 'Read my profile.';
export const WRITE = 'Open an issue.';

const ISSUE = { owner: 'alice-octo', repo: 'tram-times', title: 'The lamp is broken' };
const TOOL_USES: Readonly<Record<string, { readonly name: string; readonly input: object }>> = {
  [READ]: { name: 'get_github_user', input: {} },
  [WRITE]: { name: 'create_github_issue', input: ISSUE },
};

/** Answers every message with the same text, after the tool call that it asks for. */
export const benchModel: Model = ({ messages }) => {
  const texts = messages.at(-1)?.content.flatMap(({ text }) => text ?? []) ?? [];
  const use = TOOL_USES[texts.at(-1) ?? ''];
  return use === undefined ? { text: 'All is well.', toolUses: [] } : { text: '', toolUses: [use] };
};
