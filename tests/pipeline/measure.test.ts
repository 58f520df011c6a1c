/// <reference lib="esnext.float16" />
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { findArchitecture } from '../../nodes/merge/architectures/find.ts';
import { gatherBlocks } from '../../nodes/pipeline/measure-blocks.ts';
import { scoresOfSums } from '../../nodes/pipeline/measure-scores.ts';
import { tableOfScores } from '../../nodes/pipeline/measure-table.ts';
import { addSums, emptySums, measureTile } from '../../nodes/pipeline/measure-tile.ts';
import { draw } from '../lora/draw.ts';

type Recorded = {
  readonly norm: number[];
  readonly cosine: number[];
  readonly angle: number[];
  readonly change: number[];
  readonly sign_conflicts: number;
  readonly share: number[];
  readonly tied: number;
  readonly largest: number[];
  readonly min: number[];
  readonly max: number[];
};
const recorded = JSON.parse(
  readFileSync(new URL('../../fixtures/pipeline/measures.json', import.meta.url), 'utf8'),
) as { shape: number[]; plain: Recorded; based: Recorded };
const MEASURES = ['cosine', 'norms', 'sign_conflicts', 'shares'] as const;

/** As `measures` in `fixtures/pipeline/generate.py`. */
const base = Float32Array.from(new Float16Array(draw(1, recorded.shape).data));
const models = [0, 1, 2].map((i) => {
  const step = new Float16Array(draw(2 + i, recorded.shape, 0.01 * (i + 1)).data);
  return base.map((value, at) => (at % 7 === i ? value : value + step[at]!));
});

function measureIn(tile: number, origin?: Float32Array) {
  let sums = emptySums(models.length, origin !== undefined);
  for (let start = 0; start < base.length; start += tile) {
    const cut = (all: Float32Array): Float32Array => all.subarray(start, start + tile);
    sums = addSums(sums, measureTile(models.map(cut), origin && cut(origin)));
  }
  return sums;
}

describe.each([
  ['the models', recorded.plain, undefined],
  ['what sets them apart from a base', recorded.based, base],
] as const)('scores of %s', (_, numpy, origin) => {
  const sums = measureIn(1000, origin);
  const scores = scoresOfSums(sums, MEASURES, origin !== undefined);

  test("are numpy's", () => {
    const close = (name: string, value: number): void => {
      expect(Math.abs(Number(scores[name]) / value - 1), name).toBeLessThan(1e-12);
    };
    numpy.norm.forEach((value, i) => {
      close(`norm[${i}]`, value);
    });
    numpy.change.forEach((value, i) => {
      close(`change[${i}]`, value);
    });
    numpy.cosine.slice(1).forEach((value, i) => {
      close(`cosine[${i + 1}]`, value);
    });
    numpy.angle.slice(1).forEach((value, i) => {
      expect(scores[`angle[${i + 1}]`]).toBeCloseTo(value, 9);
    });
    close('cosine', Math.min(...numpy.cosine));
    close('sign_conflicts', numpy.sign_conflicts);
    numpy.share.forEach((value, i) => {
      close(i === 2 ? 'share[base]' : `share[${i + 1}]`, value);
    });
    close('share[tied]', numpy.tied);
    expect(sums.models.map(({ min }) => min)).toEqual(numpy.min);
    expect(sums.models.map(({ max }) => max)).toEqual(numpy.max);
    expect(sums.models.map(({ largest }) => largest)).toEqual(numpy.largest);
  });
});

test('NaN and infinities are counted, and left out of everything else in all models', () => {
  const [a, b] = [Float32Array.of(1, Number.NaN, 3, 4), Float32Array.of(1, 2, Number.NEGATIVE_INFINITY, -4)];
  const sums = measureTile([a, b]);
  expect(sums.models.map(({ nan, infinite }) => [nan, infinite])).toEqual([
    [1, 0],
    [0, 1],
  ]);
  expect([sums.elements, sums.compared]).toEqual([4, 2]);
  expect(sums.products).toEqual([17, 1 - 16, 17]);
  expect(sums.models[1]).toMatchObject({ min: -4, max: 2, largest: 4 });
  expect([sums.contested, sums.conflicts]).toEqual([2, 1]);
});

test('what no number can tell is "none"', () => {
  const scores = scoresOfSums(measureTile([new Float32Array(3), new Float32Array(3)]), MEASURES, false);
  expect(scores).toMatchObject({ 'cosine[1]': 'none', cosine: 'none', 'norm[0]': 0, sign_conflicts: 'none' });
});

test('blocks in the order of the architecture, and a table of them', () => {
  const one = (value: number) => measureTile([Float32Array.of(value), Float32Array.of(-value)]);
  const prefix = 'model.diffusion_model.';
  const tensors = [
    { name: 'v_pred', sums: one(1) },
    { name: `${prefix}output_blocks.0.0.in_layers.0.weight`, sums: one(2) },
    { name: `${prefix}input_blocks.4.0.in_layers.0.weight`, sums: one(3) },
    { name: `${prefix}input_blocks.4.0.in_layers.0.bias`, sums: one(4) },
  ];
  const { blocks, whole } = gatherBlocks(tensors, findArchitecture('sdxl'), emptySums(2, false));
  expect([...blocks.keys()]).toEqual(['IN04', 'OUT00', 'other']);
  expect(blocks.get('IN04')?.products).toEqual([25, -25, 25]);
  expect(whole.products).toEqual([30, -30, 30]);
  const scores = [...blocks].map(([block, sums]) => [block, scoresOfSums(sums, ['norms'], false)] as const);
  expect(tableOfScores(new Map(scores), scoresOfSums(whole, ['norms'], false))).toBe(
    [
      'block  norm[0]  norm[1]',
      'IN04         5        5',
      'OUT00        2        2',
      'other        1        1',
      'all    5.47723  5.47723',
    ].join('\n'),
  );
});
