import { playFlow } from '../demo/flow.ts';
import type { LocalStack } from '../stack.ts';
import { toSvg } from './page/diagram.ts';
import type { Hop } from './page/hop.ts';

export const PICTURE = 'docs/images/flow.svg';

/** The flow of docs/architecture.md as the inspector draws it, played once. Times are left out: they differ each time. */
export async function flowPicture(stack: LocalStack): Promise<string> {
  const heard = { heading: () => undefined, step: () => undefined, check: () => undefined };
  await playFlow(stack, heard);
  const hops = stack.recorder?.hops() ?? [];
  const end = hops.findLastIndex(({ step }) => step === '13–14');
  return `${toSvg(
    hops.slice(0, end + 1).flatMap(({ ms: _, ...hop }): Hop[] => (hop.step === undefined ? [] : [hop])),
    { isAlone: true },
  )}\n`;
}
