import { describe, expect, test } from 'vitest';
import golden from '../../fixtures/lora/combinations.json' with { type: 'json' };
import { concatenate, mergeBySvd, resizeLora, type Weighted } from '../../nodes/lora/combine.ts';
import { extractLora } from '../../nodes/lora/extract.ts';
import type { LoraFactors } from '../../nodes/lora/kinds/lora.ts';
import { scaleMatrix } from '../../nodes/lora/linear-algebra/matrix.ts';
import { multiply } from '../../nodes/lora/linear-algebra/multiply.ts';
import { chooseRank } from '../../nodes/lora/truncation.ts';
import { distance, draw, drawMatrix } from './draw.ts';

const shape = [14, 11];
/** Of several ranks, α never the rank, one weight negative. */
const parts: Weighted[] = golden.parts.map(({ rank, alpha, weight }, i) => ({
  lora: {
    up: drawMatrix(40 + 2 * i, 14, rank),
    down: drawMatrix(41 + 2 * i, rank, 11),
    scale: alpha / rank,
    shape,
  },
  weight,
}));
const [{ lora }] = parts as [Weighted];

function deltaOf({ up, down, scale }: LoraFactors): Float64Array {
  return scaleMatrix(multiply(up, down), scale).data;
}

describe('concatenate', () => {
  test('is the weighted sum, exactly', () => {
    const sum = concatenate(parts);
    expect(sum.scale).toBe(1);
    expect(sum.down.rows).toBe(10);
    expect(distance(deltaOf(sum), golden.sum)).toBeLessThan(1e-14);
  });

  test.each([
    ['one with 1 is itself', [1], 1],
    ['two halves are the whole', [0.5, 0.5], 1],
    ['one with -1 is its opposite', [-1], -1],
    ['one with 0 is nothing', [0], 0],
  ])('%s', (_, weights, factor) => {
    const same = weights.map((weight) => ({ lora, weight }));
    const wanted = deltaOf(lora).map((value) => factor * value);
    expect(distance(deltaOf(concatenate(same)), wanted)).toBeLessThan(1e-14);
    expect(distance(deltaOf(mergeBySvd(same, { by: 'rank', rank: 3 }).lora), wanted)).toBeLessThan(1e-13);
  });

  test('refuses LoRAs of different shapes, and none', () => {
    const other = { ...lora, down: drawMatrix(1, 3, 12) };
    expect(() =>
      concatenate([
        { lora, weight: 1 },
        { lora: other, weight: 1 },
      ]),
    ).toThrow(expect.objectContaining({ code: 'lora/shape' }));
    expect(() => concatenate([])).toThrow(expect.objectContaining({ code: 'lora/incomplete' }));
  });
});

describe('mergeBySvd', () => {
  test.each([1, 4, 7] as const)('rank %i: is the truncated dense decomposition of numpy', (rank) => {
    const merged = mergeBySvd(parts, { by: 'rank', rank });
    expect(merged.rank).toBe(rank);
    expect(distance(deltaOf(merged.lora), golden.nearest[rank])).toBeLessThan(1e-12);
    expect(merged.error).toBeCloseTo(golden.error[rank], 12);
    const left = deltaOf(merged.lora).map((value, i) => value - golden.sum[i]!);
    expect(merged.error).toBeCloseTo(Math.sqrt(left.reduce((sum, value) => sum + value * value, 0)), 10);
  });

  test('both splits are one product; the balanced one has factors of one size', () => {
    const [up, balanced] = (['up', 'balanced'] as const).map(
      (split) => mergeBySvd(parts, { by: 'rank', rank: 4 }, split).lora,
    );
    expect(distance(deltaOf(up!), deltaOf(balanced!))).toBeLessThan(1e-13);
    const norm = (data: Float64Array) => Math.sqrt(data.reduce((sum, value) => sum + value * value, 0));
    expect(norm(balanced!.up.data)).toBeCloseTo(norm(balanced!.down.data), 12);
    expect(norm(up!.down.data)).toBeCloseTo(2, 12);
  });

  test.each(Object.entries(golden.energy))('keeps the fewest that have %s of the energy', (share, rank) => {
    expect(mergeBySvd(parts, { by: 'energy', share: Number(share) }).rank).toBe(rank);
  });

  test.each(Object.entries(golden.relative))(
    'keeps the fewest with an error of at most %s',
    (relative, rank) => {
      const merged = mergeBySvd(parts, { by: 'error', relative: Number(relative) });
      expect(merged.rank).toBe(rank);
      expect(merged.relativeError).toBeLessThanOrEqual(Number(relative));
    },
  );

  test('ranks up to 320, more than the weight has rows', () => {
    const wide = { up: drawMatrix(3, 40, 320), down: drawMatrix(4, 320, 30), scale: 0.01, shape: [40, 30] };
    const one = { up: drawMatrix(5, 40, 1), down: drawMatrix(6, 1, 30), scale: 3, shape: [40, 30] };
    const both = [
      { lora: wide, weight: -0.5 },
      { lora: one, weight: 2 },
    ];
    const wanted = deltaOf(wide).map((value, i) => -0.5 * value + 2 * deltaOf(one)[i]!);
    const merged = mergeBySvd(both, { by: 'error', relative: 0 });
    expect(merged.rank).toBe(30);
    expect(distance(deltaOf(merged.lora), wanted)).toBeLessThan(1e-12);
  });
});

