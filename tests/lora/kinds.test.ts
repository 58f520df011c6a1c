import { describe, expect, test } from 'vitest';
import deviations from '../../fixtures/lora/deviations.json' with { type: 'json' };
import recorded from '../../fixtures/lora/kinds.json' with { type: 'json' };
import type { AdapterKind, AdapterModule, AdapterTensors } from '../../nodes/lora/adapter-module.ts';
import { applyAdapter } from '../../nodes/lora/delta.ts';
import type { Tensor } from '../../nodes/lora/tensor.ts';
import { distance, draw } from './draw.ts';

const KINDS: readonly AdapterKind[] = ['lora', 'loha', 'lokr', 'oft', 'boft', 'glora', 'diff', 'set'];

type Case = (typeof recorded)[number];
type Spec = { shape: number[]; seed?: number; scale?: number; plus?: number; values?: number[] };

function tensorOf({ shape, seed, scale, plus = 0, values }: Spec): Tensor {
  if (values) return { shape, data: Float32Array.from(values) };
  const drawn = draw(seed ?? 0, shape, scale);
  return { shape, data: drawn.data.map((value) => value + plus) };
}

function tensorsOf({ tensors }: Case): AdapterTensors {
  const specs: Record<string, Spec | undefined> = tensors;
  return Object.fromEntries(
    Object.entries(specs).flatMap(([role, spec]) => (spec ? [[role, tensorOf(spec)]] : [])),
  );
}

function moduleOf({ kind, dora }: Case): AdapterModule {
  const known = KINDS.find((one) => one === kind)!;
  return {
    target: 'x',
    part: 'weight',
    kind: known,
    dialect: 'test',
    tensors: {},
    ...(dora && { dora: { axis: 'by shape' } as const }),
  };
}

function applied(one: Case): Tensor {
  const [first = 0, end = 0] = one.rows ?? [];
  return applyAdapter(draw(1, one.weight), moduleOf(one), tensorsOf(one), {
    strength: one.strength,
    ...(one.rows && { rows: [first, end] as const }),
  });
}

describe('applyAdapter', () => {
  test.each(recorded)('$name: as $source', (one) => {
    const { shape, data } = applied(one);
    expect(shape).toEqual(one.expectedShape);
    expect(distance(data, one.expected)).toBeLessThan(1e-6);
    // What the adapter does is small beside the weight: it is compared by itself too.
    const base = draw(1, one.weight).data;
    if (base.length !== data.length) return;
    const change = data.map((value, i) => value - base[i]!);
    expect(
      distance(
        change,
        one.expected.map((value, i) => value - base[i]!),
      ),
    ).toBeLessThan(1e-5);
  });

  test('leaves the weight that it is given alone, and rows that it is not for', () => {
    const one = recorded.find(({ name }) => name === 'lora on rows of a fused weight')!;
    const weight = draw(1, one.weight);
    const { data } = applyAdapter(weight, moduleOf(one), tensorsOf(one), { strength: 1, rows: [3, 6] });
    expect(weight).toEqual(draw(1, one.weight));
    expect(data.subarray(0, 12)).toEqual(weight.data.subarray(0, 12));
    expect(data.subarray(24)).toEqual(weight.data.subarray(24));
    expect(data.subarray(12, 24)).not.toEqual(weight.data.subarray(12, 24));
  });

  test.each(recorded.filter(({ kind }) => kind !== 'set'))('$name: is affine in the strength', (one) => {
    const [first = 0, end = 0] = one.rows ?? [];
    const at = (strength: number) =>
      applyAdapter(draw(1, one.weight), moduleOf(one), tensorsOf(one), {
        strength,
        ...(one.rows && { rows: [first, end] as const }),
      }).data;
    const [none, half, whole] = [at(0), at(0.5), at(1)];
    expect(
      distance(
        half,
        whole.map((value, i) => (value + none[i]!) / 2),
      ),
    ).toBeLessThan(1e-6);
  });

  test.each([
    ['a weight of other rows', 'lora linear', [5, 6]],
    ['a weight of other columns', 'loha', [6, 4]],
    ['other blocks', 'oft', [9, 5]],
    ['other blocks of BOFT', 'boft', [12, 3]],
    ['other magnitudes', 'dora by columns', [6, 4]],
    ['a smaller shape than the weight has', 'lora that widens', [5, 8]],
    ['rows that the weight does not have', 'lora on rows of a fused weight', [5, 4]],
  ])('refuses %s', (_, name, weight) => {
    const one = { ...recorded.find((each) => each.name === name)!, weight };
    expect(() => applied(one)).toThrow(expect.objectContaining({ code: 'lora/shape' }));
  });

  test('small factors of a huge product, and a huge shape to fill up to, are refused before room is made', () => {
    const tall = { shape: [1_000_000, 1], data: new Float32Array(1_000_000) };
    const wide = { shape: [1, 1_000_000], data: new Float32Array(1_000_000) };
    const one = recorded.find(({ name }) => name === 'lora linear')!;
    const apply = (tensors: AdapterTensors) => () =>
      applyAdapter(draw(1, one.weight), moduleOf(one), tensors, { strength: 1 });
    const shapeError = expect.objectContaining({ code: 'lora/shape' });
    expect(apply({ up: tall, down: wide })).toThrow(shapeError);
    for (const values of [
      [1e9, 1e9],
      [6.5, 5],
      [Number.NaN, 5],
    ]) {
      const reshape = { shape: [2], data: Float32Array.from(values) };
      expect(apply({ ...tensorsOf(one), reshape })).toThrow(shapeError);
    }
  });

  test('names the tensor that is missing', () => {
    const one = recorded.find(({ name }) => name === 'lora linear')!;
    const { up, alpha } = tensorsOf(one);
    const without = { ...(up && { up }), ...(alpha && { alpha }) };
    expect(() => applyAdapter(draw(1, one.weight), moduleOf(one), without, { strength: 1 })).toThrow(
      expect.objectContaining({ code: 'lora/incomplete', message: expect.stringContaining('down') }),
    );
  });
});

test.each(deviations)('$case: ComfyUI is off by what is recorded. $why', (deviation) => {
  const one = recorded.find(({ name }) => name === deviation.case)!;
  const base = draw(1, one.weight).data;
  const ours = applied(one).data.map((value, i) => value - base[i]!);
  const theirs = deviation.comfyui.map((value, i) => value - base[i]!);
  expect(distance(theirs, ours)).toBeCloseTo(deviation.relativeDistance, 3);
});
