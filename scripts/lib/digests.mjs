import { createHash } from 'node:crypto';
import { readFileSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import typescript from 'typescript';

/**
 * Returns a digest for each file. It covers the text of the file, the texts of all its direct and indirect imports, and the
 * inputs that all files share. An equal digest means that a new check of the file would give the same result.
 */
export function digestsOf(files, countingForAll) {
  const hash = (text) => createHash('sha256').update(text).digest('hex');
  const forAll = hash(countingForAll.map((file) => readFileSync(file, 'utf8')).join('\0'));
  const known = new Map();
  const look = (file) => {
    if (!known.has(file)) {
      const text = readFileSync(file, 'utf8');
      known.set(file, { hash: hash(text), imports: importsOf(file, text) });
    }
    return known.get(file);
  };
  const digestOf = (file) => {
    const reached = new Set([file]);
    for (const each of reached) for (const imported of look(each).imports) reached.add(imported);
    return hash([forAll, ...[...reached].sort().map((each) => `${each} ${look(each).hash}`)].join('\n'));
  };
  return Object.fromEntries(files.map((file) => [file, digestOf(file)]));
}

/** Returns the files of this repository that the text imports. */
function importsOf(file, text) {
  return typescript
    .preProcessFile(text, true, true)
    .importedFiles.map(({ fileName }) => fileName)
    .filter((name) => name.startsWith('.'))
    .map((name) => join(dirname(file), name))
    .flatMap((path) => [path, path.replace(/\.js$/, '.ts'), path.replace(/\.mjs$/, '.d.mts')])
    .filter(
      (path, index, all) =>
        all.indexOf(path) === index && statSync(path, { throwIfNoEntry: false })?.isFile(),
    );
}
