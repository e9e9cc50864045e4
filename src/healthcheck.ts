/** For the container's health check: an image without a shell has no curl. Asks whether the process answers at all. */
import { readEnvironment } from './config/index.js';

const TIMEOUT_MS = 2_500;

const { port } = readEnvironment();
const answer = await fetch(`http://127.0.0.1:${String(port)}/ping`, {
  signal: AbortSignal.timeout(TIMEOUT_MS),
});
process.exit(answer.ok ? 0 : 1);
