import { NO_FILE, readStackFile, stackOf, type StackFile } from '../stack-file.ts';
import { startParts } from '../stack.ts';

/** What the process is started with. */
interface Order {
  readonly config?: unknown;
}

/** What the process tells: the address of `/__stack`, or why it could not start. */
type Told = { readonly url: string } | { readonly failed: string };

// The stack of a test, in a process of its own. It lives as long as the channel to the process that has started it.
process.once('message', (order: Order) => {
  start(order).then(tell, (error: unknown) => {
    tell({ failed: error instanceof Error ? error.message : String(error) });
  });
});
process.once('disconnect', () => process.exit());

async function start({ config }: Order): Promise<Told> {
  const stack = await startParts({ file: fileOf(config), inspect: true });
  return { url: stack.faultBoard.url };
}

function fileOf(config: unknown): StackFile {
  if (config === undefined) return NO_FILE;
  return typeof config === 'string' ? readStackFile(config) : stackOf(config, 'config');
}

function tell(told: Told): void {
  process.send?.(told);
}
