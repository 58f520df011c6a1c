import { describe, expect, test } from 'vitest';
import type { AdapterTensors } from '../../nodes/lora/adapter-module.ts';
import { applyAdapter } from '../../nodes/lora/delta.ts';
import type { LoraFactors } from '../../nodes/lora/kinds/lora.ts';
import { readAdapter } from '../../nodes/lora/read-adapter.ts';
import { writeLora } from '../../nodes/lora/write-lora.ts';
import { distance, drawMatrix } from './draw.ts';

const linear: LoraFactors = {
  up: drawMatrix(1, 6, 3),
  down: drawMatrix(2, 3, 5),
  scale: 1.5 / 3,
  shape: [6, 5],
};
const convolution: LoraFactors = {
  up: drawMatrix(3, 4, 2),
  down: drawMatrix(4, 2, 27),
  scale: 2,
  shape: [4, 3, 3, 3],
};
const loras = [
  { target: 'lora_unet_a', lora: linear },
  { target: 'lora_unet_b', lora: convolution },
];

describe('writeLora', () => {
  test("kohya's names, shapes and alphas", () => {
    const written = writeLora(loras, 'kohya', 'F16');
    expect(written.map(({ name, dtype, shape }) => `${name} ${dtype} [${shape}]`)).toEqual([
      'lora_unet_a.lora_down.weight F16 [3,5]',
      'lora_unet_a.lora_up.weight F16 [6,3]',
      'lora_unet_a.alpha F32 []',
      'lora_unet_b.lora_down.weight F16 [2,3,3,3]',
      'lora_unet_b.lora_up.weight F16 [4,2,1,1]',
      'lora_unet_b.alpha F32 []',
    ]);
    expect(written.filter(({ name }) => name.endsWith('alpha')).map(({ data }) => [...data])).toEqual([
      [1.5],
      [4],
    ]);
  });

  test("PEFT's names and shapes, without alphas", () => {
    const written = writeLora(loras, 'peft', 'BF16');
    expect(written.map(({ name, dtype, shape }) => `${name} ${dtype} [${shape}]`)).toEqual([
      'lora_unet_a.lora_A.weight BF16 [3,5]',
      'lora_unet_a.lora_B.weight BF16 [6,3]',
      'lora_unet_b.lora_A.weight BF16 [2,3,3,3]',
      'lora_unet_b.lora_B.weight BF16 [4,2,1,1]',
    ]);
  });

  test.each(['kohya', 'peft'] as const)('%s: what is read back is the same difference', (dialect) => {
    const written = new Map(writeLora(loras, dialect, 'F32').map((tensor) => [tensor.name, tensor]));
    const { modules, unused } = readAdapter(written);
    expect(unused).toEqual([]);
    expect(modules).toHaveLength(2);
    for (const [i, { lora }] of loras.entries()) {
      const adapter = modules[i]!;
      const tensors: AdapterTensors = Object.fromEntries(
        Object.entries(adapter.tensors).map(([role, name]) => [role, written.get(name)!]),
      );
      const size = lora.up.rows * lora.down.columns;
      const nothing = { shape: lora.shape, data: new Float32Array(size) };
      const delta = applyAdapter(nothing, adapter, tensors, { strength: 1 }).data;
      // By hand: the sum over the rank, times the scale.
      const columns = lora.down.columns;
      const wanted = Array.from(delta, (_, at) => {
        let sum = 0;
        for (let k = 0; k < lora.down.rows; k++) {
          const row = Math.floor(at / columns);
          sum += lora.up.data[row * lora.down.rows + k]! * lora.down.data[k * columns + (at % columns)]!;
        }
        return lora.scale * sum;
      });
      expect(distance(delta, wanted)).toBeLessThan(1e-6);
    }
  });
});
