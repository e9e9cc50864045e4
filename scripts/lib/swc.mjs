/** How swc compiles the sources, as tsc does: Nest needs the types of a constructor's parameters at run time. */
export const SWC_OPTIONS = {
  jsc: {
    parser: { syntax: 'typescript', decorators: true },
    transform: { legacyDecorator: true, decoratorMetadata: true },
    keepClassNames: true,
    target: 'es2024',
  },
  module: { type: 'es6' },
  sourceMaps: 'inline',
};
