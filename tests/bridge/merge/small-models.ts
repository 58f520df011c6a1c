/// <reference lib="esnext.float16" />
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Dtype } from '../../../nodes/formats/safetensors/dtypes.ts';
import { layoutTensors } from '../../../nodes/formats/safetensors/layout.ts';
import type {
  MergedTensor,
  MergeJob,
  Operand,
  OutputTensor,
  StoredTensor,
} from '../../../nodes/merge/job.ts';

/** A tensor of a model that is made for a test: its bytes as a file has them. */
export type Made = { readonly dtype: Dtype; readonly shape: readonly number[]; readonly bytes: Uint8Array };

/** A file of a test, and what is in it. */
export type Model = {
  readonly path: string;
  readonly tensors: ReadonlyMap<string, Made & { readonly offset: number }>;
};

export function makeFolder(): string {
  return mkdtempSync(join(tmpdir(), 'lineage-merge-'));
}

/** Numbers without pattern between -1 and 1, the same for the same seed. */
export function drawNumbers(seed: number, count: number): Float32Array {
  let state = seed >>> 0;
  return Float32Array.from({ length: count }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return (state / 2 ** 31 - 1) * 0.9;
  });
}

export function f16(shape: readonly number[], numbers: ArrayLike<number>): Made {
  return { dtype: 'F16', shape, bytes: new Uint8Array(new Float16Array(numbers).buffer) };
}

export function f32(shape: readonly number[], numbers: ArrayLike<number>): Made {
  return { dtype: 'F32', shape, bytes: new Uint8Array(new Float32Array(numbers).buffer) };
}

/** The upper half of a float32, cut off: any 16 bits are a number. */
export function bf16(shape: readonly number[], numbers: ArrayLike<number>): Made {
  const bits = new Uint32Array(new Float32Array(numbers).buffer);
  return {
    dtype: 'BF16',
    shape,
    bytes: new Uint8Array(Uint16Array.from(bits, (word) => word >>> 16).buffer),
  };
}

/** The numbers of a tensor, as any reader of the format has them. */
export function numbersOf({ dtype, bytes }: Made): Float32Array {
  const { buffer } = bytes.slice();
  if (dtype === 'F32') return new Float32Array(buffer);
  if (dtype === 'F16') return Float32Array.from(new Float16Array(buffer));
  if (dtype !== 'BF16') throw new Error(`no numbers of ${dtype}`);
  return new Float32Array(Uint32Array.from(new Uint16Array(buffer), (word) => word << 16).buffer);
}

export function writeModel(path: string, tensors: ReadonlyMap<string, Made>): Model {
  const layout = layoutTensors([...tensors].map(([name, { dtype, shape }]) => ({ name, dtype, shape })));
  const placed = new Map<string, Made & { offset: number }>();
  const parts: Uint8Array[] = [layout.header];
  for (const { name, begin } of layout.tensors.values()) {
    const made = tensors.get(name)!;
    parts.push(made.bytes);
    placed.set(name, { ...made, offset: layout.header.length + begin });
  }
  writeFileSync(path, Buffer.concat(parts));
  return { path, tensors: placed };
}

/** The data of a written file, by name: read by its own offsets, not by ours. */
export function readModel(path: string): ReadonlyMap<string, Made> {
  const file = readFileSync(path);
  const start = 8 + Number(file.readBigUInt64LE(0));
  const header: Record<string, { dtype: Dtype; shape: number[]; data_offsets: [number, number] }> =
    JSON.parse(file.toString('utf8', 8, start));
  return new Map(
    Object.entries(header)
      .filter(([name]) => name !== '__metadata__')
      .map(
        ([
          name,
          {
            dtype,
            shape,
            data_offsets: [from, to],
          },
        ]) => [name, { dtype, shape, bytes: new Uint8Array(file.subarray(start + from, start + to)) }],
      ),
  );
}

export function stored(models: readonly Model[], file: number, name: string): StoredTensor {
  const { dtype, shape, offset } = models[file]!.tensors.get(name)!;
  return { kind: 'stored', file, dtype, shape, offset };
}

export function merged(
  method: string,
  name: string,
  models: readonly Operand[],
  more: Partial<Pick<MergedTensor, 'params' | 'weights' | 'base' | 'survey'>> = {},
): MergedTensor {
  const { shape } = models[0]!;
  return { kind: 'merged', method, name, shape, models, params: {}, weights: models.map(() => 1), ...more };
}

export function jobOf(
  models: readonly Model[],
  tensors: readonly OutputTensor[],
  notFinite: MergeJob['notFinite'] = 'keep',
): MergeJob {
  return { files: models.map(({ path }) => path), tensors, metadata: new Map([['format', 'pt']]), notFinite };
}

/** Every tensor of the first model, floats moved towards the second by `alpha`. */
export function weightedSumJob(models: readonly Model[], alpha: number): MergeJob {
  const tensors = [...models[0]!.tensors].map(([name, { dtype, shape }]): OutputTensor => {
    const isFloat = dtype === 'F16' || dtype === 'F32' || dtype === 'BF16';
    const value = isFloat
      ? merged('weighted-sum', name, [stored(models, 0, name), stored(models, 1, name)], {
          params: { alpha },
        })
      : stored(models, 0, name);
    return { name, dtype, shape, value };
  });
  return jobOf(models, tensors);
}

/** `a + alpha (b - a)`, each operation rounded to float32: the definition, element by element. */
export function moveTowards(a: Float32Array, b: Float32Array, alpha: number): Float32Array {
  const w = Math.fround(alpha);
  return a.map((x, i) => Math.fround(x + Math.fround(w * Math.fround(b[i]! - x))));
}

/** Two models of a few hundred tensors of three types and odd sizes, about `megabytes` each. */
export function makePair(folder: string, megabytes: number): readonly [Model, Model] {
  const make = (seed: number): ReadonlyMap<string, Made> => {
    const tensors = new Map<string, Made>();
    // All tensors together take 324 bytes for each.
    const unit = Math.round((megabytes * 2 ** 20) / 324);
    for (let i = 0; i < 40; i++) {
      const size = unit * (1 + (i % 7)) + i * 3 + 1;
      tensors.set(`block.${i}.weight`, f16([size], drawNumbers(seed + i, size)));
      tensors.set(`block.${i}.bias`, f16([5 + i], drawNumbers(seed + 100 + i, 5 + i)));
    }
    tensors.set('norm.weight', f32([unit, 3], drawNumbers(seed + 200, unit * 3)));
    tensors.set('brain.weight', bf16([unit + 1], drawNumbers(seed + 300, unit + 1)));
    const ids = new Uint8Array(BigInt64Array.from({ length: 77 }, (_, i) => BigInt(i)).buffer);
    tensors.set('position_ids', { dtype: 'I64', shape: [1, 77], bytes: ids });
    tensors.set('empty', { dtype: 'F16', shape: [0, 4], bytes: new Uint8Array() });
    return tensors;
  };
  return [
    writeModel(join(folder, 'a.safetensors'), make(1)),
    writeModel(join(folder, 'b.safetensors'), make(5000)),
  ];
}

/** A file that is there already. */
export function openModel(path: string): Model {
  const file = readFileSync(path);
  const start = 8 + Number(file.readBigUInt64LE(0));
  let offset = start;
  const tensors = [...readModel(path)].map(([name, made]) => {
    const placed = [name, { ...made, offset }] as const;
    offset += made.bytes.length;
    return placed;
  });
  return { path, tensors: new Map(tensors) };
}
