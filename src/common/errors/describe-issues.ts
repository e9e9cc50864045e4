import type { z } from 'zod';

const MOST = 5;
const WHAT: Readonly<Partial<Record<z.core.$ZodIssue['code'], string>>> = {
  invalid_type: 'is missing or of another type than expected',
  unrecognized_keys: 'has members that are not known',
  too_big: 'is too long or too large',
  too_small: 'is too short or too small',
  invalid_format: 'has characters that are not allowed, or is too long',
  custom: 'is blank, or no valid Unicode',
};

/** What does not fit, by member, and nothing of what was sent: zod's own texts can quote keys of the input. */
export function describeIssues(error: z.ZodError, whole: string): string {
  const faults = error.issues.slice(0, MOST).map(({ path, code }) => {
    const where = path.filter((part) => /^\w{1,32}$/.test(String(part))).join('.') || whole;
    return `${where} ${WHAT[code] ?? 'is not valid'}`;
  });
  return faults.join('; ');
}
