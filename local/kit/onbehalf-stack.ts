#!/usr/bin/env node
import { serveStack } from '../stack-command.ts';

await serveStack('npx onbehalf-stack');
