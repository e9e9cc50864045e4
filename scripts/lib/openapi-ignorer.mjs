/** Excludes the texts for readers of the specification from mutation: `@Api…(…)`, `.describe(…)` and `.meta(…)`. */
export const strykerPlugins = [{ kind: 'Ignore', name: 'openapi', value: { shouldIgnore } }];

function shouldIgnore(path) {
  const { node, parent, listKey } = path;
  const decorates = node.type === 'CallExpression' && /^Api[A-Z]/.test(node.callee.name);
  const describes = listKey === 'arguments' && ['describe', 'meta'].includes(parent.callee?.property?.name);
  return decorates || describes ? 'Part of the specification, which test/e2e checks as a whole.' : undefined;
}
