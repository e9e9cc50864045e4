import { existsSync } from 'node:fs';

const CANDIDATES = [
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
  '/usr/bin/google-chrome-stable',
  '/snap/bin/chromium',
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
  '/Applications/Chromium.app/Contents/MacOS/Chromium',
];

/** The path of Chromium on this machine; undefined when there is none. If CHROMIUM_PATH is set, only that path is used. */
export function findChromium() {
  const named = process.env['CHROMIUM_PATH'];
  const candidates = named === undefined || named === '' ? CANDIDATES : [named];
  return candidates.find((path) => existsSync(path));
}
