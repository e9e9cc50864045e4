import { build } from 'vite';

/** The folder of the pages' sources. */
export const PAGES = 'web';

/** Builds the pages as `npm run build` does. @param folder where the built files go; an absolute path */
export async function buildPages(folder: string): Promise<void> {
  await build({ configFile: `${PAGES}/vite.config.ts`, logLevel: 'silent', build: { outDir: folder } });
}
