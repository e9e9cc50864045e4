import type { z } from 'zod';

const VPC =
  'network.vpcId: needs availabilityZones, publicSubnetIds and privateSubnetIds beside it, and neither cidr nor agentCoreZones';

/**
 * Describes a fault of a deployment file in our own sentences. For a union, it describes the faults of the alternative that
 * fits best.
 */
export function sentencesOf(issue: z.core.$ZodIssue): string[] {
  const where = issue.path.join('.') || 'the file';
  switch (issue.code) {
    case 'unrecognized_keys':
      return issue.keys.map((key) => {
        const member = [...issue.path, key].join('.');
        // Zod has assumed the other kind of network.
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
