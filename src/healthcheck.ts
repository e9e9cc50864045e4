/**
 * For the container's health check: an image without a shell has no curl. Asks whether the process answers at all. It
 * loads nothing, as a check that takes longer than it may would end a healthy task.
 */
const TIMEOUT_MS = 1_500;

const answer = await fetch(`http://127.0.0.1:${process.env.PORT ?? '8080'}/ping`, {
  signal: AbortSignal.timeout(TIMEOUT_MS),
});
process.exit(answer.ok ? 0 : 1);

export {};
