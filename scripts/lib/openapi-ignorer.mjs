/** Excludes the texts for readers of the specification from mutation: `@Api…(…)` and the text of `.describe(…)`. */
export const strykerPlugins = [{ kind: 'Ignore', name: 'openapi', value: { shouldIgnore } }];

function shouldIgnore(path) {
  const { node, parent, listKey } = path;
  const decorates = node.type === 'CallExpression' && /^Api[A-Z]/.test(node.callee.name);
  const describes = listKey === 'arguments' && parent.callee?.property?.name === 'describe';
  return decorates || describes ? 'Part of the specification, which test/e2e checks as a whole.' : undefined;
}
