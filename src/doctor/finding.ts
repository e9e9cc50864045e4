/** What is looked at, in the order in which it is told. */
export const SUBJECTS = [
  'variables',
  'region',
  'reachability',
  'clock',
  'credentials',
  'identity provider',
  'workload identity',
  'return URLs',
  'credential provider',
  'callback URL',
  'completion',
  'bucket',
  'key',
  'model',
  'front door',
] as const;
export type Subject = (typeof SUBJECTS)[number];

/** What a check finds; the subject is the check's own. */
export type Result =
  | { readonly state: 'ok'; readonly detail: string }
  | {
      readonly state: 'wrong';
      readonly detail: string;
      /** A command for a POSIX shell. */
      readonly mend: string;
      /** What the command cannot say. */
      readonly note?: string;
    };

/** What one look has shown. */
export type Finding = { readonly subject: Subject } & (
  Result | { readonly state: 'not checked'; readonly detail: string }
);

export const ok = (detail: string): Result => ({ state: 'ok', detail });
export const wrong = (detail: string, mend: string, note?: string): Result => ({
  state: 'wrong',
  detail,
  mend,
  ...(note !== undefined && { note }),
});

const PLAIN = /^[\w@%+=:,./-]+$/;

/**
 * A command for a POSIX shell, in which every value is one word, whatever it holds: some come from answers of others, and a
 * command that is told must do nothing else when it is pasted.
 */
export function sh(parts: TemplateStringsArray, ...values: readonly (string | readonly string[])[]): string {
  const words = values.map((value) => [value].flat().map(quote).join(' '));
  return String.raw({ raw: parts }, ...words);
}

function quote(value: string): string {
  return PLAIN.test(value) ? value : `'${value.replaceAll("'", String.raw`'\''`)}'`;
}
