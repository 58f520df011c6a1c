import { describe, expect, it } from 'vitest';
import type { AnyMethod } from '../../../nodes/merge/method.ts';
import breadcrumbsTies from '../../../nodes/merge/methods/breadcrumbs-ties.ts';
import dareLinear from '../../../nodes/merge/methods/dare-linear.ts';
import dareTies from '../../../nodes/merge/methods/dare-ties.ts';
import della from '../../../nodes/merge/methods/della.ts';
import ramPlus from '../../../nodes/merge/methods/ram-plus.ts';
import sce from '../../../nodes/merge/methods/sce.ts';
import ties from '../../../nodes/merge/methods/ties.ts';
import { makeInputs, mergeModel, mergeOne, type Recipe } from './delta-models.ts';

const SHAPE = [500, 400];
const SIZE = 200_000;

/** What a method adds to a base of zeros for one model of ones. */
function addedTo(method: AnyMethod, params: Recipe['params'], name = 'w', shape = SHAPE): Float32Array {
  const given = {
    name,
    shape,
    base: new Float32Array(SIZE),
    // Magnitudes that rise in each row, for ranks, and are 1 for all that is asked here.
    models: [new Float32Array(SIZE).map((_, i) => 1 + (i % 400) * 1e-6)],
  };
  return mergeOne(method, given, { params: params ?? {} });
}
const shareOf = (values: Float32Array): number =>
  values.filter((value) => value !== 0).length / values.length;
const meanOf = (values: Float32Array): number =>
  values.reduce((sum, value) => sum + value, 0) / values.length;
/** Five standard deviations of a share of so many draws: one failure in 1.7 million, were the seed not fixed. */
const bound = (chance: number, draws: number): number => 5 * Math.sqrt((chance * (1 - chance)) / draws);

describe('methods that drop by chance', () => {
  it.each([0.1, 0.5, 0.9])('keep a share of %d and, scaled, the mean', (density) => {
    for (const [method, params] of [
      [dareLinear, {}],
      [dareTies, {}],
      [della, { elect: false, normalize: 'none', epsilon: 0.15 }],
      [della, { epsilon: 0 }],
    ] as const) {
      for (const seed of [0, 1]) {
        const added = addedTo(method, { ...params, density, seed });
        expect(Math.abs(shareOf(added) - density), method.id).toBeLessThan(bound(density, SIZE));
        expect(Math.abs(meanOf(added) - 1), method.id).toBeLessThan(
          (1.2 * bound(density, SIZE)) / density + 1e-3,
        );
      }
    }
  });

  it('keep large elements of a row more often than small ones (DELLA), linearly in their rank', () => {
    const added = addedTo(della, { density: 0.5, epsilon: 0.4, rescale: 'none' });
    for (const [from, chance] of [
      [0, 0.34],
      [80, 0.42],
      [160, 0.5],
      [240, 0.58],
      [320, 0.66],
    ] as const) {
      const band = added.filter((_, i) => i % 400 >= from && i % 400 < from + 80);
      expect(Math.abs(shareOf(band) - chance), `ranks from ${from}`).toBeLessThan(bound(chance, SIZE / 5));
    }
  });

  it('draw anew for another seed, tensor or model, and the same for the same', () => {
    const kept = (seed: number, name: string): string =>
      addedTo(dareLinear, { seed }, name).slice(0, 64).map(Math.sign).join('');
    expect(kept(1, 'a')).toBe(kept(1, 'a'));
    expect(new Set([kept(1, 'a'), kept(2, 'a'), kept(1, 'b'), kept(2 ** 32 + 1, 'a')]).size).toBe(4);
    const ones = new Float32Array(SIZE).fill(1);
    const both = mergeOne(dareLinear, { shape: SHAPE, base: new Float32Array(SIZE), models: [ones, ones] });
    // Independent halves: a quarter keeps both.
    const shared = both.filter((value) => value === 4).length / SIZE;
    expect(Math.abs(shared - 0.25)).toBeLessThan(bound(0.25, SIZE));
  });
});

describe('tiles and the order of tensors', () => {
  const METHODS: readonly (readonly [AnyMethod, Recipe])[] = [
    [dareLinear, { params: { rescale: 'l1' } }],
    [dareTies, { params: { zero_sign: 'majority' } }],
    [della, { params: { rescale: 'l1' } }],
    [ties, { params: { zero_sign: 'majority', density: 0.3 } }],
    [ties, { params: { scope: 'global', zero_sign: 'majority', density: 0.3 } }],
    [ties, { params: { scope: 'global', keep: 'threshold', density: 0.3 } }],
    [breadcrumbsTies, { params: { density: 0.4, gamma: 0.1 } }],
    [sce, { params: { select: 0.3 } }],
    [ramPlus, { params: { r: 1 } }],
  ];

  it.each(
    METHODS.map(([method, recipe]) => [method.id, JSON.stringify(recipe.params), method, recipe] as const),
  )('make no difference to %s %s', (_id, _params, method, recipe) => {
    for (const kind of ['dense', 'grid']) {
      const tensors = [[61, 33], [7], [300, 5], [1]].map((shape, at) => ({
        name: `t${at}`,
        shape,
        ...makeInputs(kind, at, shape, 3),
      }));
      const whole = mergeModel(method, tensors, recipe);
      expect(mergeModel(method, tensors, recipe, 32)).toEqual(whole);
      expect(mergeModel(method, tensors, recipe, 96)).toEqual(whole);
      const turned = mergeModel(method, tensors.toReversed(), recipe);
      for (const [name, values] of whole) expect(turned.get(name)).toEqual(values);
    }
  });
});