describe('resizeLora', () => {
  test('keeps the scale, so that alpha follows the rank', () => {
    const { lora: resized, error } = resizeLora(lora, { by: 'rank', rank: 2 });
    expect(resized.scale).toBe(lora.scale);
    expect(resized.down.rows).toBe(2);
    const left = deltaOf(resized).map((value, i) => value - deltaOf(lora)[i]!);
    expect(error).toBeCloseTo(Math.sqrt(left.reduce((sum, value) => sum + value * value, 0)), 12);
    expect(distance(deltaOf(resizeLora(lora, { by: 'rank', rank: 9 }).lora), deltaOf(lora))).toBeLessThan(
      1e-13,
    );
  });

  const values = Float64Array.from(golden.values);
  test.each(golden.resized)('$by $value, at most $maxRank', ({ by, value, maxRank, sdScripts, fewest }) => {
    if (by !== 'sv_ratio' && by !== 'sv_cumulative' && by !== 'sv_fro') throw new Error(by);
    expect(chooseRank(values, { by, value, maxRank })).toBe(fewest);
    expect(chooseRank(values, { by, value, maxRank, keepsOneMore: true })).toBe(sdScripts);
  });

  test('a zero matrix keeps rank 1', () => {
    const zero = { ...lora, up: scaleMatrix(lora.up, 0) };
    for (const rule of [
      { by: 'sv_fro', value: 0.9, keepsOneMore: true },
      { by: 'energy', share: 0.9 },
      { by: 'error', relative: 0.1 },
    ] as const) {
      const { rank, error, relativeError } = resizeLora(zero, rule);
      expect([rank, error, relativeError]).toEqual([1, 0, 0]);
    }
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

describe('extractLora', () => {
  const sides = [6, 4, 3, 3];
  const [tuned, base] = [draw(60, sides), draw(61, sides)];

  test('is the truncated decomposition of numpy', () => {
    const { lora: extracted } = extractLora(tuned, base, { rule: { by: 'rank', rank: 3 } });
    expect(distance(deltaOf(extracted), golden.extracted)).toBeLessThan(1e-12);
    expect(extracted.shape).toEqual(sides);
  });

  test('at full rank it gives the tuned weight back', () => {
    const { lora: extracted, relativeError } = extractLora(tuned, base, { rule: { by: 'rank', rank: 6 } });
    const baked = deltaOf(extracted).map((value, i) => value + base.data[i]!);
    expect(relativeError).toBe(0);
    expect(distance(Float32Array.from(baked), tuned.data)).toBeLessThan(1e-7);
  });

  test('cuts off at a quantile only when told to, and says what it costs', () => {
    const rule = { by: 'rank', rank: 3 } as const;
    const clamped = extractLora(tuned, base, { rule, clampQuantile: 0.9 });
    const largest = Math.max(...clamped.lora.up.data, ...clamped.lora.down.data);
    expect(largest).toBeCloseTo(golden.clamped.bound, 12);
    expect(clamped.relativeError).toBeCloseTo(golden.clamped.relativeError, 12);
    expect(() => extractLora(tuned, base, { rule, clampQuantile: 2 })).toThrow(
      expect.objectContaining({ code: 'lora/rank' }),
    );
  });

  test('refuses other shapes, and vectors', () => {
    const rule = { by: 'rank', rank: 3 } as const;
    const shapeError = expect.objectContaining({ code: 'lora/shape' });
    expect(() => extractLora(draw(1, [6, 36]), base, { rule })).toThrow(shapeError);
    expect(() => extractLora(draw(1, [6]), draw(2, [6]), { rule })).toThrow(shapeError);
  });
});
