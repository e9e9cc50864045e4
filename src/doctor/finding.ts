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

/** What one look has shown. `mend` is a command, or a sentence where no command can. */
export type Finding =
  | { readonly subject: Subject; readonly state: 'ok'; readonly detail: string }
  | { readonly subject: Subject; readonly state: 'wrong'; readonly detail: string; readonly mend: string }
  | { readonly subject: Subject; readonly state: 'not checked'; readonly detail: string };

/** What a check finds; the subject is the check's own. */
export type Result =
  | { readonly state: 'ok'; readonly detail: string }
  | { readonly state: 'wrong'; readonly detail: string; readonly mend: string };

export const ok = (detail: string): Result => ({ state: 'ok', detail });
export const wrong = (detail: string, mend: string): Result => ({ state: 'wrong', detail, mend });

/** A value out of an answer as one word of a POSIX shell: a command that is told must do nothing else when it is pasted. */
export function quote(value: string): string {
  return `'${value.replaceAll("'", String.raw`'\''`)}'`;
}
