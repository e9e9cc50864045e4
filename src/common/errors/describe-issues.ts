const MOST = 5;
const FAULTS: Readonly<Record<string, string>> = {
  invalid_type: 'is missing or of another type than expected',
  unrecognized_keys: 'has members that are not known',
  too_big: 'is too long or too large',
  too_small: 'is too short or too small',
  invalid_format: 'has characters that are not allowed, or is too long',
  custom: 'is blank, or no valid Unicode',
};

/** A validation issue as Standard Schema defines it, with the members that zod adds. */
export interface Issue {
  readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined;
  readonly code?: string | undefined;
  /** For a union: the faults of each of its members. */
  readonly errors?: readonly (readonly Issue[])[] | undefined;
  readonly params?: Readonly<Record<string, unknown>> | undefined;
}

/**
 * The members that do not fit, with the reasons. The text repeats no input; zod's own texts can quote keys of the input.
 * @param whole the name of the input itself
 */
export function describeIssues(issues: readonly Issue[], whole: string): string {
  return nearest(issues)
    .slice(0, MOST)
    .map((issue) => describe(issue, whole))
    .join('; ');
}

function describe({ path = [], code = '', params }: Issue, whole: string): string {
  if (typeof params?.sentence === 'string') return params.sentence;
  const names = path.map((part) => String(typeof part === 'object' ? part.key : part));
  const member = names.filter((name) => /^\w{1,32}$/.test(name)).join('.') || whole;
  return `${member} ${FAULTS[code] ?? 'is not valid'}`;
}

/** For a union, the faults of the member that has the fewest faults, because the client most likely meant that one. */
function nearest(issues: readonly Issue[]): readonly Issue[] {
  return issues.flatMap((issue) => {
    const [first, ...others] = (issue.errors ?? []).map(nearest);
    if (first === undefined) return [issue];
    const fewest = others.reduce((best, each) => (each.length < best.length ? each : best), first);
    return fewest.map((each) => ({ ...each, path: [...(issue.path ?? []), ...(each.path ?? [])] }));
  });
}
