import { describe, expect, it } from 'vitest';
import { checkParams } from '../../../nodes/merge/check-params.ts';
import type { AnyMethod } from '../../../nodes/merge/method.ts';
import arceeFusion from '../../../nodes/merge/methods/arcee-fusion.ts';
import breadcrumbs from '../../../nodes/merge/methods/breadcrumbs.ts';
import breadcrumbsTies from '../../../nodes/merge/methods/breadcrumbs-ties.ts';
import dareLinear from '../../../nodes/merge/methods/dare-linear.ts';
import dareTies from '../../../nodes/merge/methods/dare-ties.ts';
import della from '../../../nodes/merge/methods/della.ts';
import distributionCrossover from '../../../nodes/merge/methods/distribution-crossover.ts';
import fftCrossover from '../../../nodes/merge/methods/fft-crossover.ts';
import ram from '../../../nodes/merge/methods/ram.ts';
import ramPlus from '../../../nodes/merge/methods/ram-plus.ts';
import sce from '../../../nodes/merge/methods/sce.ts';
import smoothAdd from '../../../nodes/merge/methods/smooth-add.ts';
import ties from '../../../nodes/merge/methods/ties.ts';
import topKTensorSum from '../../../nodes/merge/methods/top-k-tensor-sum.ts';
import {
  distance,
  makeInputs,
  mergeModel,
  mergeOne,
  type Recorded,
  type RecordedCase,
  readRecorded,
} from './delta-models.ts';

const METHODS: readonly AnyMethod[] = [
  arceeFusion,
  breadcrumbs,
  breadcrumbsTies,
  dareLinear,
  dareTies,
  della,
  distributionCrossover,
  fftCrossover,
  ram,
  ramPlus,
  sce,
  smoothAdd,
  ties,
  topKTensorSum,
];
/** One rounding to float32, and of a large tensor the sum of 90,300. */
const TOLERANCE = 2e-7;

describe.each(METHODS.map((method) => [method.id, method] as const))('%s', (id, method) => {
  const cases = readRecorded<RecordedCase>(id);

  it('gives what the formula in numpy gives, in every case', () => {
    expect(cases.length).toBeGreaterThan(10);
    for (const { kind, shape, seed, name, count, weights, params, want } of cases) {
      const got = mergeOne(
        method,
        { name, shape, ...makeInputs(kind, seed, shape, count) },
        { weights, params },
      );
      const what = `${kind} ${JSON.stringify(shape)} ${JSON.stringify(params)}`;
      expect(distance(got, want), what).toBeLessThanOrEqual(TOLERANCE);
    }
  });

  it('leaves identical models as they are, bit for bit, and takes an empty tensor', () => {
    for (const shape of [[6, 7], [5, 1], [1], []]) {
      const { base, models } = makeInputs('zero', 3, shape, method.models.max ?? 3);
      expect(mergeOne(method, { shape, base, models })).toEqual(base);
    }
    const none = new Float32Array();
    expect(mergeOne(method, { shape: [0, 4], base: none, models: [none, none] })).toEqual(none);
  });
});

it('offers presets of parameters that the methods have, and names the tool', () => {
  const presets = METHODS.flatMap((method) =>
    Object.entries(method.presets ?? {}).map((each) => [method, each] as const),
  );
  expect(presets.length).toBeGreaterThan(8);
  for (const [method, [tool, params]] of presets) {
    expect(tool).toMatch(/^(paper|peft|mergekit(-linear)?)$/);
    expect(() => checkParams(method, params), `${method.id} ${tool}`).not.toThrow();
  }
});

describe('methods that survey a whole model', () => {
  type ModelCase = Omit<RecordedCase, 'want' | 'shape' | 'seed'> & {
    method: string;
    tensors: readonly { name: string; shape: readonly number[]; seed: number }[];
    want: Record<string, Recorded>;
  };

  it('give what the formula gives on all tensors behind one another, ordered by name', () => {
    for (const { method: id, kind, tensors, weights, params, want } of readRecorded<ModelCase>(
      'whole-models',
    )) {
      const method = METHODS.find((each) => each.id === id)!;
      const given = tensors.map(({ name, shape, seed }) => ({
        ...{ name, shape },
        ...makeInputs(kind, seed, shape, weights.length),
      }));
      const got = mergeModel(method, given, { weights, params });
      for (const [name, values] of Object.entries(want)) {
        const what = `${id} ${kind} ${name} ${JSON.stringify(params)}`;
        expect(distance(got.get(name)!, values), what).toBeLessThanOrEqual(TOLERANCE);
      }
    }
  });
});
