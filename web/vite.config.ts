import { join } from 'node:path';
import { defineConfig } from 'vite';

/** Everything in a file of its own: the pages' policy allows no inline script and no inline style. */
export default defineConfig({
  root: import.meta.dirname,
  oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
  resolve: {
    alias: [
      {
        find: 'decode-named-character-reference',
        replacement: join(import.meta.dirname, 'lib/named-characters.ts'),
      },
      // Inside micromark: nothing is taken for HTML.
      { find: /^\.\/lib\/html-(flow|text)\.js$/, replacement: join(import.meta.dirname, 'lib/no-html.ts') },
    ],
  },
  build: {
    license: { fileName: 'assets/licenses.md' },
    rolldownOptions: { input: ['index.html', 'docs.html'].map((page) => join(import.meta.dirname, page)) },
    outDir: '../dist/pages/built',
    emptyOutDir: true,
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    target: 'es2024',
  },
});
