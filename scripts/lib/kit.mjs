import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';
import { build } from 'vite';

/** The folder of the npm package `onbehalf`. */
export const KIT = 'build/kit';
const SOURCES = 'local/kit';
const OLDEST_NODE = '22.13';

/**
 * Builds the local stack as an npm package of its own: the command `onbehalf-stack`, and `onbehalf/testing`. Everything that it
 * needs of other packages is in its files, so that it has no dependencies.
 */
export async function buildKit() {
  rmSync(KIT, { recursive: true, force: true });
  await bundle('es', ['onbehalf-stack', 'stack-process', 'testing'], 'js');
  // For tests that are not modules, as they are in Jest by default.
  await bundle('cjs', ['testing'], 'cjs');
  writeTypes();
  // The files that the stack reads beside its code.
  cpSync('local/aws-models', `${KIT}/aws-models`, { recursive: true });
  cpSync('local/inspector/page', `${KIT}/lib/page`, { recursive: true });
  cpSync(join(dirname(fileURLToPath(import.meta.resolve('emulate'))), 'fonts'), `${KIT}/lib/fonts`, {
    recursive: true,
  });
  for (const file of ['local/stack.schema.json', 'LICENSE', `${SOURCES}/README.md`])
    cpSync(file, join(KIT, file.split('/').at(-1)));
  writeFileSync(`${KIT}/package.json`, `${JSON.stringify(manifest(), undefined, 2)}\n`);
}

async function bundle(format, names, extension) {
  const input = Object.fromEntries(names.map((name) => [name, `${SOURCES}/${name}.ts`]));
  await build({
    configFile: false,
    logLevel: 'error',
    publicDir: false,
    ssr: { noExternal: true, target: 'node' },
    build: {
      ssr: true,
      outDir: KIT,
      emptyOutDir: false,
      target: `node${OLDEST_NODE}`,
      ...(format === 'es' && { license: { fileName: 'licenses.md' } }),
      rolldownOptions: {
        input,
        output: {
          format,
          entryFileNames: `lib/[name].${extension}`,
          chunkFileNames: `lib/[name].${extension}`,
        },
      },
    },
  });
}

/** The types name nothing of other files, so that one file is enough. */
function writeTypes() {
  const file = `${SOURCES}/testing.ts`;
  const options = ts.parseJsonConfigFileContent(
    {
      extends: './tsconfig.tools.json',
      compilerOptions: { noEmit: false, declaration: true, emitDeclarationOnly: true },
      files: [file],
    },
    ts.sys,
    '.',
  );
  if (options.errors.length > 0) throw new Error('The options of the compiler cannot be read.');
  ts.createProgram([file], options.options).emit(undefined, (written, text) => {
    if (!written.endsWith('/testing.d.ts')) return;
    mkdirSync(`${KIT}/lib`, { recursive: true });
    for (const name of ['testing.d.ts', 'testing.d.cts']) writeFileSync(`${KIT}/lib/${name}`, text);
  });
}

function manifest() {
  const { name, version, license } = JSON.parse(readFileSync('package.json', 'utf8'));
  return {
    name,
    version,
    description: 'A local AgentCore Identity, with the parts around it: for tests, not for production.',
    license,
    type: 'module',
    engines: { node: `>=${OLDEST_NODE}` },
    bin: { 'onbehalf-stack': './lib/onbehalf-stack.js' },
    exports: {
      './testing': {
        import: { types: './lib/testing.d.ts', default: './lib/testing.js' },
        require: { types: './lib/testing.d.cts', default: './lib/testing.cjs' },
      },
      './stack.schema.json': './stack.schema.json',
      './package.json': './package.json',
    },
  };
}
