import type { ConformanceCase } from './cases.ts';

/** How a request was made: by plain HTTP, or by the AWS SDK for JavaScript. */
export type Way = 'http' | 'sdk';

interface Row {
  readonly why: string;
  readonly fits: (way: Way, asked: ConformanceCase) => boolean;
}

const NEWER = /(^|\.)(projectIdentifier|certificateConfigurations|onBehalfOfAuthenticationConfig)(\.|$)/;

/** The differences that are meant. */
const ROWS: readonly Row[] = [
  {
    why: 'The member is newer than the version of the SDK in package.json, which does not send it.',
    fits: (way, { member }) => way === 'sdk' && NEWER.test(member),
  },
  {
    why: 'The member is a part of the path. Without it there is no such path, and the SDK sends nothing.',
    fits: (_, { member, what }) => member === 'modelId' && what === 'left out',
  },
];

/** The row that explains a difference. */
export function explained(way: Way, asked: ConformanceCase): string | undefined {
  return ROWS.find(({ fits }) => fits(way, asked))?.why;
}
