import { countLevel } from './count-level.ts';
import { keepBand } from './keep-band.ts';
import { createAdder, createElector } from './sum-agreeing.ts';
import type { TileArithmetic } from './tile-arithmetic.ts';

/** The definition: what kernels are checked against, and what does the work where they cannot. */
export const PLAIN: TileArithmetic = {
  floats: (length) => new Float32Array(length),
  counters: (length) => new Uint32Array(length),
  subtract,
  findZero,
  countLevel,
  keepBand,
  createElector,
  createAdder,
};

function subtract(plus: Float32Array, minus: Float32Array, into: Float32Array): void {
  const { length } = into;
  for (let i = 0; i < length; i++) into[i] = (plus[i] ?? 0) - (minus[i] ?? 0);
}

function findZero(values: Float32Array, start: number): number {
  const { length } = values;
  let place = start;
  while (place < length && values[place] !== 0) place++;
  return place;
}
