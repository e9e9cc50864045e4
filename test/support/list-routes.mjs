// Runs with the environment of a role and prints all its routes, one `METHOD /path` per line.
import 'reflect-metadata';
import { createApp } from '../../dist/create-app.js';
import { processEnvironment } from '../../dist/config/index.js';
import { loadRole } from '../../dist/roles/load-role.js';

const app = await createApp(await loadRole(processEnvironment()));
const tree = app.getHttpAdapter().getInstance().printRoutes({ commonPrefix: false });
const prefixes = [];
for (const [, indent, path, methods] of tree.matchAll(/^([│ ]*)[├└]── (\S*)(?: \(([A-Z, ]+)\))?$/gm)) {
  const depth = indent.length / 4;
  prefixes.length = depth;
  prefixes.push(path);
  for (const method of methods?.split(', ') ?? [])
    process.stdout.write(`route ${method} ${prefixes.join('')}\n`);
}
await app.close();
