import { crc32, deflateSync } from 'node:zlib';
import type { Page } from 'playwright-core';

const SIGNATURE = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
const COLOURS = 256;
const OPAQUE_BYTES = 4;

/** A screenshot as PNG with a palette: our pages have few colours, so nothing that one can see is lost. */
export async function toSmallPng(page: Page, png: Buffer): Promise<Buffer> {
  const [width, height, data] = await page.evaluate(pixels, png.toString('base64'));
  return encoded(width, height, Buffer.from(data, 'base64'));
}

/** Width, height, and the bytes of red, green, blue and opacity of each pixel. */
async function pixels(data: string): Promise<readonly [number, number, string]> {
  const bytes = Uint8Array.from(atob(data), (character) => character.charCodeAt(0));
  const image = await createImageBitmap(new Blob([bytes], { type: 'image/png' }));
  const { width, height } = image;
  const context = Object.assign(document.createElement('canvas'), { width, height }).getContext('2d');
  if (context === null) throw new Error('no canvas');
  context.drawImage(image, 0, 0);
  const all = new Blob([context.getImageData(0, 0, width, height).data]);
  return await new Promise((resolve) => {
    const reader = new FileReader();
    reader.onload = () => {
      resolve([width, height, (reader.result as string).split(',')[1] ?? '']);
    };
    reader.readAsDataURL(all);
  });
}

/** https://www.w3.org/TR/png-3/ with a palette of the commonest colours; each other colour becomes the nearest of these. */
function encoded(width: number, height: number, rgba: Buffer): Buffer {
  const counts = new Map<number, number>();
  const colourAt = (pixel: number): number => rgba.readUIntBE(pixel * OPAQUE_BYTES, 3);
  for (let pixel = 0; pixel < width * height; pixel += 1)
    counts.set(colourAt(pixel), (counts.get(colourAt(pixel)) ?? 0) + 1);
  const palette = [...counts]
    .sort(([, one], [, other]) => other - one)
    .slice(0, COLOURS)
    .map(([colour]) => colour);
  const index = new Map(palette.map((colour, at) => [colour, at]));
  for (const colour of counts.keys()) if (!index.has(colour)) index.set(colour, nearest(palette, colour));
  const rows = Buffer.alloc((width + 1) * height);
  for (let y = 0; y < height; y += 1)
    for (let x = 0; x < width; x += 1)
      rows[y * (width + 1) + 1 + x] = index.get(colourAt(y * width + x)) ?? 0;
  const head = Buffer.alloc(13);
  head.writeUInt32BE(width, 0);
  head.writeUInt32BE(height, 4);
  // Eight bits, a palette, and no interlacing.
  head.set([8, 3, 0, 0, 0], 8);
  const colours = Buffer.concat(
    palette.map((colour) => Buffer.from([colour >> 16, (colour >> 8) & 255, colour & 255])),
  );
  return Buffer.concat([
    SIGNATURE,
    chunk('IHDR', head),
    chunk('PLTE', colours),
    chunk('IDAT', deflateSync(rows, { level: 9 })),
    chunk('IEND', Buffer.alloc(0)),
  ]);
}

function nearest(palette: readonly number[], colour: number): number {
  let [best, least] = [0, Infinity];
  for (const [at, each] of palette.entries()) {
    const apart = [16, 8, 0].reduce((sum, shift) => {
      const difference = ((each >> shift) & 255) - ((colour >> shift) & 255);
      return sum + difference * difference;
    }, 0);
    if (apart < least) [best, least] = [at, apart];
  }
  return best;
}

function chunk(name: string, content: Buffer): Buffer {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(content.length);
  const body = Buffer.concat([Buffer.from(name, 'latin1'), content]);
  const check = Buffer.alloc(4);
  check.writeUInt32BE(crc32(body));
  return Buffer.concat([length, body, check]);
}
