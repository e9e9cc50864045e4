import type { z } from 'zod';

/** A fault of a deployment file in sentences of ours. Of a union, the faults of the alternative that fits best. */
export function sentencesOf(issue: z.core.$ZodIssue): string[] {
  const where = issue.path.join('.') || 'the file';
  switch (issue.code) {
    case 'unrecognized_keys':
      return issue.keys.map(
        (key) =>
          `${[...issue.path, key].join('.')}: there is no such member. docs/deployment-file.md has them all`,
      );
    case 'invalid_union': {
      const fitting = issue.errors.filter((faults) => !faults.some(isOfAnotherAlternative));
      const best =
        [...(fitting.length > 0 ? fitting : issue.errors)].sort((a, b) => a.length - b.length)[0] ?? [];
      if (best.length === 0) return [`${where}: ${issue.message}`];
      return best.flatMap((inner) => sentencesOf({ ...inner, path: [...issue.path, ...inner.path] }));
    }
    case 'invalid_type':
      return [issue.input === undefined ? `${where}: is missing` : `${where}: ${typeSentence(issue)}`];
    default:
      return [`${where}: ${issue.message}`];
  }
}

/** The member that tells the alternatives of `network` apart is not known to the others. */
function isOfAnotherAlternative(issue: z.core.$ZodIssue): boolean {
  return issue.code === 'unrecognized_keys' && issue.keys.includes('vpcId');
}

function typeSentence({ expected, message }: Extract<z.core.$ZodIssue, { code: 'invalid_type' }>): string {
  return message.startsWith('Invalid input') ? `must be of the type ${expected}` : message;
}
