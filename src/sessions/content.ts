import { z } from 'zod';

/** JSON that is kept as it is. */
export type Json = string | number | boolean | null | Json[] | { [key: string]: Json };

/** A member of a document that was parsed from JSON, so that every value is JSON; absent ones are none. */
export const json = z.custom<Json>((value) => value !== undefined);

const text = z.strictObject({ text: z.string() });

export const toolUse = z.object({ toolUseId: z.string(), name: z.string(), input: json });

export const toolResult = z.object({
  toolUseId: z.string(),
  status: z.enum(['success', 'error']).default('success'),
  content: z.array(z.union([text, z.strictObject({ json })])),
});

const reasoning = z.object({ text: z.string().exactOptional(), signature: z.string().exactOptional() });

/** One block of a message, in the names of Bedrock's Converse API. */
export const contentBlock = z.union([
  text,
  z.strictObject({ toolUse }),
  z.strictObject({ toolResult }),
  z.strictObject({ reasoning }),
]);
export type ContentBlock = z.infer<typeof contentBlock>;
export type ToolResult = z.infer<typeof toolResult>;

/** A message as the model's API has it: a role and content blocks. */
export const storedMessage = z.strictObject({
  role: z.enum(['user', 'assistant']),
  content: z.array(contentBlock),
});
export type StoredMessage = z.infer<typeof storedMessage>;

/** The ids of the tools that a message calls, in order. */
export function toolUseIdsOf({ content }: StoredMessage): readonly string[] {
  return content.flatMap((block) => ('toolUse' in block ? [block.toolUse.toolUseId] : []));
}
