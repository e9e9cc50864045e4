/** The subjects of the doctor, in the order in which they are reported. */
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

/** The result of a check. The subject is a property of the check. */
export type Result =
  | { readonly state: 'ok'; readonly detail: string }
  | {
      readonly state: 'wrong';
      readonly detail: string;
      /** A command for a POSIX shell. */
      readonly fix: string;
      /** Advice that the command cannot express. */
      readonly note?: string;
    };

/** The result of one check, with its subject. */
export type Finding = { readonly subject: Subject } & (
  Result | { readonly state: 'not checked'; readonly detail: string }
);

export const ok = (detail: string): Result => ({ state: 'ok', detail });
export const wrong = (detail: string, fix: string, note?: string): Result => ({
  state: 'wrong',
  detail,
  fix,
  ...(note !== undefined && { note }),
});

const PLAIN = /^[\w@%+=:,./-]+$/;

/**
 * A command for a POSIX shell in which every value is quoted as one word. Some values come from answers of other systems, and
 * a pasted command must do nothing else.
 */
export function sh(parts: TemplateStringsArray, ...values: readonly (string | readonly string[])[]): string {
  const quoted = values.map((value) => [value].flat().map(quote).join(' '));
  return String.raw({ raw: parts }, ...quoted);
}

function quote(value: string): string {
  return PLAIN.test(value) ? value : `'${value.replaceAll("'", String.raw`'\''`)}'`;
}
