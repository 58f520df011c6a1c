import type { Level } from './count-level.ts';
import type { Band } from './keep-band.ts';
import type { Election, MergeSparse } from './sum-agreeing.ts';

/**
 * What methods compute on tiles with: `PLAIN`, or kernels, which give the same results bit for bit, but for what NaNs
 * hold. Arrays that are written overlap none that are read; all of a call are of one length.
 */
export type TileArithmetic = {
  /** An array that it is quickest on; its elements may be anything. It is the caller's until the tensor is made. */
  readonly floats: (length: number) => Float32Array;
  /** The same for counts, all of them 0. */
  readonly counters: (length: number) => Uint32Array;
  /** Differences, rounded to float32. */
  readonly subtract: (plus: Float32Array, minus: Float32Array, into: Float32Array) => void;
  /** The place of the first zero of either sign from `start` on; the length where there is none. */
  readonly findZero: (values: Float32Array, start: number) => number;
  /** Counts, by the bits of the level, the magnitudes whose bits above it are the prefix. */
  readonly countLevel: (values: Float32Array, level: Level, prefix: number, counts: Uint32Array) => void;
  /** The differences within the band; zero elsewhere. Counts its ties down. */
  readonly keepBand: (plus: Float32Array, minus: Float32Array, band: Band, into: Float32Array) => void;
  /** Makes a function that writes base + λ · the mean of the differences whose sign was elected. */
  readonly createElector: (election: Election) => MergeSparse;
  /** Makes a function that writes base + scale · Σ weight · difference. */
  readonly createAdder: (weights: readonly number[], scale: number) => MergeSparse;
};
