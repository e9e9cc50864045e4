import { createHash } from 'node:crypto';
import { readFileSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import typescript from 'typescript';

/**
 * For each file, a digest of its text, of the texts of all that it imports, directly or not, and of what counts for every
 * file. It is the same as before only if a look at the file and its imports would show the same.
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

/** The files of this repository that the text imports. */
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
