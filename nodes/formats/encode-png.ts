import { deflateRaw, type ZlibOptions, constants as zlib } from 'node:zlib';
import type { Pixels } from '../kit/values.ts';
import { concatBytes } from './assemble.ts';
import { u32beBytes } from './cursor.ts';
import { PNG_SIGNATURE } from './detect.ts';
import { makeChunk } from './png.ts';
import { filterRows, rowsAtOnce } from './png-rows.ts';

/**
 * Encodes 8-bit PNG. Rows are filtered here, 1 MiB at a time, and compressed by zlib in threads of its own, each MiB for
 * itself: so two processors share a picture, and a file does not depend on how many there are.
 *
 * Filtered photographs have runs and skewed bytes but hardly any repeats, so zlib's run-length strategy makes them
 * smaller than its search does, in a fifth of the time. What it makes very small are drawings, and those do repeat: they
 * are compressed again with the search, and the smaller one counts.
 */

/** @see https://www.w3.org/TR/png-3/#6Colour-values */
const COLOUR_TYPES = { 1: 0, 3: 2, 4: 6 } as const;
/** RFC 1950: deflate, a window of 32 KiB, the quickest algorithm; a multiple of 31. */
const ZLIB_HEADER = Uint8Array.of(0x78, 0x01);
/** The last block of deflate, with nothing in it (RFC 1951, 3.2.6). */
const END_OF_STREAM = Uint8Array.of(0x03, 0x00);
/** Parts that wait for zlib at one time: each is a MiB. */
const AT_ONCE = 8;
const FLUSHED = { finishFlush: zlib.Z_SYNC_FLUSH, memLevel: 9 };
const RUNS = { ...FLUSHED, level: 1, strategy: zlib.Z_RLE };
const SEARCHED = { ...FLUSHED, level: 5 };
/** Of each part, what is compressed in both ways first. */
const SAMPLE_BYTES = 8192;
const WORTH_SEARCHING = 0.97;
/** What is so small by runs is mostly of one colour, and searched in no time. */
const PLAIN = 0.1;

/**
 * Encodes a picture as it is: 8 bits a sample, grey, RGB or RGBA.
 *
 * @param pixels floats of 0 to 1 are cut off as `truncateSamples` does it; not modified. Neither may change before the
 *   promise settles. Sides and number of samples were checked.
 * @returns a complete file without metadata; the same pixels give the same bytes.
 */
export async function encodePng({ width, height, channels, data }: Pixels): Promise<Uint8Array> {
  const rowBytes = width * channels;
  const step = rowsAtOnce(rowBytes);
  const parts: Promise<Uint8Array>[] = [];
  let adler = 1;
  for (let from = 0; from < height; from += step) {
    const count = Math.min(step, height - from);
    const filtered = filterRows(data, { rowBytes, pixel: channels, from, count }, adler);
    adler = filtered.adler;
    const part = compress(filtered.rows);
    // It may fail before it is waited for, which is where that is told.
    part.catch(() => undefined);
    parts.push(part);
    await parts.at(-AT_ONCE);
  }
  const compressed = await Promise.all(parts);
  const end = compressed.length - 1;
  const depthAndColour = Uint8Array.of(8, COLOUR_TYPES[channels], 0, 0, 0);
  return concatBytes(
    PNG_SIGNATURE,
    makeChunk('IHDR', u32beBytes(width), u32beBytes(height), depthAndColour),
    ...compressed.map((part, index) => {
      const before = index === 0 ? [ZLIB_HEADER] : [];
      const behind = index === end ? [END_OF_STREAM, u32beBytes(adler)] : [];
      return makeChunk('IDAT', ...before, part, ...behind);
    }),
    makeChunk('IEND'),
  );
}

/** A part of a deflate stream: it ends at a byte, and another may follow. */
async function compress(rows: Uint8Array): Promise<Uint8Array> {
  const at = Math.max(0, (rows.length - SAMPLE_BYTES) >> 1);
  const sample = rows.subarray(at, at + SAMPLE_BYTES);
  const [runs, searched] = await Promise.all([deflate(sample, RUNS), deflate(sample, SEARCHED)]);
  if (searched.length < WORTH_SEARCHING * runs.length) return await deflate(rows, SEARCHED);
  const byRuns = await deflate(rows, RUNS);
  if (byRuns.length > PLAIN * rows.length) return byRuns;
  const bySearch = await deflate(rows, SEARCHED);
  return bySearch.length < byRuns.length ? bySearch : byRuns;
}

async function deflate(bytes: Uint8Array, options: ZlibOptions): Promise<Uint8Array> {
  const { promise, resolve, reject } = Promise.withResolvers<Uint8Array>();
  deflateRaw(bytes, options, (error, compressed) => (error ? reject(error) : resolve(compressed)));
  return await promise;
}
