/**
 * The largest numbers by magnitude, exactly, without holding them: the bit pattern of a float32 without its sign orders
 * as the magnitude does, so a few histograms, each within the bin that the one before found, end at the very number
 * (radix select). Of equal magnitudes those that come first are the larger.
 */

import { type Level, patternsOf, SIGNLESS } from './count-level.ts';
import { PLAIN } from './plain-arithmetic.ts';
import type { TileArithmetic } from './tile-arithmetic.ts';

/** Small histograms: three passes. */
export const NARROW_LEVELS: readonly Level[] = [
  { shift: 20, bits: 11 },
  { shift: 10, bits: 10 },
  { shift: 0, bits: 10 },
];
/** One pass less; worth it where a pass costs more than to clear 65,536 bins. */
const WIDE_LEVELS: readonly Level[] = [
  { shift: 15, bits: 16 },
  { shift: 0, bits: 15 },
];
const WIDE_FROM_ELEMENTS = 1 << 18;

/** Keeps what is above the threshold (a bit pattern), and the first `ties` of what equals it. */
export type Cut = { readonly threshold: number; readonly ties: number };
export const KEEP_ALL: Cut = { threshold: 0, ties: Infinity };
export const KEEP_NONE: Cut = { threshold: SIGNLESS, ties: 0 };

/** Goes over the numbers of every column, part by part, in order; may be called again. */
type Visit = (look: (columns: readonly Float32Array[]) => void) => void;

/** The bin that holds the number of a rank, counted from 1 at the largest, and its rank within that bin. */
export function findRank(counts: Float64Array | Uint32Array, rank: number): { bin: number; rank: number } {
  let left = rank;
  for (let bin = counts.length - 1; bin > 0; bin--) {
    const count = counts[bin] ?? 0;
    if (left <= count) return { bin, rank: left };
    left -= count;
  }
  return { bin: 0, rank: left };
}

/**
 * Finds the cut that keeps exactly so many.
 *
 * @param size numbers in a column.
 * @param wanted how many to keep of which column; a column may come twice.
 */
export function selectLargest(
  visit: Visit,
  size: number,
  wanted: readonly { readonly column: number; readonly keep: number }[],
  arithmetic: Pick<TileArithmetic, 'counters' | 'countLevel'> = PLAIN,
): Cut[] {
  const levels = size < WIDE_FROM_ELEMENTS ? NARROW_LEVELS : WIDE_LEVELS;
  const searches = wanted.map(({ column, keep }) => ({ column, keep, prefix: 0, rank: keep }));
  const open = searches.filter(({ keep }) => keep > 0 && keep < size);
  for (const level of open.length > 0 ? levels : []) {
    const bins = open.map(() => arithmetic.counters(2 ** level.bits));
    // Two searches of a column count once for both until they part.
    const counts = open.map(
      ({ column, prefix }) => bins[open.findIndex((o) => o.column === column && o.prefix === prefix)],
    );
    visit((columns) => {
      open.forEach(({ column, prefix }, index) => {
        const values = columns[column];
        const own = bins[index];
        if (values && own && own === counts[index]) arithmetic.countLevel(values, level, prefix, own);
      });
    });
    open.forEach((search, index) => {
      const found = findRank(counts[index] ?? new Uint32Array(1), search.rank);
      search.prefix = search.prefix * 2 ** level.bits + found.bin;
      search.rank = found.rank;
    });
  }
  return searches.map(({ keep, prefix, rank }) => {
    if (keep <= 0) return KEEP_NONE;
    return keep >= size ? KEEP_ALL : { threshold: prefix, ties: rank };
  });
}

/** Gives how many ties are left. */
function markLargest(patterns: Int32Array, threshold: number, ties: number, kept: Uint8Array): number {
  const { length } = patterns;
  let left = ties;
  let i = 0;
  for (; i < length && left > 0; i++) {
    const bits = (patterns[i] ?? 0) & SIGNLESS;
    left -= Number(bits === threshold);
    kept[i] = Number(bits >= threshold);
  }
  for (; i < length; i++) kept[i] = Number(((patterns[i] ?? 0) & SIGNLESS) > threshold);
  return left;
}

/** Sets `kept[i]` to 1 where the cut keeps `values[i]`, else 0. Call it with the parts in order: it counts the ties. */
export function createSieve({ threshold, ties }: Cut): (values: Float32Array, kept: Uint8Array) => void {
  let left = ties;
  return (values, kept) => {
    left = markLargest(patternsOf(values), threshold, left, kept);
  };
}
