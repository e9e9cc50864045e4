import type { z } from 'zod';

const VPC =
  'network.vpcId: needs availabilityZones, publicSubnetIds and privateSubnetIds beside it, and neither cidr nor agentCoreZones';

/** A fault of a deployment file in sentences of ours. Of a union, the faults of the alternative that fits best. */
export function sentencesOf(issue: z.core.$ZodIssue): string[] {
  const where = issue.path.join('.') || 'the file';
  switch (issue.code) {
    case 'unrecognized_keys':
      return issue.keys.map((key) => {
        const member = [...issue.path, key].join('.');
        // Zod has taken the other kind of network for the one that is meant.
        return member === 'network.vpcId'
          ? VPC
          : `${member}: there is no such member. docs/deployment-file.md has them all`;
      });
    case 'invalid_union': {
      const best = [...issue.errors].sort((a, b) => a.length - b.length)[0] ?? [];
      if (best.length === 0) return [`${where}: ${issue.message}`];
      return best.flatMap((inner) => sentencesOf({ ...inner, path: [...issue.path, ...inner.path] }));
    }
    case 'invalid_type':
      return [issue.input === undefined ? `${where}: is missing` : `${where}: ${typeSentence(issue)}`];
    default:
      return [`${where}: ${issue.message}`];
  }
}

function typeSentence({ expected, message }: Extract<z.core.$ZodIssue, { code: 'invalid_type' }>): string {
  return message.startsWith('Invalid input') ? `must be of the type ${expected}` : message;
}
