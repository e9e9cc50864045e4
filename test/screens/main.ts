// Writes the pictures of docs/images: every page and state at two widths, light and dark, and a film of the first consent.
import { mkdirSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { build } from '../../scripts/lib/build.mjs';
import { launchChromium } from '../support/chromium.ts';
import { playStates, type Window } from './states.ts';
import { STRUCTURE, structureOf } from './structure.ts';
import { toSmallPng } from './small-png.ts';
import { film, toWebp, type Frame } from './webp.ts';

const FOLDER = 'docs/images';
const WINDOWS: readonly Window[] = [
  { width: 1280, colorScheme: 'light' },
  { width: 1280, colorScheme: 'dark' },
  { width: 390, colorScheme: 'light' },
  { width: 390, colorScheme: 'dark' },
];
/** The states of the film, and how long each stays: 20 seconds. */
const FILM: Readonly<Record<string, number>> = {
  welcome: 2_000,
  message: 2_000,
  consent: 3_000,
  connect: 3_000,
  'provider-sign-in': 2_000,
  'provider-consent': 2_500,
  connected: 2_500,
  answer: 3_000,
};
const FILM_WIDTH = 960;
const FILM_HEIGHT = 600;
const MOST_PICTURES = 1_500_000;
const MOST_FILM = 1_000_000;

const say = (line: string): void => {
  process.stdout.write(`${line}\n`);
};

await build();
const browser = await launchChromium();
const converter = await browser.newPage();
mkdirSync(FOLDER, { recursive: true });
for (const name of readdirSync(FOLDER)) if (/\.(png|webp)$/.test(name)) rmSync(`${FOLDER}/${name}`);
const structure: Record<string, string> = {};
const frames: Frame[] = [];
try {
  for (const window of WINDOWS) {
    const { width, colorScheme } = window;
    const isFirst = window === WINDOWS[0];
    await playStates(browser, window, async (name, page) => {
      const png = await page.screenshot();
      writeFileSync(
        `${FOLDER}/${name}-${String(width)}-${colorScheme}.png`,
        await toSmallPng(converter, png),
      );
      if (!isFirst) return;
      structure[name] = await structureOf(page);
      const ms = FILM[name];
      const scene = { width: FILM_WIDTH, height: FILM_HEIGHT };
      if (ms !== undefined) frames.push({ webp: await toWebp(converter, png, scene), ms });
    });
    say(`${String(width)} px, ${colorScheme}: done.`);
  }
} finally {
  await browser.close();
}
writeFileSync(STRUCTURE, `${JSON.stringify(structure, undefined, 2)}\n`);
writeFileSync(`${FOLDER}/first-consent.webp`, film(frames, FILM_WIDTH, FILM_HEIGHT));
const sizeOf = (name: string): number => statSync(`${FOLDER}/${name}`).size;
const pictures = readdirSync(FOLDER).filter((name) => name.endsWith('.png'));
const all = pictures.reduce((sum, name) => sum + sizeOf(name), 0);
say(
  `${String(pictures.length)} pictures: ${String(all)} bytes. The film: ${String(sizeOf('first-consent.webp'))} bytes.`,
);
if (all > MOST_PICTURES || sizeOf('first-consent.webp') > MOST_FILM) {
  say('They are larger than they may be.');
  process.exitCode = 1;
}
