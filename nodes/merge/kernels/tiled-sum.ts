import type { EncodeCounts } from '../../formats/floats.ts';
import type { Kernel } from '../../formats/kernels/bind-kernels.ts';
import type { Term } from '../method.ts';
import type { FloatKernels, KernelOperand } from './kernels.ts';
import { FIRST_TILE, SECOND_TILE, SUM_TILE, TILE_FLOATS, ZEROS } from './layout.ts';
import { advance, inputOf } from './operand.ts';

/** Sums by way of float32 tiles in scratch memory: any terms, any formats. */
export type TiledSum = (...of: Parameters<FloatKernels['sumTermsMixed']>) => EncodeCounts;

/** @param scratch a prepared block. */
export function createTiledSum(
  take: (name: string) => Kernel,
  scratch: number,
  { decode, encode }: Pick<FloatKernels, 'decode' | 'encode'>,
): TiledSum {
  const clearSum = take('clearSum');
  const addTerm = take('addTermF32');
  const tiles = [scratch + FIRST_TILE, scratch + SECOND_TILE] as const;
  const sum = scratch + SUM_TILE;
  const zeros = scratch + ZEROS;

  function sumTile(
    terms: readonly Term[],
    inputs: readonly KernelOperand[],
    out: KernelOperand,
    count: number,
  ): EncodeCounts {
    /** Which input each of the two tiles holds. */
    const held: [number | undefined, number | undefined] = [undefined, undefined];
    /** Decodes an input, unless it is there: not over the tile that is in use. */
    function tileOf(index: number, used?: number): number {
      const { dtype, at } = inputOf(inputs, index);
      if (dtype === 'F32') return at;
      const slot = held[0] === index ? 0 : held[1] === index ? 1 : used === tiles[0] ? 1 : 0;
      if (held[slot] !== index) decode(dtype, at, tiles[slot], count);
      held[slot] = index;
      return tiles[slot];
    }
    clearSum(sum, count + (-count & 3));
    for (const { weight, plus, minus } of terms) {
      const plusTile = tileOf(plus);
      addTerm(plusTile, minus === undefined ? zeros : tileOf(minus, plusTile), weight, sum, count);
    }
    return encode(out.dtype, sum, out.at, count);
  }

  return (terms, inputs, out, count) => {
    let overflowed = 0;
    let nan = 0;
    for (let start = 0; start < count; start += TILE_FLOATS) {
      const parts = inputs.map((input) => advance(input, start));
      const found = sumTile(terms, parts, advance(out, start), Math.min(TILE_FLOATS, count - start));
      overflowed += found.overflowed;
      nan += found.nan;
    }
    return { overflowed, nan };
  };
}
