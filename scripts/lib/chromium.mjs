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

/** The Chromium of this machine; undefined where there is none. CHROMIUM_PATH names one elsewhere, and then no other. */
export function findChromium() {
  const named = process.env['CHROMIUM_PATH'];
  const candidates = named === undefined || named === '' ? CANDIDATES : [named];
  return candidates.find((path) => existsSync(path));
}
