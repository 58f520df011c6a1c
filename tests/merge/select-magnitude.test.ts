import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createSieve, selectLargest } from '../../nodes/merge/select-magnitude.ts';

/** Places of the largest, by sorting; of equal magnitudes the first. */
function largestBySorting(values: Float32Array, keep: number): Set<number> {
  const places = [...values.keys()].sort((a, b) => Math.abs(values[b]!) - Math.abs(values[a]!) || a - b);
  return new Set(places.slice(0, keep));
}

function largestBySelecting(values: Float32Array, keep: number, part: number): Set<number> {
  const visit = (look: (columns: readonly Float32Array[]) => void): void => {
    for (let start = 0; start < values.length; start += part) look([values.subarray(start, start + part)]);
  };
  const [cut] = selectLargest(visit, values.length, [{ column: 0, keep }]);
  const sieve = createSieve(cut!);
  const found = new Set<number>();
  for (let start = 0; start < values.length; start += part) {
    const piece = values.subarray(start, start + part);
    const kept = new Uint8Array(piece.length);
    sieve(piece, kept);
    kept.forEach((is, at) => {
      if (is) found.add(start + at);
    });
  }
  return found;
}

describe('selecting the largest magnitudes', () => {
  it('finds what sorting finds, ties, zeros and all', () => {
    const coarse = fc.integer({ min: -3, max: 3 }).map((n) => n / 4);
    const value = fc.oneof(coarse, fc.float({ noNaN: true }));
    fc.assert(
      fc.property(
        fc.array(value, { maxLength: 60 }),
        fc.nat(70),
        fc.integer({ min: 1, max: 70 }),
        (list, keep, part) => {
          const values = Float32Array.from(list);
          expect(largestBySelecting(values, keep, part)).toEqual(largestBySorting(values, keep));
        },
      ),
    );
  });

  it('finds it in many elements, where the histograms are wide', () => {
    const values = new Float32Array(2 ** 20 + 3).map((_, i) => Math.fround(Math.sin(i) * 1e-3));
    expect(largestBySelecting(values, 54_321, 65_536)).toEqual(largestBySorting(values, 54_321));
  });
});
