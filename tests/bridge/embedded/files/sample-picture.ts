import { spliceContainer } from '../../../../nodes/formats/container.ts';
import { encodePixels } from '../../../../nodes/formats/pixels.ts';

/** 4x3 pixels, at (x, y): red x*60, green y*80, blue 200, alpha x*85. */
const SAMPLES = Uint8Array.from(
  Array.from({ length: 12 }, (_, i) => [(i % 4) * 60, Math.floor(i / 4) * 80, 200, (i % 4) * 85]).flat(),
);

/** A PNG of the pixels above, with ComfyUI's `prompt` text. */
export async function transparentPng(): Promise<Buffer> {
  const pixels = { width: 4, height: 3, channels: 4 as const, data: SAMPLES };
  const png = await encodePixels(pixels, { format: 'png', quality: 100 });
  return Buffer.from(spliceContainer(png, { texts: new Map([['prompt', '{"1":{}}']]) }));
}

/** The same without alpha. */
export async function opaquePng(): Promise<Buffer> {
  const data = SAMPLES.filter((_, i) => i % 4 !== 3);
  return Buffer.from(
    await encodePixels({ width: 4, height: 3, channels: 3, data }, { format: 'png', quality: 100 }),
  );
}

/** Black with alpha 128 all over, as a mask editor sends it. */
export async function maskPng(width = 4, height = 3): Promise<Buffer> {
  const data = Uint8Array.from({ length: width * height * 4 }, (_, i) => (i % 4 === 3 ? 128 : 0));
  return Buffer.from(
    await encodePixels({ width, height, channels: 4, data }, { format: 'png', quality: 100 }),
  );
}
