import { expect, test } from 'vitest';
import { readAdapter } from '../../nodes/lora/read-adapter.ts';
import { resolveTargets, type WeightRef } from '../../nodes/lora/resolve-targets.ts';

const WEIGHTS: Readonly<Record<string, WeightRef>> = {
  a: { name: 'model.a.weight' },
  q: { name: 'model.qkv.weight', rows: [0, 2] },
  v: { name: 'model.qkv.weight', rows: [4, 6] },
  scale: { name: 'model.scale' },
};

test('modules are gathered by weight, biases beside it, and what finds none is named', () => {
  const names = ['q.diff', 'a.diff', 'a.diff_b', 'v.diff', 'v.diff_b', 'scale.diff_b', 'other.diff'];
  const { modules } = readAdapter(new Map(names.map((name) => [name, { dtype: 'F32', shape: [2] }])));
  const { byWeight, unresolved } = resolveTargets(modules, (target) => WEIGHTS[target]);
  const found = [...byWeight].map(([name, changes]) => [
    name,
    changes.map(({ adapter, rows }) => [adapter.tensors.full, rows]),
  ]);
  expect(found).toEqual([
    [
      'model.qkv.weight',
      [
        ['q.diff', [0, 2]],
        ['v.diff', [4, 6]],
      ],
    ],
    ['model.a.weight', [['a.diff', undefined]]],
    ['model.a.bias', [['a.diff_b', undefined]]],
    ['model.qkv.bias', [['v.diff_b', [4, 6]]]],
  ]);
  expect(unresolved.map(({ tensors }) => tensors.full)).toEqual(['scale.diff_b', 'other.diff']);
});
