import { describe, expect, test } from 'vitest';
import golden from '../../fixtures/lora/combinations.json' with { type: 'json' };
import { factorDifference } from '../../nodes/lora/extract.ts';
import type { LoraFactors } from '../../nodes/lora/kinds/lora.ts';
import { matrixOf, scaleMatrix } from '../../nodes/lora/linear-algebra/matrix.ts';
import { multiply } from '../../nodes/lora/linear-algebra/multiply.ts';
import { decompose } from '../../nodes/lora/linear-algebra/svd.ts';
import { chooseRank, type RankRule, type Split, truncate } from '../../nodes/lora/truncation.ts';
import { distance, draw } from './draw.ts';

const shape = [14, 11];
/** The sum of three LoRAs of ranks 3, 5 and 2, as numpy has it. */
const sum = decompose(matrixOf(14, 11, golden.sum));
const cut = (rule: RankRule, split: Split = 'balanced', scale = 1) =>
  truncate(sum, rule, { split, scale, shape });

function deltaOf({ up, down, scale }: LoraFactors): Float64Array {
  return scaleMatrix(multiply(up, down), scale).data;
}

describe('truncate', () => {
  test.each([1, 4, 7] as const)('rank %i: is the truncated dense decomposition of numpy', (rank) => {
    const cutOff = cut({ by: 'rank', rank });
    expect(cutOff.rank).toBe(rank);
    expect(distance(deltaOf(cutOff.lora), golden.nearest[rank])).toBeLessThan(1e-12);
    expect(cutOff.error).toBeCloseTo(golden.error[rank], 12);
  });

  test('both splits are one product; the balanced one has factors of one size', () => {
    const [up, balanced] = (['up', 'balanced'] as const).map(
      (split) => cut({ by: 'rank', rank: 4 }, split).lora,
    );
    expect(distance(deltaOf(up!), deltaOf(balanced!))).toBeLessThan(1e-13);
    const norm = (data: Float64Array) => Math.sqrt(data.reduce((total, value) => total + value * value, 0));
    expect(norm(balanced!.up.data)).toBeCloseTo(norm(balanced!.down.data), 12);
    expect(norm(up!.down.data)).toBeCloseTo(2, 12);
  });

  test('a scale stays beside the factors, and the error is that of the scaled difference', () => {
    const { lora, error, relativeError } = cut({ by: 'rank', rank: 4 }, 'balanced', -0.5);
    expect(lora.scale).toBe(-0.5);
    expect(error).toBeCloseTo(golden.error[4] / 2, 12);
    expect(relativeError).toBeCloseTo(golden.error[4] / Math.hypot(...golden.sum), 12);
  });

  test.each(Object.entries(golden.energy))('keeps the fewest that have %s of the energy', (share, rank) => {
    expect(cut({ by: 'energy', share: Number(share) }).rank).toBe(rank);
  });

  test.each(Object.entries(golden.relative))(
    'keeps the fewest with an error of at most %s',
    (relative, rank) => {
      const cutOff = cut({ by: 'error', relative: Number(relative) });
      expect(cutOff.rank).toBe(rank);
      expect(cutOff.relativeError).toBeLessThanOrEqual(Number(relative));
    },
  );

  test('a zero matrix keeps rank 1', () => {
    const zero = decompose(matrixOf(14, 11, new Float64Array(14 * 11)));
    for (const rule of [
      { by: 'sv_fro', value: 0.9, keepsOneMore: true },
      { by: 'energy', share: 0.9 },
      { by: 'error', relative: 0.1 },
    ] as const) {
      const { rank, error, relativeError } = truncate(zero, rule, { split: 'up', scale: 1, shape });
      expect([rank, error, relativeError]).toEqual([1, 0, 0]);
    }
  });
});

describe('chooseRank', () => {
  const values = Float64Array.from(golden.values);
  test.each(golden.resized)('$by $value, at most $maxRank', ({ by, value, maxRank, sdScripts, fewest }) => {
    if (by !== 'sv_ratio' && by !== 'sv_cumulative' && by !== 'sv_fro') throw new Error(by);
    expect(chooseRank(values, { by, value, maxRank })).toBe(fewest);
    expect(chooseRank(values, { by, value, maxRank, keepsOneMore: true })).toBe(sdScripts);
  });

  test.each([
    { by: 'rank', rank: 0 },
    { by: 'rank', rank: 1.5 },
    { by: 'energy', share: 1.1 },
    { by: 'error', relative: Number.NaN },
    { by: 'sv_ratio', value: 0.5 },
    { by: 'sv_fro', value: 2 },
    { by: 'energy', share: 0.5, maxRank: 0 },
  ] as const)('refuses %o', (rule) => {
    expect(() => chooseRank(values, rule)).toThrow(expect.objectContaining({ code: 'lora/rank' }));
  });
});

describe('factorDifference', () => {
  const sides = [6, 4, 3, 3];
  const [tuned, base] = [draw(60, sides), draw(61, sides)];

  test('is the truncated decomposition of numpy', () => {
    const { lora: extracted } = factorDifference(tuned, base, { rule: { by: 'rank', rank: 3 } });
    expect(distance(deltaOf(extracted), golden.extracted)).toBeLessThan(1e-12);
    expect(extracted.shape).toEqual(sides);
  });

  test('at full rank it gives the tuned weight back', () => {
    const { lora: extracted, relativeError } = factorDifference(tuned, base, {
      rule: { by: 'rank', rank: 6 },
    });
    const baked = deltaOf(extracted).map((value, i) => value + base.data[i]!);
    expect(relativeError).toBe(0);
    expect(distance(Float32Array.from(baked), tuned.data)).toBeLessThan(1e-7);
  });

  test('cuts off at a quantile only when told to, and says what it costs', () => {
    const rule = { by: 'rank', rank: 3 } as const;
    const clamped = factorDifference(tuned, base, { rule, clampQuantile: 0.9 });
    const largest = Math.max(...clamped.lora.up.data, ...clamped.lora.down.data);
    expect(largest).toBeCloseTo(golden.clamped.bound, 12);
    expect(clamped.relativeError).toBeCloseTo(golden.clamped.relativeError, 12);
    expect(() => factorDifference(tuned, base, { rule, clampQuantile: 2 })).toThrow(
      expect.objectContaining({ code: 'lora/rank' }),
    );
  });

  test('refuses other shapes, and vectors', () => {
    const rule = { by: 'rank', rank: 3 } as const;
    const shapeError = expect.objectContaining({ code: 'lora/shape' });
    expect(() => factorDifference(draw(1, [6, 36]), base, { rule })).toThrow(shapeError);
    expect(() => factorDifference(draw(1, [6]), draw(2, [6]), { rule })).toThrow(shapeError);
  });
});
