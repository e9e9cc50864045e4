/** Leaves alone what is written for readers of the specification: `@Api…(…)` and the text of `.describe(…)`. */
export const strykerPlugins = [{ kind: 'Ignore', name: 'openapi', value: { shouldIgnore } }];

function shouldIgnore(path) {
  const { node, parent, listKey } = path;
  const decorates = node.type === 'CallExpression' && /^Api[A-Z]/.test(node.callee.name);
  const describes = listKey === 'arguments' && parent.callee?.property?.name === 'describe';
  return decorates || describes ? 'Of the specification, which test/e2e checks as a whole.' : undefined;
}
