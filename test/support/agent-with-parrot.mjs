// The agent role with a provider outside the src folder of this repository.
import 'reflect-metadata';
import { z } from 'zod';
import { processEnvironment } from '../../dist/config/index.js';
import { createApp } from '../../dist/create-app.js';
import { loadRole } from '../../dist/roles/load-role.js';
import { AgentTool, ProviderApi } from '../../dist/tools/index.js';

class ParrotTools {
  constructor(api) {
    this.api = api;
  }

  say(_input, context) {
    return this.api.get({ path: ['word'], answer: z.object({ word: z.string() }) }, context);
  }
}
Reflect.defineMetadata('design:paramtypes', [ProviderApi], ParrotTools);
AgentTool({
  name: 'get_parrot_word',
  title: 'Hear a word',
  description: 'Hear a word.',
  input: z.strictObject({}),
  output: z.object({ word: z.string() }),
  access: { provider: 'parrot', scopes: ['hear'] },
  effect: 'read',
})(ParrotTools.prototype, 'say', Object.getOwnPropertyDescriptor(ParrotTools.prototype, 'say'));

const parrot = {
  id: 'parrot',
  label: 'Parrot',
  apiBase: 'https://api.parrot.example',
  scopes: { hear: 'Hear words' },
  settingsUrl: 'https://parrot.example/settings',
  tools: [ParrotTools],
};

const role = await loadRole(processEnvironment(), [parrot]);
const app = await createApp(role);
const { port, host } = role.config.service;
await app.listen({ port, host });
