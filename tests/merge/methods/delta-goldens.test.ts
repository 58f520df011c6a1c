import { describe, expect, it } from 'vitest';
import type { AnyMethod } from '../../../nodes/merge/method.ts';
import breadcrumbs from '../../../nodes/merge/methods/breadcrumbs.ts';
import distributionCrossover from '../../../nodes/merge/methods/distribution-crossover.ts';
import fftCrossover from '../../../nodes/merge/methods/fft-crossover.ts';
import ram from '../../../nodes/merge/methods/ram.ts';
import ramPlus from '../../../nodes/merge/methods/ram-plus.ts';
import smoothAdd from '../../../nodes/merge/methods/smooth-add.ts';
import ties from '../../../nodes/merge/methods/ties.ts';
import topKTensorSum from '../../../nodes/merge/methods/top-k-tensor-sum.ts';
import { distance, makeInputs, mergeModel, mergeOne, type Recipe } from './delta-models.ts';

/** Three models of 2 × 4 on a base; the results are those of the functions named, run. */
const SMALL = {
  shape: [2, 4],
  base: Float32Array.of(0.5, -1, 0.25, 2, 1, 0, -0.5, 0.125),
  models: [
    Float32Array.of(0.75, -1.5, 0.25, 2.5, 1.125, 0.5, -0.75, 0),
    Float32Array.of(0.25, -2, 0.5, 2.25, 0.5, 0.25, -0.5, 0.25),
    Float32Array.of(0.5, -1.25, 1.25, 1, 1.5, -0.25, -1, 0.125),
  ],
};
const preset = (method: AnyMethod, name: string, params = {}): Recipe => ({
  params: { ...method.presets?.[name], ...params },
});

describe('golden vectors', () => {
  it('are those of mergekit, of the code of the TIES paper, and of PEFT', () => {
    const rows: readonly (readonly [Recipe, readonly number[]])[] = [
      [preset(ties, 'mergekit', { density: 0.5 }), [0.75, -1.75, 0.875, 1, 1.5, 0.5, -1, 0.125]],
      [preset(ties, 'paper', { density: 0.5 }), [0.25, -1.583333, 0.875, 1, 0.5, 0.375, -0.875, 0.125]],
      // With weights of 1 the rules are mergekit's; PEFT itself leaves open which of equal magnitudes it keeps.
      [preset(ties, 'peft', { density: 0.5 }), [0.75, -1.75, 0.875, 1, 1.5, 0.5, -1, 0.125]],
      // sd-mecha, extended: signs by count, five kept where half is asked, no sign in a draw.
      [
        { params: { density: 0.5, sign: 'count', keep: 'threshold', zero_sign: 'drop' } },
        [0.5, -1.583333, 0.875, 2.375, 1, 0.375, -0.875, 0.125],
      ],
    ];
    for (const [recipe, want] of rows) {
      expect(distance(mergeOne(ties, SMALL, recipe), want), JSON.stringify(recipe)).toBeLessThan(1e-6);
    }
  });

  it('of RAM, which without a preponderance of shared changes is RAM+ too', () => {
    const want = [0.5, -1.583333, 0.875, 1.916667, 1.041667, 0.166667, -0.875, 0.125];
    expect(distance(mergeOne(ram, SMALL), want)).toBeLessThan(1e-6);
    expect(distance(mergeOne(ramPlus, SMALL, preset(ramPlus, 'mergekit')), want)).toBeLessThan(1e-6);
    expect(distance(mergeOne(ramPlus, SMALL, preset(ramPlus, 'paper')), want)).toBeLessThan(1e-6);
  });

  it('take, as the code of the paper, the negative sign where the majority is a draw as well', () => {
    const zeros = new Float32Array(2);
    const models = [Float32Array.of(1, -2), Float32Array.of(-1, 2)];
    const params = { density: 1, zero_sign: 'majority' };
    expect([...mergeOne(ties, { shape: [2], base: zeros, models }, { params })]).toEqual([-1, -2]);
  });

  it('take the majority of the whole model where the scope is global', () => {
    const a = {
      name: 'a',
      shape: [3],
      base: new Float32Array(3),
      models: [1, 2].map((x) => new Float32Array(3).fill(x)),
    };
    const models = [Float32Array.of(1, -2), Float32Array.of(-1, -2)];
    const b = { name: 'b', shape: [2], base: new Float32Array(2), models };
    const params = { density: 1, zero_sign: 'majority' };
    expect([...mergeOne(ties, b, { params })]).toEqual([-1, -2]);
    const whole = mergeModel(ties, [a, b], { params: { ...params, scope: 'global' } });
    expect([...whole.get('b')!]).toEqual([1, -2]);
  });

  it('do not divide by weights that cancel', () => {
    const given = {
      shape: [2],
      base: new Float32Array(2),
      models: [Float32Array.of(1, 4), Float32Array.of(3, 1)],
    };
    const recipe = { weights: [1, -1], params: { density: 1, normalize: true } };
    expect([...mergeOne(breadcrumbs, given, recipe)]).toEqual([-2, 3]);
    // Votes 1 − 3 and 4 − 1: the second model's against it, then the first's.
    expect([...mergeOne(ties, given, { weights: [1, -1], params: { density: 1 } })]).toEqual([3, 4]);
  });

  it('copy bit for bit where nothing of the other model is asked for', () => {
    // Models of such magnitudes that a difference forgets the smaller.
    const shape = [5, 7];
    const { base, models: alike } = makeInputs('dense', 9, shape, 2);
    const models = alike.map((model, index) => model.map((value) => value * (index === 0 ? 1e10 : 1e-20)));
    const rows = [
      [distributionCrossover, { alpha: 1 }, 0],
      [distributionCrossover, { alpha: 0 }, 1],
      [fftCrossover, { alpha: 0 }, 0],
      [fftCrossover, { alpha: 1 }, 1],
      [topKTensorSum, { width: 0, offset: 0.4 }, 0],
      [smoothAdd, { alpha: 0 }, 0],
    ] as const;
    for (const [method, params, which] of rows) {
      expect(mergeOne(method, { shape, base, models }, { params }), method.id).toEqual(models[which]);
    }
  });
});
