import { inflateSync } from 'node:zlib';
import fc from 'fast-check';
import sharp from 'sharp';
import { expect, test } from 'vitest';
import { encodePng } from '../../nodes/formats/encode-png.ts';
import { truncateSamples } from '../../nodes/formats/truncate-samples.ts';
import type { Pixels } from '../../nodes/kit/values.ts';

type Channels = Pixels['channels'];

/** By libpng, in sharp: another decoder than the one below. */
async function decodeBySharp(png: Uint8Array, channels: Channels): Promise<Buffer> {
  const image = sharp(png, { ignoreIcc: true, limitInputPixels: false });
  return await (channels === 1 ? image.toColourspace('b-w') : image).raw().toBuffer();
}

/** The filtered rows, with the zlib stream's own checksum verified. */
function filteredRows(png: Uint8Array): Buffer {
  const file = Buffer.from(png);
  const parts: Buffer[] = [];
  for (let at = 8; at < file.length; at += 12 + file.readUInt32BE(at)) {
    const data = file.subarray(at + 8, at + 8 + file.readUInt32BE(at));
    if (file.toString('latin1', at + 4, at + 8) === 'IDAT') parts.push(data);
  }
  return inflateSync(Buffer.concat(parts));
}

/** PNG 3rd edition, 9.2 and 9.4, byte by byte; and what each of the five filters would have cost. */
function reconstruct(png: Uint8Array, { width, height, channels }: Omit<Pixels, 'data'>) {
  const rows = filteredRows(png);
  const rowBytes = width * channels;
  const samples = new Uint8Array(height * rowBytes);
  const chosen: number[] = [];
  const cheapest: number[] = [];
  const at = (x: number, y: number): number => (x < 0 || y < 0 ? 0 : (samples[y * rowBytes + x] ?? 0));
  for (let y = 0; y < height; y++) {
    const filter = rows[y * (rowBytes + 1)] ?? 0;
    const costs = [0, 0, 0, 0, 0];
    for (let x = 0; x < rowBytes; x++) {
      const [a, b, c] = [at(x - channels, y), at(x, y - 1), x < channels ? 0 : at(x - channels, y - 1)];
      const [pa, pb, pc] = [Math.abs(b - c), Math.abs(a - c), Math.abs(a + b - 2 * c)];
      const paeth = pa <= pb && pa <= pc ? a : pb <= pc ? b : c;
      const predictions = [0, a, b, Math.floor((a + b) / 2), paeth];
      const value = ((rows[y * (rowBytes + 1) + 1 + x] ?? 0) + (predictions[filter] ?? 0)) & 255;
      samples[y * rowBytes + x] = value;
      predictions.forEach((prediction, each) => {
        const left = (value - prediction) & 255;
        costs[each] = (costs[each] ?? 0) + Math.min(left, 256 - left);
      });
    }
    chosen.push(filter);
    cheapest.push(costs.indexOf(Math.min(...costs)));
  }
  return { samples, chosen, cheapest };
}

const picture = fc
  .record({ width: fc.integer({ min: 1, max: 70 }), height: fc.integer({ min: 1, max: 9 }) })
  .chain(({ width, height }) =>
    fc.constantFrom<Channels>(1, 3, 4).chain((channels) => {
      const length = width * height * channels;
      const smooth = fc.nat(255).map((seed) => Uint8Array.from({ length }, (_, i) => seed + ((i * i) >> 5)));
      const wild = fc.uint8Array({ minLength: length, maxLength: length });
      return fc.oneof(smooth, wild).map((data) => ({ width, height, channels, data }));
    }),
  );

test('any picture comes back, filtered by what costs least', async () => {
  const seen = new Set<number>();
  await fc.assert(
    fc.asyncProperty(picture, async (pixels) => {
      const png = await encodePng(pixels);
      const { samples, chosen, cheapest } = reconstruct(png, pixels);
      expect(samples).toEqual(pixels.data);
      expect(chosen).toEqual(cheapest);
      for (const filter of chosen) seen.add(filter);
      expect(new Uint8Array(await decodeBySharp(png, pixels.channels))).toEqual(pixels.data);
    }),
    { numRuns: 300 },
  );
  expect([...seen].toSorted()).toEqual([0, 1, 2, 3, 4]);
});

test.each([
  ['parts of a MiB, of a photograph', 900, 700, 3, (i: number) => (i * 2654435761) >>> 29],
  ['the longest rows', 16_384, 3, 4, (i: number) => (i * 7) >> 3],
  ['the largest checksum', 1024, 1100, 3, () => 255],
  ['a pattern that repeats', 1024, 1024, 3, (i: number) => ((i % 48) * 181) & 255],
] as const)('%s', async (_, width, height, channels, sample) => {
  const data = Uint8Array.from({ length: width * height * channels }, (__, i) => sample(i));
  const png = await encodePng({ width, height, channels, data });
  expect(filteredRows(png)).toHaveLength((width * channels + 1) * height);
  expect(Buffer.compare(await decodeBySharp(png, channels), data)).toBe(0);
});

test('a pattern that repeats is searched for', async () => {
  const tile = Uint8Array.from({ length: 48 }, (_, i) => (i * i * 37 + i * 11) & 255);
  const data = Uint8Array.from({ length: 512 * 512 * 3 }, (_, i) => tile[i % 48] ?? 0);
  expect((await encodePng({ width: 512, height: 512, channels: 3, data })).length).toBeLessThan(20_000);
});

test('pictures that are encoded side by side do not mix', async () => {
  const pictures = [10, 60, 110].map((start) => ({
    width: 800,
    height: 600,
    channels: 3 as const,
    data: Uint8Array.from({ length: 800 * 600 * 3 }, (_, i) => start + ((i * 31) % 17)),
  }));
  const files = await Promise.all(pictures.map(encodePng));
  for (const [i, file] of files.entries()) {
    expect(Buffer.compare(await decodeBySharp(file, 3), pictures[i]?.data ?? new Uint8Array())).toBe(0);
  }
});

test('floats become the bytes that truncateSamples gives', async () => {
  const value = fc.oneof(
    fc.float(),
    fc.float({ min: 0, max: 1 }),
    fc.nat(255).map((byte) => Math.fround(byte / 255)),
    fc.constantFrom(-0, 1, 1.0000001, 3e38, -3e38, Infinity, -Infinity, NaN, 2 ** 31 / 255, 2 ** 32 / 255),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(value, { minLength: 1, maxLength: 90 }), async (values) => {
      const data = Float32Array.from(values);
      const shape = { width: values.length, height: 1, channels: 1 as const };
      const { samples } = reconstruct(await encodePng({ ...shape, data }), shape);
      expect(samples).toEqual(truncateSamples(data));
    }),
  );
});
