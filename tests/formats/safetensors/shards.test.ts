import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseHeader } from '../../../nodes/formats/safetensors/header.ts';
import { layoutTensors } from '../../../nodes/formats/safetensors/layout.ts';
import {
  checkShards,
  nameShard,
  parseShardIndex,
  planShards,
  writeShardIndex,
} from '../../../nodes/formats/safetensors/shards.ts';
import { failsAsTyped } from '../samples.ts';

const CODES = ['safetensors/index'] as const;

function parse(json: string) {
  return parseShardIndex(new TextEncoder().encode(json));
}

/** The header of a shard with these tensors. */
function headerOf(...names: readonly string[]) {
  const layout = layoutTensors(names.map((name) => ({ name, dtype: 'U8', shape: [1] })));
  return parseHeader(layout.header.subarray(8), layout.dataBytes);
}

test('an index is read: unknown keys pass, __proto__ is a tensor', () => {
  const index = parse(
    '{"metadata":{"total_size":12,"total_parameters":3},"weight_map":{"a":"m-1.safetensors","__proto__":"m-2.safetensors"},"x":[]}',
  );
  expect(index.totalBytes).toBe(12);
  expect([...index.shardOf]).toEqual([
    ['a', 'm-1.safetensors'],
    ['__proto__', 'm-2.safetensors'],
  ]);
});

test('values of metadata that are no text pass', () => {
  expect(parse('{"metadata":{"x":{"y":[1]},"total_size":3},"weight_map":{}}').totalBytes).toBe(3);
});

test('a size that is missing or no whole number is not known', () => {
  for (const metadata of [
    '{}',
    'null',
    '{"total_size":1.5e9}',
    '{"total_size":"12"}',
    '{"total_size":1e400000}'.replace('1e400000', '99999999999999999999'),
  ])
    expect(parse(`{"metadata":${metadata},"weight_map":{}}`).totalBytes).toBeUndefined();
  expect(parse('{"weight_map":{}}').totalBytes).toBeUndefined();
});

describe('an index is refused', () => {
  for (const [name, json] of [
    ['nothing', ''],
    ['an array', '[]'],
    ['no weight_map', '{}'],
    ['weight_map null', '{"weight_map":null}'],
    ['weight_map twice', '{"weight_map":{},"weight_map":{}}'],
    ['a tensor twice', '{"weight_map":{"a":"x","a":"y"}}'],
    ['a tensor twice in one shard', '{"weight_map":{"a":"x","\\u0061":"x"}}'],
    ['a shard that is a number', '{"weight_map":{"a":1}}'],
    ['metadata as text', '{"metadata":"","weight_map":{}}'],
    ['a comma too many', '{"weight_map":{},}'],
    ['something behind', '{"weight_map":{}}{}'],
    ['metadata 200 deep', `{"weight_map":{},"metadata":{"x":${'['.repeat(200)}${']'.repeat(200)}}}`],
    ['arrays 200 deep', `{"weight_map":{},"x":${'['.repeat(200)}${']'.repeat(200)}}`],
  ] as const)
    test(name, () => {
      expect(failsAsTyped(() => parse(json), CODES)).toBe(true);
    });

  for (const file of [
    '..',
    '.',
    '',
    '../x',
    '/x',
    'a/x',
    'a\\\\x',
    'C:x',
    'x:y',
    'x\\u0000',
    'x\\n',
    '\\u007f',
  ])
    test(`shard "${file}"`, () => {
      expect(failsAsTyped(() => parse(`{"weight_map":{"a":"${file}"}}`), CODES)).toBe(true);
    });
});

describe('index and shards', () => {
  const index = parse('{"weight_map":{"a":"1","b":"1","c":"2"}}');
  test('agree', () => {
    checkShards(
      index,
      new Map([
        ['1', headerOf('a', 'b')],
        ['2', headerOf('c')],
      ]),
    );
  });
  for (const [name, shards] of [
    [
      'a listed tensor is absent',
      [
        ['1', headerOf('a')],
        ['2', headerOf('c')],
      ],
    ],
    ['a shard is absent', [['1', headerOf('a', 'b')]]],
    [
      'a shard holds a tensor that is not listed',
      [
        ['1', headerOf('a', 'b')],
        ['2', headerOf('c', 'd')],
      ],
    ],
    [
      'one tensor is in two shards',
      [
        ['1', headerOf('a', 'b')],
        ['2', headerOf('a', 'c')],
      ],
    ],
    [
      'a tensor is in the other shard',
      [
        ['1', headerOf('a')],
        ['2', headerOf('b', 'c')],
      ],
    ],
  ] as const)
    test(name, () => {
      expect(failsAsTyped(() => checkShards(index, new Map(shards)), CODES)).toBe(true);
    });
});

test('a plan keeps order, holds the limit, and closes no shard too early', () => {
  const tensor = fc.record({
    name: fc.string(),
    dtype: fc.constantFrom('F32' as const, 'U8' as const),
    shape: fc.array(fc.nat(6), { maxLength: 2 }),
  });
  const sizeOf = ({ dtype, shape }: { dtype: string; shape: readonly number[] }) =>
    shape.reduce((product, side) => product * side, dtype === 'F32' ? 4 : 1);
  fc.assert(
    fc.property(fc.array(tensor), fc.integer({ min: 1, max: 200 }), (tensors, maxBytes) => {
      const shards = planShards(tensors, maxBytes);
      expect(shards.flat()).toEqual(tensors);
      const sizes = shards.map((shard) => shard.reduce((sum, each) => sum + sizeOf(each), 0));
      for (const [i, shard] of shards.entries()) {
        expect(shard.length > 0 || tensors.length === 0).toBe(true);
        expect(sizes[i]! <= maxBytes || shard.length === 1).toBe(true);
        const next = shards[i + 1]?.[0];
        if (next) expect(sizes[i]! + sizeOf(next)).toBeGreaterThan(maxBytes);
      }
    }),
  );
  expect(
    failsAsTyped(() => planShards([{ name: 'a', dtype: 'F4', shape: [1] }], 9), ['safetensors/layout']),
  ).toBe(true);
});

test('an index is written as Python writes json.dumps(index, indent=2, sort_keys=True)', () => {
  const names = [1, 2].map((number) => nameShard('model', number, 2));
  expect(names).toEqual(['model-00001-of-00002.safetensors', 'model-00002-of-00002.safetensors']);
  expect(nameShard('model', 1, 1)).toBe('model.safetensors');
  const shardOf = new Map([
    ['b.weight', names[1]!],
    ['a.weight', names[0]!],
  ]);
  const bytes = writeShardIndex(24, shardOf);
  expect(Buffer.from(bytes).toString()).toBe(`{
  "metadata": {
    "total_size": 24
  },
  "weight_map": {
    "a.weight": "model-00001-of-00002.safetensors",
    "b.weight": "model-00002-of-00002.safetensors"
  }
}
`);
  expect(parseShardIndex(bytes)).toEqual({ totalBytes: 24, shardOf });
  expect(parseShardIndex(writeShardIndex(0, new Map()))).toEqual({ totalBytes: 0, shardOf: new Map() });
});
