import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { openWeights } from '../../../bridge/merge/open-weights.ts';
import { readRecorded, unbase64 } from '../../formats/recorded.ts';
import { bf16, drawNumbers, f16, f32, makeFolder, writeModel } from './small-models.ts';

const folder = makeFolder();
afterAll(() => rmSync(folder, { recursive: true }));
const at = (name: string): string => join(folder, name);

const x = f16([2, 3], drawNumbers(1, 6));
const y = f32([4], drawNumbers(2, 4));
const z = bf16([0, 7], []);

function readAt(path: string, offset: number, bytes: number): Uint8Array {
  return new Uint8Array(readFileSync(path).subarray(offset, offset + bytes));
}

test('tensors of one file lie where their bytes are', async () => {
  writeModel(at('one.safetensors'), new Map(Object.entries({ x, y, z })));
  const { files, tensors, bytes, metadata } = await openWeights(at('one.safetensors'));
  expect(files).toEqual([at('one.safetensors')]);
  expect(bytes).toBe(readFileSync(at('one.safetensors')).length);
  expect(metadata.size).toBe(0);
  expect([...tensors.keys()].sort()).toEqual(['x', 'y', 'z']);
  for (const [name, made] of Object.entries({ x, y, z })) {
    const found = tensors.get(name)!;
    expect([found.dtype, found.shape]).toEqual([made.dtype, made.shape]);
    expect(readAt(files[found.file]!, found.offset, found.bytes)).toEqual(made.bytes);
  }
});

test('tensors of a model in shards are found by its index', async () => {
  mkdirSync(at('sharded'));
  const [first, second] = ['m-00001-of-00002.safetensors', 'm-00002-of-00002.safetensors'] as const;
  writeModel(at(`sharded/${first}`), new Map([['y', y]]));
  writeModel(at(`sharded/${second}`), new Map(Object.entries({ x, z })));
  const index = at('sharded/m.safetensors.index.json');
  writeFileSync(
    index,
    JSON.stringify({ metadata: { total_size: 28 }, weight_map: { x: second, y: first, z: second } }),
  );
  const { files, tensors } = await openWeights(index);
  expect([...tensors.keys()]).toEqual(['x', 'y', 'z']);
  for (const [name, made] of Object.entries({ x, y, z })) {
    const { file, offset, bytes } = tensors.get(name)!;
    expect(readAt(files[file]!, offset, bytes)).toEqual(made.bytes);
  }
  rmSync(at(`sharded/${first}`));
  await expect(openWeights(index)).rejects.toMatchObject({ code: 'file/missing' });
  writeModel(at(`sharded/${first}`), new Map([['other', y]]));
  await expect(openWeights(index)).rejects.toMatchObject({ code: 'safetensors/index' });
});

/** Written by torch, pickle, and the Python package of GGUF. */
const { heads } = readRecorded('safetensors/pickles.json') as {
  readonly heads: readonly (readonly [name: string, head: string])[];
};
const { files } = readRecorded('gguf/files.json') as {
  readonly files: readonly { readonly name: string; readonly file: string }[];
};

const others: readonly (readonly [name: string, bytes: ArrayLike<number>, code: string])[] = [
  ...heads.map(([name, head]) => [name, unbase64(head), 'weights/pickle'] as const),
  ...files.map(({ name, file }) => [name, unbase64(file), 'weights/gguf'] as const),
  ['an archive that holds no pickle', [0x50, 0x4b, 0x03, 0x04, 0, 0, 8, 8, 0, 0], 'safetensors/malformed'],
  ['a GGUF file that ends after its magic', [...Buffer.from('GGUF')], 'gguf/malformed'],
  [
    'a page that says the file is not there',
    [...Buffer.from('<!DOCTYPE html><html>')],
    'safetensors/malformed',
  ],
  ['an empty file', [], 'safetensors/malformed'],
];

test.each(others)('%s is refused by what is in it', async (_, bytes, code) => {
  const path = at('model.safetensors');
  writeFileSync(path, Uint8Array.from(bytes));
  await expect(openWeights(path)).rejects.toMatchObject({ code, where: { file: path } });
});

test('a GGUF file is refused with what is in it', async () => {
  const path = at('model.safetensors');
  writeFileSync(path, unbase64(files.find(({ name }) => name === 'version 3')!.file));
  await expect(openWeights(path)).rejects.toThrow(/a GGUF file of test, tensors in .*Q8_0 \(1\).*Q4_0 \(1\)/);
});

test('a header of 640 bytes begins like a pickle, and is none', async () => {
  const path = at('alike.safetensors');
  const json = JSON.stringify({ y: { dtype: 'F32', shape: [4], data_offsets: [0, 16] } }).padEnd(0x0280);
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(json.length));
  writeFileSync(path, Buffer.concat([length, Buffer.from(json), y.bytes]));
  expect((await openWeights(path)).tensors.get('y')).toEqual({
    ...{ dtype: 'F32', shape: [4], file: 0, offset: 648, bytes: 16 },
  });
});

test('a file cut short is refused before anything reads beyond its end', async () => {
  const { path } = writeModel(at('cut.safetensors'), new Map(Object.entries({ x, y })));
  writeFileSync(path, readFileSync(path).subarray(0, -1));
  await expect(openWeights(path)).rejects.toMatchObject({
    code: 'safetensors/malformed',
    where: { file: path },
  });
});
