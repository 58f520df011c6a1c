import { type Box, listBoxes } from '../boxes.ts';
import { need, u32be, u64be } from '../cursor.ts';
import { eraseBox, eraseHandlerName } from './erase-boxes.ts';
import type { Range } from './range.ts';

/**
 * The `moov` box of an animation without words.
 * @see ISO/IEC 14496-12, 8.2 to 8.7
 */

const CODE = 'avif/malformed';
const CONTAINERS = new Set(['moov', 'trak', 'mdia', 'minf', 'stbl', 'edts']);
/** Numbers only. */
const TABLES = new Set([
  ...['mvhd', 'tkhd', 'mdhd', 'vmhd', 'nmhd', 'dinf', 'elst', 'tref'],
  ...['stsd', 'stts', 'ctts', 'stsc', 'stsz', 'stco', 'co64', 'stss', 'sdtp', 'sbgp', 'sgpd'],
]);
/** In an entry of `stsd`: where the name of the encoder stands, and its length with the byte that tells it. */
const ENTRY_NAME_AT = 42;
const ENTRY_NAME_BYTES = 32;

/** Erases in place the names and boxes that tell of something else than frames. */
export function eraseMovie(out: Uint8Array, moov: Box): void {
  for (const box of listBoxes(out, moov.data, moov.end, CODE)) {
    const { type, data, end } = box;
    if (CONTAINERS.has(type)) eraseMovie(out, box);
    else if (type === 'hdlr') eraseHandlerName(out, box);
    else if (!TABLES.has(type)) eraseBox(out, box);
    if (type !== 'stsd') continue;
    for (const entry of listBoxes(out, data + 8, end, CODE)) {
      const at = entry.data + ENTRY_NAME_AT;
      out.fill(0, Math.min(entry.end, at), Math.min(entry.end, at + ENTRY_NAME_BYTES));
    }
  }
}

/**
 * Where the frames of an animation lie.
 *
 * @throws LineageError `avif/malformed`
 */
export function samplesOfMovie(bytes: Uint8Array, moov: Box): Range[] {
  const ranges: Range[] = [];
  const descend = ({ data, end }: Box): void => {
    const boxes = listBoxes(bytes, data, end, CODE);
    const [sizes, chunks, runs] = ['stsz', /^(?:stco|co64)$/, 'stsc'].map((wanted) =>
      boxes.find(({ type }) => (wanted instanceof RegExp ? wanted.test(type) : type === wanted)),
    );
    if (sizes && chunks && runs)
      for (const range of samplesOf(bytes, sizes, chunks, runs)) ranges.push(range);
    for (const box of boxes) if (CONTAINERS.has(box.type)) descend(box);
  };
  descend(moov);
  return ranges;
}

/**
 * `stsz`: size of all u32 or 0 · count u32 · sizes u32. `stco`: count u32 · offsets u32 (`co64`: u64). `stsc`: count u32 ·
 * per run: first chunk u32 from 1 · samples of a chunk u32 · description u32. Each behind version and flags u32.
 */
function samplesOf(bytes: Uint8Array, sizes: Box, chunks: Box, runs: Box): Range[] {
  const box = (of: Box): Uint8Array => bytes.subarray(0, of.end);
  const common = u32be(box(sizes), sizes.data + 4, CODE);
  const total = u32be(box(sizes), sizes.data + 8, CODE);
  if (common === 0) need(box(sizes), sizes.data + 12, total * 4, CODE);
  const width = chunks.type === 'stco' ? 4 : 8;
  const count = u32be(box(chunks), chunks.data + 4, CODE);
  need(box(chunks), chunks.data + 8, count * width, CODE);
  const runCount = u32be(box(runs), runs.data + 4, CODE);
  need(box(runs), runs.data + 8, runCount * 12, CODE);
  const ranges: Range[] = [];
  let [run, sample] = [0, 0];
  for (let chunk = 0; chunk < count; chunk++) {
    while (run + 1 < runCount && u32be(bytes, runs.data + 8 + (run + 1) * 12, CODE) <= chunk + 1) run++;
    const perChunk = runCount === 0 ? 0 : u32be(bytes, runs.data + 12 + run * 12, CODE);
    const at = chunks.data + 8 + chunk * width;
    const from = width === 4 ? u32be(bytes, at, CODE) : u64be(bytes, at, CODE);
    let to = from;
    if (common > 0) {
      const here = Math.min(perChunk, total - sample);
      to += here * common;
      sample += here;
    } else
      for (let left = perChunk; left > 0 && sample < total; left--, sample++)
        to += u32be(bytes, sizes.data + 12 + sample * 4, CODE);
    ranges.push({ from, to: Math.min(to, bytes.length) });
  }
  return ranges;
}
