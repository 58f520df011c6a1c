import { describe, expect, test } from 'vitest';
import recorded from '../../fixtures/lora/peft.json' with { type: 'json' };
import type { AdapterModule, AdapterTensors } from '../../nodes/lora/adapter-module.ts';
import { applyAdapter } from '../../nodes/lora/delta.ts';
import { readPeftConfig } from '../../nodes/lora/dialects/peft-config.ts';
import { readAdapter } from '../../nodes/lora/read-adapter.ts';
import type { Tensor } from '../../nodes/lora/tensor.ts';
import { distance } from './draw.ts';

type Values = Readonly<Record<string, { shape: number[]; values: number[] } | undefined>>;

function tensorOf(values: Values, name: string): Tensor {
  const found = values[name]!;
  return { shape: found.shape, data: Float32Array.from(found.values) };
}

function tensorsOf({ tensors }: AdapterModule, values: Values): AdapterTensors {
  return Object.fromEntries(Object.entries(tensors).map(([role, name]) => [role, tensorOf(values, name)]));
}

describe('what PEFT saves', () => {
  test.each(recorded)('$title: gives the weights that PEFT merges', ({ config, tensors, base, merged }) => {
    const values: Values = tensors;
    const header = new Map(
      Object.entries(values).map(([name, of]) => [name, { dtype: 'F32', shape: of!.shape }]),
    );
    const { modules, unused } = readAdapter(header, readPeftConfig(config));
    expect(unused).toEqual([]);
    const changed: Record<string, Tensor> = {};
    for (const adapter of modules) {
      const name = `${adapter.target.replace('base_model.model.', '')}.${adapter.part}`;
      changed[name] = applyAdapter(tensorOf(base, name), adapter, tensorsOf(adapter, values), {
        strength: 1,
      });
    }
    const expected: Readonly<Record<string, number[] | undefined>> = merged;
    const bases: Values = base;
    for (const [name, wanted] of Object.entries(expected)) {
      expect(distance((changed[name] ?? tensorOf(bases, name)).data, wanted!), name).toBeLessThan(1e-6);
    }
    expect(Object.keys(changed).every((name) => name in merged)).toBe(true);
  });
});

describe('readPeftConfig', () => {
  test('takes what PEFT has by default', () => {
    expect(readPeftConfig({})).toEqual({
      alpha: 8,
      alphaPattern: [],
      isRankStabilised: false,
      isTransposed: false,
      savedModules: [],
    });
  });

  test.each([
    ['another type', { peft_type: 'LOHA' }],
    ['no object', []],
    ['a text for a number', { lora_alpha: '8' }],
    ['a pattern that is none', { alpha_pattern: 3 }],
    ['a text in a pattern', { alpha_pattern: { a: 'b' } }],
    ['a regular expression', { alpha_pattern: { '(a+)+$': 1 } }],
    ['modules that are no names', { modules_to_save: [1] }],
  ])('refuses %s', (_, json) => {
    expect(() => readPeftConfig(json)).toThrow(expect.objectContaining({ code: 'lora/config' }));
  });

  test('a weight that lies transposed is changed as it lies', () => {
    const header = new Map([
      ['a.lora_A.weight', { dtype: 'F32', shape: [1, 2] }],
      ['a.lora_B.weight', { dtype: 'F32', shape: [3, 1] }],
    ]);
    const [adapter] = readAdapter(header, readPeftConfig({ fan_in_fan_out: true, lora_alpha: 2 })).modules;
    const tensors = {
      down: { shape: [1, 2], data: Float32Array.of(1, 10) },
      up: { shape: [3, 1], data: Float32Array.of(1, 2, 3) },
    };
    const weight = { shape: [2, 3], data: new Float32Array(6) };
    const { data } = applyAdapter(weight, adapter!, tensors, { strength: 1 });
    expect([...data]).toEqual([2, 4, 6, 20, 40, 60]);
  });
});
