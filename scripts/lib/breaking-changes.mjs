/**
 * The changes from one OpenAPI document to another after which a client that worked no longer does: what a request may
 * have became less, or what an answer has. Compares schemas as they are written, member by member.
 */
export function breakingChanges(before, after) {
  return Object.entries(before.paths).flatMap(([path, operations]) =>
    Object.entries(operations).flatMap(([method, operation]) => {
      const place = `${method.toUpperCase()} ${path}`;
      const now = after.paths[path]?.[method];
      return now === undefined ? [`${place} is gone`] : ofOperation(place, operation, now);
    }),
  );
}

function ofOperation(place, before, after) {
  return [
    ...ofParameters(place, before.parameters ?? [], after.parameters ?? []),
    ...ofContents(`${place}, request`, before.requestBody?.content, after.requestBody?.content, isNarrower),
    ...Object.entries(before.responses).flatMap(([status, response]) => {
      const now = after.responses[status];
      // An error that no longer happens breaks nobody.
      if (now === undefined) return status.startsWith('2') ? [`${place}: the answer ${status} is gone`] : [];
      return ofContents(`${place}, answer ${status}`, response.content, now.content, isPoorer);
    }),
  ];
}

function ofParameters(place, before, after) {
  const find = (list, { name, in: where }) => list.find((each) => each.name === name && each.in === where);
  return [
    ...before.flatMap((parameter) => {
      const now = find(after, parameter);
      if (now === undefined) return [`${place}: the parameter ${parameter.name} is gone`];
      return isNarrower(`${place}, parameter ${parameter.name}`, parameter.schema, now.schema);
    }),
    ...after
      .filter((parameter) => parameter.required && find(before, parameter)?.required !== true)
      .map(({ name }) => `${place}: the parameter ${name} is required now`),
  ];
}

function ofContents(place, before = {}, after = {}, compare) {
  return Object.entries(before).flatMap(([type, { schema }]) =>
    after[type] === undefined ? [`${place}: ${type} is gone`] : compare(place, schema, after[type].schema),
  );
}

/** Of a request: what was taken is refused now. */
function isNarrower(place, before = {}, after = {}) {
  const found = sameKind(place, before, after);
  if ((before.enum ?? []).some((value) => after.enum !== undefined && !after.enum.includes(value)))
    found.push(`${place}: a value is gone`);
  for (const bound of ['maximum', 'maxLength', 'maxItems'])
    if ((after[bound] ?? Infinity) < (before[bound] ?? Infinity)) found.push(`${place}: ${bound} is smaller`);
  for (const bound of ['minimum', 'minLength', 'minItems'])
    if ((after[bound] ?? -Infinity) > (before[bound] ?? -Infinity))
      found.push(`${place}: ${bound} is larger`);
  if (after.pattern !== undefined && after.pattern !== before.pattern)
    found.push(`${place}: the pattern is another one`);
  const added = (after.required ?? []).filter((name) => before.required?.includes(name) !== true);
  found.push(...added.map((name) => `${place}.${name} is required now`));
  if (after.additionalProperties === false) {
    const gone = Object.keys(before.properties ?? {}).filter((name) => !(name in (after.properties ?? {})));
    found.push(...gone.map((name) => `${place}.${name} is not taken any more`));
  }
  return [...found, ...ofParts(place, before, after, isNarrower)];
}

/** Of an answer: what a client reads is missing now, or another thing. */
function isPoorer(place, before = {}, after = {}) {
  const found = sameKind(place, before, after);
  for (const name of Object.keys(before.properties ?? {})) {
    if (!(name in (after.properties ?? {}))) found.push(`${place}.${name} is gone`);
    else if (before.required?.includes(name) && after.required?.includes(name) !== true)
      found.push(`${place}.${name} may be absent now`);
  }
  return [...found, ...ofParts(place, before, after, isPoorer)];
}

function sameKind(place, before, after) {
  const kinds = [before.type ?? 'any', after.type ?? 'any'];
  return kinds[0] === kinds[1] ? [] : [`${place} was ${kinds[0]} and is ${kinds[1]}`];
}

/** Members that both have, items, and alternatives in their order. */
function ofParts(place, before, after, compare) {
  const members = Object.entries(before.properties ?? {})
    .filter(([name]) => name in (after.properties ?? {}))
    .flatMap(([name, schema]) => compare(`${place}.${name}`, schema, after.properties[name]));
  const items = before.items && after.items ? compare(`${place}[]`, before.items, after.items) : [];
  const alternatives = ['anyOf', 'oneOf'].flatMap((kind) =>
    (before[kind] ?? []).flatMap((schema, index) => {
      const now = after[kind]?.[index];
      const name = `${place}, alternative ${String(index + 1)}`;
      return now === undefined ? [`${name} is gone`] : compare(name, schema, now);
    }),
  );
  return [...members, ...items, ...alternatives];
}
