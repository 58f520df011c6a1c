import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { isLineageError } from '../../nodes/kit/errors.ts';
import { BASE } from '../../nodes/merge/method.ts';
import { sumTerms } from '../../nodes/merge/run-method.ts';
import { differenceTerm, sumShares } from '../../nodes/merge/sum-shares.ts';
import { normalisePositiveWeights, normaliseWeights } from '../../nodes/merge/weights.ts';

const share = fc.double({ min: -3, max: 3, noNaN: true });
const number = fc.float({ noNaN: true, min: -1000, max: 1000 });

/** The terms on one element of each input; the first is the base. */
function apply(shares: readonly number[], values: readonly number[]): number {
  const terms = sumShares(shares.map((each, i) => ({ input: i === 0 ? BASE : i - 1, share: each })));
  const [base, ...models] = values.map((value) => Float32Array.of(value));
  const out = new Float32Array(1);
  sumTerms(terms, { start: 0, length: 1, models, base: base! }, out);
  return out[0]!;
}

describe('a sum of shares', () => {
  test('is the sum of inputs by their shares, to the rounding of float32', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(share, number), { minLength: 1, maxLength: 6 }), (pairs) => {
        const [shares, values] = [pairs.map(([s]) => s), pairs.map(([, v]) => v)];
        const exact = pairs.reduce((sum, [s, v]) => sum + s * v, 0);
        const size = shares.reduce((sum, s) => sum + Math.abs(s), 0) * Math.max(...values.map(Math.abs));
        expect(Math.abs(apply(shares, values) - exact)).toBeLessThanOrEqual(size * 40 * 2 ** -24 + 1e-40);
      }),
    );
  });

  test('of identical inputs with a sum of 1 is that input, bit for bit', () => {
    const value = fc.oneof(number, fc.constantFrom(0, -0, 2 ** -149));
    fc.assert(
      fc.property(
        fc.array(fc.double({ min: 0.01, max: 3, noNaN: true }), { minLength: 1, maxLength: 6 }),
        value,
        (weights, x) => {
          const shares = normaliseWeights(weights);
          expect(
            Object.is(
              apply(
                shares,
                shares.map(() => x),
              ),
              x,
            ),
          ).toBe(true);
          // Extrapolation too: shares of both signs.
          const [first = 1] = shares;
          expect(Object.is(apply([first, 2, -1 - first], [x, x, x]), x)).toBe(true);
        },
      ),
    );
  });

  test('is one input alone where the others have no share', () => {
    expect(
      sumShares([
        { input: 0, share: 0 },
        { input: 1, share: 1 },
      ]),
    ).toEqual([{ weight: 1, plus: 1 }]);
    expect(
      sumShares([
        { input: BASE, share: 0 },
        { input: 2, share: 0.25 },
      ]),
    ).toEqual([{ weight: 0.25, plus: 2 }]);
    expect(sumShares([{ input: BASE, share: 0 }])).toEqual([{ weight: 0, plus: BASE }]);
  });

  test('adds differences so that a difference of none leaves -0 alone', () => {
    expect(differenceTerm(0.5, 1, 2)).toEqual({ weight: -0.5, plus: 2, minus: 1 });
    expect(differenceTerm(-0.5, 1, 2)).toEqual({ weight: -0.5, plus: 1, minus: 2 });
  });
});

describe('weights', () => {
  const refuses = (run: () => unknown): boolean => {
    try {
      run();
      return false;
    } catch (error) {
      return isLineageError(error, 'merge/weights');
    }
  };

  test('are divided by their sum, of whatever sign', () => {
    expect(normaliseWeights([3, 1])).toEqual([0.75, 0.25]);
    expect(normaliseWeights([3, -1])).toEqual([1.5, -0.5]);
    expect(normaliseWeights([-2])).toEqual([1]);
  });

  test('with a sum of 0, or what rounding left of it, are refused', () => {
    for (const weights of [[0], [1, -1], [0.1, 0.2, -0.3], []])
      expect(refuses(() => normaliseWeights(weights))).toBe(true);
    expect(refuses(() => normaliseWeights([1, -0.999]))).toBe(false);
    // Small is not zero.
    expect(normaliseWeights([1e-30, 1e-30])).toEqual([0.5, 0.5]);
  });

  test('of a mean on a sphere are not negative', () => {
    expect(normalisePositiveWeights([1, 0, 3])).toEqual([0.25, 0, 0.75]);
    expect(refuses(() => normalisePositiveWeights([2, -1]))).toBe(true);
    expect(refuses(() => normalisePositiveWeights([0, 0]))).toBe(true);
  });
});
