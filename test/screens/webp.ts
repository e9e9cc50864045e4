import type { Page } from 'playwright-core';

/** A picture of a film, and how long it stays. */
export interface Frame {
  readonly webp: Buffer;
  readonly ms: number;
}

const RIFF_HEAD = 12;
const CHUNK_HEAD = 8;
const ANIMATED = 0x02;

interface Size {
  readonly width: number;
  readonly height: number;
}

/** A screenshot as WebP, smaller and with a little loss: for a film. Chromium converts it. */
export async function toWebp(page: Page, png: Buffer, { width, height }: Size): Promise<Buffer> {
  const encoded = await page.evaluate(draw, [png.toString('base64'), width, height] as const);
  return Buffer.from(encoded, 'base64');
}

async function draw([data, width, height]: readonly [string, number, number]): Promise<string> {
  const bytes = Uint8Array.from(atob(data), (character) => character.charCodeAt(0));
  const image = await createImageBitmap(new Blob([bytes], { type: 'image/png' }));
  const canvas = Object.assign(document.createElement('canvas'), { width, height });
  const context = canvas.getContext('2d', { alpha: false });
  if (context === null) throw new Error('no canvas');
  context.imageSmoothingQuality = 'high';
  context.drawImage(image, 0, 0, width, height);
  return canvas.toDataURL('image/webp', 0.9).slice('data:image/webp;base64,'.length);
}

/** Frames as an animated WebP: https://developers.google.com/speed/webp/docs/riff_container */
export function film(frames: readonly Frame[], width: number, height: number): Buffer {
  const size = Buffer.concat([uint24(width - 1), uint24(height - 1)]);
  const extended = chunk('VP8X', Buffer.concat([Buffer.from([ANIMATED, 0, 0, 0]), size]));
  // White, and for ever.
  const animation = chunk('ANIM', Buffer.from([255, 255, 255, 255, 0, 0]));
  const all = frames.map(({ webp, ms }) =>
    chunk('ANMF', Buffer.concat([uint24(0), uint24(0), size, uint24(ms), Buffer.from([0]), imageOf(webp)])),
  );
  return chunk('RIFF', Buffer.concat([Buffer.from('WEBP'), extended, animation, ...all]));
}

/** The chunk of a WebP file that holds the picture itself. */
function imageOf(webp: Buffer): Buffer {
  for (let at = RIFF_HEAD; at < webp.length;) {
    const name = webp.toString('latin1', at, at + 4);
    const length = webp.readUInt32LE(at + 4);
    const end = at + CHUNK_HEAD + length + (length % 2);
    if (name === 'VP8 ' || name === 'VP8L') return webp.subarray(at, end);
    at = end;
  }
  throw new Error('There is no picture in a WebP.');
}

function chunk(name: string, content: Buffer): Buffer {
  const head = Buffer.alloc(CHUNK_HEAD);
  head.write(name, 'latin1');
  head.writeUInt32LE(content.length, 4);
  return Buffer.concat([head, content, Buffer.alloc(content.length % 2)]);
}

function uint24(value: number): Buffer {
  return Buffer.from([value & 255, (value >> 8) & 255, (value >> 16) & 255]);
}
