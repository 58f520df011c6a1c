/** Draws that depend on the seed and on a number alone, that of an input or of a point to kill at: any one can be had again. */
export type Draw = {
  /** A number from 0 up to and without 1. */
  fraction(): number;
  /** A whole number from 0 up to and without `limit`; 0 where that is less than 1. */
  below(limit: number): number;
  /** True once in `times` on average. */
  once(times: number): boolean;
  pick<T>(from: readonly [T, ...T[]]): T;
  /** An element, or undefined of an empty list. */
  some<T>(from: readonly T[]): T | undefined;
  bytes(length: number): Uint8Array;
};

/** splitmix32, by its published constants. */
export function createDraw(seed: number, index: number): Draw {
  let state = (Math.imul(seed, 0x9e37_79b1) ^ Math.imul(index + 1, 0x85eb_ca6b)) >>> 0;
  const next = (): number => {
    state = (state + 0x9e37_79b9) >>> 0;
    let mixed = state ^ (state >>> 16);
    mixed = Math.imul(mixed, 0x21f0_aaad);
    mixed ^= mixed >>> 15;
    mixed = Math.imul(mixed, 0x735a_2d97);
    return (mixed ^ (mixed >>> 15)) >>> 0;
  };
  const fraction = (): number => next() / 2 ** 32;
  const below = (limit: number): number => (limit < 1 ? 0 : Math.floor(fraction() * limit));
  return {
    fraction,
    below,
    once: (times) => below(times) === 0,
    pick: (from) => from[below(from.length)] ?? from[0],
    some: (from) => from[below(from.length)],
    bytes: (length) => Uint8Array.from({ length }, () => next() & 0xff),
  };
}
