import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Dtype } from '../../../nodes/formats/safetensors/dtypes.ts';
import { layoutTensors } from '../../../nodes/formats/safetensors/layout.ts';
import { compareNames } from '../../../nodes/formats/safetensors/name-order.ts';
import { readRecorded } from '../recorded.ts';
import { failsAsTyped } from '../samples.ts';

type Case = {
  readonly case: string;
  readonly tensors: readonly (readonly [name: string, dtype: Dtype, shape: number[]])[];
  readonly metadata: Readonly<Record<string, string>> | null;
  readonly header: string;
  readonly dataBytes: number;
};
const recorded = readRecorded('safetensors/layout.json') as { readonly cases: readonly Case[] };

describe('the bytes of the safetensors crate', () => {
  for (const { case: name, tensors, metadata, header, dataBytes } of recorded.cases) {
    test(name, () => {
      const shapes = tensors.map(([name, dtype, shape]) => ({ name, dtype, shape }));
      const texts = metadata === null ? undefined : new Map(Object.entries(metadata));
      for (const list of [shapes, shapes.toReversed()]) {
        const layout = layoutTensors(list, texts);
        expect(Buffer.from(layout.header).toString()).toBe(Buffer.from(header, 'base64').toString());
        expect(Buffer.from(layout.header).toString('base64')).toBe(header);
        expect(layout.dataBytes).toBe(dataBytes);
      }
    });
  }
});

test('tensors follow each other without a hole, in the order of the map', () => {
  const { tensors, dataBytes } = layoutTensors([
    { name: 'b', dtype: 'U8', shape: [3] },
    { name: 'a', dtype: 'F4', shape: [2] },
    { name: 'c', dtype: 'F64', shape: [2] },
  ]);
  expect([...tensors.values()].map(({ name, begin, end }) => [name, begin, end])).toEqual([
    ['c', 0, 16],
    ['b', 16, 19],
    ['a', 19, 20],
  ]);
  expect(dataBytes).toBe(20);
});

test('empty metadata alone, where the crate writes what it cannot read, is an object', () => {
  // That the crate reads this one is recorded in crafted.json, "metadata empty".
  const { header } = layoutTensors([], new Map());
  expect(Buffer.from(header.subarray(8)).toString().trimEnd()).toBe('{"__metadata__":{}}');
  expect(header.length % 8).toBe(0);
});

describe('what no reader would take is refused', () => {
  const u8 = (name: string, shape: number[] = [1]) => ({ name, dtype: 'U8' as const, shape });
  const odd = { name: 'a', dtype: 'F6_E2M3' as const, shape: [2] };
  for (const [name, tensors, metadata] of [
    ['one name twice', [u8('a'), u8('a')]],
    ['__metadata__', [u8('__metadata__')]],
    ['a lone surrogate', [u8('\ud800')]],
    ['a negative side', [u8('a', [-1])]],
    ['a fraction', [u8('a', [1.5])]],
    ['NaN', [u8('a', [Number.NaN])]],
    ['a side of 2^53', [u8('a', [0, 2 ** 53])]],
    ['2^64 elements, then none', [u8('a', [2 ** 32, 2 ** 32, 0])]],
    ['more than 2^53 bytes', [u8('a', [2 ** 52]), u8('b', [2 ** 52])]],
    ['half a byte', [odd]],
    ['metadata of a lone surrogate', [], new Map([['k', '\udc00']])],
    ['a metadata key of a lone surrogate', [], new Map([['\udc00', 'v']])],
    ['a header of more than 100 MB', [], new Map([['k', 'v'.repeat(100_000_000)]])],
  ] as const)
    test(name, () => {
      expect(failsAsTyped(() => layoutTensors(tensors, metadata), ['safetensors/layout'])).toBe(true);
    });
});

test('names are ordered as their UTF-8 bytes', () => {
  const text = fc.string({ unit: 'binary', maxLength: 6 }).filter((each) => each.isWellFormed());
  fc.assert(
    fc.property(text, text, (a, b) => {
      expect(Math.sign(compareNames(a, b))).toBe(Buffer.compare(Buffer.from(a), Buffer.from(b)));
    }),
    { numRuns: 1_000 },
  );
  expect(['\u{1f600}', '\uff21', '\ud7ff', '\ue000'].sort(compareNames)).toEqual([
    '\ud7ff',
    '\ue000',
    '\uff21',
    '\u{1f600}',
  ]);
});
