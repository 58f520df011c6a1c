import { bindKernels } from '../../formats/kernels/bind-kernels.ts';
import { PLAIN } from '../plain-arithmetic.ts';
import { type MergeSparse, SMALLEST_DIVISOR, type Sparse, type Voter } from '../sum-agreeing.ts';
import type { TileArithmetic } from '../tile-arithmetic.ts';
import { ROW_BYTES, SPARSE_ROW_BYTES, TABLE, TABLE_ROWS } from './layout.ts';

/** Arrays begin where vectors do. */
const ALIGNMENT = 64;
const SPARSE_ROWS = Math.floor((TABLE_ROWS * ROW_BYTES) / SPARSE_ROW_BYTES);
const ROW_DOUBLES = SPARSE_ROW_BYTES / 8;
/** Elements that a merging kernel takes at a time. */
const GROUP = 4;

/** Arithmetic on tiles that lie in the memory of the kernels. */
export type TileKernels = TileArithmetic & {
  /** Takes all arrays back, which nobody may use any more. */
  clear(): void;
  /** Where an array lies, in bytes; undefined for one that is not in the memory. */
  addressOf(array: Float32Array | Float64Array | Uint32Array): number | undefined;
};

/**
 * Makes kernels on tiles for one thread. Arrays that do not fit into the memory lie outside of it, and what has to do
 * with them is left to the plain twins.
 *
 * @param compiled from `kernels.wasm`.
 * @param memory does not grow.
 * @param scratch a block that `createKernels` has prepared.
 * @param arrays where arrays may lie, from there to the end of the memory.
 */
export function createTileKernels(
  compiled: WebAssembly.Module,
  memory: WebAssembly.Memory,
  scratch: number,
  arrays: number,
): TileKernels {
  const { buffer } = memory;
  const take = bindKernels(compiled, memory);
  const kernels = {
    subtract: take('subtractF32'),
    findZero: take('findZeroF32'),
    countLevel: take('countLevelF32'),
    keepBand: take('keepBandF32'),
    mergeElected: take('mergeElectedF32'),
    mergeSparse: take('mergeSparseF32'),
  };
  const ties = new Float64Array(buffer, scratch + TABLE, 2);
  const addresses = new Uint32Array(buffer, scratch + TABLE, (SPARSE_ROWS * SPARSE_ROW_BYTES) / 4);
  const numbers = new Float64Array(buffer, scratch + TABLE, SPARSE_ROWS * ROW_DOUBLES);
  let free = arrays;

  /** The address of an array of 32-bit elements that begins at a multiple of 64. */
  function allocate(length: number): number | undefined {
    const at = Math.ceil(free / ALIGNMENT) * ALIGNMENT;
    if (at + 4 * length > buffer.byteLength) return undefined;
    free = at + 4 * length;
    return at;
  }

  const addressOf: TileKernels['addressOf'] = (array) =>
    array.buffer === buffer ? array.byteOffset : undefined;

  /** The addresses of all, or undefined. */
  function locate(...all: readonly (Float32Array | Uint32Array)[]): readonly number[] | undefined {
    const found = all.map(addressOf);
    return found.every((at) => at !== undefined) ? found : undefined;
  }

  /** Writes the rows of sparse differences; gives where they end, or undefined where one is not in the memory. */
  function writeRows(deltas: readonly Sparse[], voters: readonly Voter[]): number | undefined {
    if (deltas.length > SPARSE_ROWS) return undefined;
    for (const [row, { values, scale }] of deltas.entries()) {
      const at = addressOf(values);
      const voter = voters[row];
      if (at === undefined || !voter || values instanceof Float64Array) return undefined;
      const { weight, vote, voice, share } = voter;
      addresses[2 * ROW_DOUBLES * row] = at;
      numbers.set([scale, weight, vote, voice, share], ROW_DOUBLES * row + 1);
    }
    return scratch + TABLE + SPARSE_ROW_BYTES * deltas.length;
  }

  /** Has a kernel merge whole groups of elements, and the plain twin what is left. */
  function mergeRows(
    plain: MergeSparse,
    voters: readonly Voter[],
    kernel: (end: number, base: number, out: number, count: number) => void,
  ): MergeSparse {
    return (deltas, base, out) => {
      const [from, to] = locate(base, out) ?? [];
      const end = from === undefined ? undefined : writeRows(deltas, voters);
      const whole = end === undefined ? 0 : out.length - (out.length % GROUP);
      if (from !== undefined && to !== undefined && end !== undefined) kernel(end, from, to, whole);
      if (whole === out.length) return;
      const rest = deltas.map(({ values, scale }) => ({ values: values.subarray(whole), scale }));
      plain(rest, base.subarray(whole), out.subarray(whole));
    };
  }

  return {
    clear() {
      free = arrays;
    },
    addressOf,
    floats(length) {
      const at = allocate(length);
      return at === undefined ? PLAIN.floats(length) : new Float32Array(buffer, at, length);
    },
    counters(length) {
      const at = allocate(length);
      return at === undefined ? PLAIN.counters(length) : new Uint32Array(buffer, at, length).fill(0);
    },
    subtract(plus, minus, into) {
      const at = locate(plus, minus, into);
      if (at) kernels.subtract(...at, into.length);
      else PLAIN.subtract(plus, minus, into);
    },
    findZero(values, start) {
      const at = addressOf(values);
      if (at === undefined) return PLAIN.findZero(values, start);
      return start + kernels.findZero(at + 4 * start, values.length - start);
    },
    countLevel(values, level, prefix, counts) {
      const [from, to] = locate(values, counts) ?? [];
      if (from === undefined || to === undefined) PLAIN.countLevel(values, level, prefix, counts);
      else kernels.countLevel(from, values.length, level.shift, level.bits, prefix, to);
    },
    keepBand(plus, minus, band, into) {
      const at = locate(plus, minus, into);
      if (!at) {
        PLAIN.keepBand(plus, minus, band, into);
        return;
      }
      ties.set(band.left);
      kernels.keepBand(scratch, ...at, into.length, band.inner, band.outer);
      band.left.set(ties);
    },
    createElector(election) {
      const { voters, sign, draw, lambda } = election;
      const plain = PLAIN.createElector(election);
      // The kernel has a weight of 0 agree with nothing, the definition with a draw that elects no sign: infinite
      // differences make that NaN. 18 ns an element of each model instead of 5.
      if (draw === 0 && voters.some(({ voice }) => voice === 0)) return plain;
      const isCounted = Number(sign === 'count');
      return mergeRows(plain, voters, (...at) => {
        kernels.mergeElected(scratch, ...at, isCounted, draw, lambda, SMALLEST_DIVISOR);
      });
    },
    createAdder(weights, scale) {
      const voters = weights.map((weight) => ({ weight, vote: 0, voice: 0, share: 0 }));
      return mergeRows(PLAIN.createAdder(weights, scale), voters, (...at) => {
        kernels.mergeSparse(scratch, ...at, scale);
      });
    },
  };
}
