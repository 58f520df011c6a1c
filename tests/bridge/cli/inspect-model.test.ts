import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { readRecorded, unbase64 } from '../../formats/recorded.ts';
import { bf16, f16, f32, writeModel } from '../merge/small-models.ts';
import { documentOf, expectFailure, lineage, newFolder } from './run.ts';

type Tensor = { readonly type: string; readonly bytes: number };
type Recorded = {
  readonly name: string;
  readonly file: string;
  readonly fields: Readonly<Record<string, unknown>>;
  readonly tensors: readonly Tensor[];
};
/** Written by the Python package, with what its own reader makes of them. */
const { files } = readRecorded('gguf/files.json') as { readonly files: readonly Recorded[] };
const recorded = files.find(({ tensors }) => tensors.length > 0)!;

async function inspect(folder: string, name: string): Promise<unknown> {
  const ended = await lineage(folder, ['inspect', name, '--json']);
  expect(ended.status, ended.stderr).toBe(0);
  return documentOf(ended)['model'];
}

test('a GGUF file: what it is for, its metadata, and its tensors by type', async () => {
  const folder = newFolder();
  // Its name plays no part.
  writeFileSync(join(folder, 'a.png'), unbase64(recorded.file));
  const types = ['F32', 'F16', 'BF16', 'Q8_0', 'Q4_0', 'I32'].map((type) => {
    const of = recorded.tensors.filter((tensor) => tensor.type === type);
    return { type, tensors: of.length, bytes: of.reduce((sum, { bytes }) => sum + bytes, 0) };
  });
  const model = await inspect(folder, 'a.png');
  expect(model).toMatchObject({
    format: 'gguf',
    architecture: 'test',
    use: expect.stringContaining('safetensors'),
    tensors: { count: recorded.tensors.length, types: expect.arrayContaining(types) },
    metadata: { text: recorded.fields['text'], scores: [0.25, -1.5], u64: '18446744073709551615' },
  });
  const { stdout } = await lineage(folder, ['inspect', 'a.png']);
  expect(stdout).toContain('    type: Q4_0\n');
});

test('a vocabulary is told by its length', async () => {
  const folder = newFolder();
  const u32 = (value: number) => Buffer.from(Uint32Array.of(value).buffer);
  const u64 = (value: number) => Buffer.from(BigUint64Array.of(BigInt(value)).buffer);
  const text = (value: string) => Buffer.concat([u64(value.length), Buffer.from(value)]);
  const words = Array.from({ length: 300_000 }, (_, i) => text(`w${i}`));
  const entry = [text('words'), u32(9), u32(8), u64(words.length), ...words];
  // Longer than what is read at first.
  writeFileSync(
    join(folder, 'a.gguf'),
    Buffer.concat([Buffer.from('GGUF'), u32(3), u64(0), u64(1), ...entry, Buffer.alloc(32)]),
  );
  expect(await inspect(folder, 'a.gguf')).toMatchObject({
    tensors: { count: 0, types: [] },
    metadata: { words: '300000 values' },
  });
});

test('a safetensors file, and a sharded one by its index', async () => {
  const folder = newFolder();
  const [x, y, z] = [f16([2, 3], [1, 2, 3, 4, 5, 6]), f32([4], [1, 2, 3, 4]), bf16([3], [1, 2, 3])];
  writeModel(join(folder, 'a.safetensors'), new Map(Object.entries({ x, y, z })));
  const types = [
    { type: 'F32', tensors: 1, bytes: 16 },
    { type: 'F16', tensors: 1, bytes: 12 },
    { type: 'BF16', tensors: 1, bytes: 6 },
  ];
  const tensors = { count: 3, types };
  expect(await inspect(folder, 'a.safetensors')).toMatchObject({ format: 'safetensors', files: 1, tensors });
  mkdirSync(join(folder, 'b'));
  writeModel(join(folder, 'b/1.safetensors'), new Map(Object.entries({ x })));
  writeModel(join(folder, 'b/2.safetensors'), new Map(Object.entries({ y, z })));
  const weight_map = { x: '1.safetensors', y: '2.safetensors', z: '2.safetensors' };
  writeFileSync(join(folder, 'b/m.safetensors.index.json'), JSON.stringify({ weight_map }));
  expect(await inspect(folder, 'b/m.safetensors.index.json')).toMatchObject({ files: 2, tensors });
});

test('a pickle is refused, and a damaged GGUF file is named', async () => {
  const folder = newFolder();
  const { heads } = readRecorded('safetensors/pickles.json') as {
    readonly heads: readonly (readonly [name: string, head: string])[];
  };
  writeFileSync(join(folder, 'a.ckpt'), unbase64(heads[0]![1]));
  await expectFailure(folder, ['inspect', 'a.ckpt'], { status: 1, code: 'weights/pickle' });
  writeFileSync(join(folder, 'a.gguf'), unbase64(recorded.file).subarray(0, 200));
  await expectFailure(folder, ['inspect', 'a.gguf'], { status: 1, code: 'gguf/malformed' });
});
