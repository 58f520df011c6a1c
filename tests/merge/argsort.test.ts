import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { argsort, rankValues } from '../../nodes/merge/argsort.ts';

/** By comparison; JavaScript's sort is stable, and −0 is no less than 0. */
const bySorting = (values: Float32Array): number[] =>
  [...values.keys()].sort((a, b) => values[a]! - values[b]!);

describe('argsort', () => {
  it('orders few values, negative ones, both zeros and equal ones', () => {
    const value = fc.oneof(
      fc.constantFrom(0, -0, 1, -1, 1e-40),
      fc.float({ noNaN: true, noDefaultInfinity: true }),
    );
    fc.assert(
      fc.property(fc.array(value, { maxLength: 40 }), (list) => {
        const values = Float32Array.from(list);
        expect([...argsort(values)]).toEqual(bySorting(values));
      }),
    );
  });

  it('orders many', () => {
    for (const scale of [1e-3, 1, 1e30]) {
      const values = new Float32Array(3000).map((_, i) => (i % 7 === 0 ? -0 : scale * Math.sin(i * i)));
      values.set([0, -0, 0], 100);
      expect([...argsort(values)]).toEqual(bySorting(values));
      const order = argsort(values);
      expect([...rankValues(values)].map((rank) => order[rank])).toEqual([...values.keys()]);
    }
  });

  it('orders many that are alike in some of their digits, or in all', () => {
    const bitsAt = (step: (i: number) => number): Float32Array =>
      new Float32Array(Uint32Array.from({ length: 2000 }, (_, i) => 0x3f80_0000 + step(i)).buffer);
    for (const step of [
      () => 0,
      (i: number) => (i * 7) % 2048,
      (i: number) => ((i * 7) % 2048) * 2 ** 11,
      (i: number) => (i % 3) * 2 ** 22 + (i % 5),
    ]) {
      const values = bitsAt(step);
      expect([...argsort(values)]).toEqual(bySorting(values));
    }
  });
});
