import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { bitsOf, type Dtype, isDtype } from '../../../nodes/formats/safetensors/dtypes.ts';
import {
  parseHeader,
  readHeaderLength,
  type SafetensorsHeader,
} from '../../../nodes/formats/safetensors/header.ts';
import { layoutTensors } from '../../../nodes/formats/safetensors/layout.ts';
import { isLineageError } from '../../../nodes/kit/errors.ts';
import { readRecorded, unbase64 } from '../recorded.ts';
import { failsAsTyped } from '../samples.ts';
import { CRAFTED } from './crafted.ts';

type Verdict = {
  readonly name: string;
  readonly file: string;
  readonly accepts: boolean;
  readonly tensors?: readonly (readonly [name: string, dtype: string, shape: string[], bytes: number])[];
};
const recorded = readRecorded('safetensors/crafted.json') as { readonly files: readonly Verdict[] };
const CODES = ['safetensors/malformed'] as const;

function readFile(file: Uint8Array): SafetensorsHeader {
  const length = readHeaderLength(file.subarray(0, 8), file.length);
  return parseHeader(file.subarray(8, 8 + length), file.length - 8 - length);
}

function parse(json: string, dataBytes = 0): SafetensorsHeader {
  return parseHeader(new TextEncoder().encode(json), dataBytes);
}

/** All that a header says but the places of the data. */
function meaningOf({ metadata, tensors }: SafetensorsHeader) {
  const shapes = [...tensors.values()].map(({ name, dtype, shape }) => [name, { dtype, shape }] as const);
  return { metadata, tensors: new Map(shapes) };
}

/** What `act` throws. */
function thrown(act: () => unknown): unknown {
  try {
    act();
  } catch (error) {
    return error;
  }
  throw new Error('expected a failure');
}

describe('beside the safetensors crate', () => {
  test('the record is of these very files, each name once', () => {
    const files = CRAFTED.map(({ name, file }) => [name, Buffer.from(file).toString('base64')]);
    expect(recorded.files.map(({ name, file }) => [name, file])).toEqual(files);
    expect(new Set(CRAFTED.map(({ name }) => name)).size).toBe(CRAFTED.length);
    expect(CRAFTED.length).toBeGreaterThan(150);
  });

  for (const [i, { name, stricter }] of CRAFTED.entries()) {
    const verdict = recorded.files[i]!;
    const accepts = verdict.accepts && stricter === undefined;
    test(`${accepts ? 'reads' : 'refuses'}: ${name}${stricter ? ` (the crate reads it; ${stricter})` : ''}`, () => {
      if (stricter !== undefined) expect(verdict.accepts).toBe(true);
      const file = unbase64(verdict.file);
      if (!accepts) {
        expect(failsAsTyped(() => readFile(file), CODES)).toBe(true);
        return;
      }
      const rows = [...readFile(file).tensors.values()].map((tensor) => [
        tensor.name,
        tensor.dtype,
        tensor.shape.map(String),
        tensor.end - tensor.begin,
      ]);
      expect(rows.sort((a, b) => (String(a[0]) < String(b[0]) ? -1 : 1))).toEqual(verdict.tensors);
    });
  }
});

test('metadata: null is none, the last of two equal keys counts, __proto__ is a key', () => {
  expect(parse('{"__metadata__":null}').metadata).toBeUndefined();
  expect(parse('{}').metadata).toBeUndefined();
  expect([...parse('{"__metadata__":{"k":"1","k":"2","__proto__":"\\u00e9"}}').metadata!]).toEqual([
    ['k', '2'],
    ['__proto__', 'é'],
  ]);
});

test('an error says what was expected, what came, and where in the file', () => {
  const error = thrown(() => parse('{"a":{"dtype":"U8","shape":[1.0],"data_offsets":[0,1]}}', 1));
  expect(isLineageError(error, 'safetensors/malformed') && [error.message, error.where]).toEqual([
    'expected a whole number in shape, written in digits alone, got "."',
    { byte: 8 + 29 },
  ]);
  const hole = thrown(() => parse('{"a":{"dtype":"U8","shape":[1],"data_offsets":[3,4]}}', 4));
  expect(isLineageError(hole) && [hole.message, hole.where.byte]).toEqual([
    'expected the data of "a" at 0, where the one before ends, got 3',
    8 + 53,
  ]);
});

test('the longest header is 100,000,000 bytes', () => {
  const first8 = (length: bigint) => new Uint8Array(new BigUint64Array([length]).buffer);
  expect(readHeaderLength(first8(100_000_000n), 100_000_008)).toBe(100_000_000);
  expect(failsAsTyped(() => readHeaderLength(first8(100_000_001n), 2 ** 40), CODES)).toBe(true);
  expect(failsAsTyped(() => readHeaderLength(first8(100_000_000n), 100_000_007), CODES)).toBe(true);
});

test('a hundred thousand entries take a fraction of a second, in any order', () => {
  const entries = Array.from(
    { length: 100_000 },
    (_, i) => `"block.${i}":{"dtype":"F16","shape":[2],"data_offsets":[${4 * i},${4 * i + 4}]}`,
  );
  for (const order of [entries, entries.toReversed()]) {
    const start = performance.now();
    expect(parse(`{${order.join(',')}}`, 400_000).tensors.size).toBe(100_000);
    // 0.2 s here; the rest is for a machine under load. What compared each with each would take minutes.
    expect(performance.now() - start).toBeLessThan(10_000);
  }
});

/** Text that looks like a header, so that a change goes deep. */
const VALID = `{"__metadata__":{"k":"v\\n"},"a":{"dtype":"F16","shape":[2,3],"data_offsets":[0,12],"x":[1e3,{}]},"é":{"dtype":"U8","shape":[],"data_offsets":[12,13]}}`;

describe('whatever comes', () => {
  test('nothing is thrown but the typed error: any bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), fc.nat(100), (bytes, dataBytes) => {
        failsAsTyped(() => parseHeader(bytes, dataBytes), CODES);
        failsAsTyped(() => readFile(bytes), CODES);
      }),
    );
  });

  test('changed headers: a typed error, or JSON whose meaning survives being written again', () => {
    const header = Buffer.from(VALID);
    const piece = fc.constantFrom(
      ...'{}[],:"\\0123456789-.eE \n\x00\xff',
      'null',
      '__metadata__',
      '"a":',
      '\\ud800',
    );
    // Mostly insertions, and white space among them: else hardly any header is accepted, and nothing is compared.
    const change = fc.record({
      at: fc.nat(header.length),
      drop: fc.constantFrom(0, 0, 0, 1, 6),
      piece: fc.oneof(piece, fc.constantFrom(' ', '\n', 'x', '0')),
    });
    let accepted = 0;
    fc.assert(
      fc.property(fc.array(change, { minLength: 1, maxLength: 3 }), (changes) => {
        let bytes = header;
        for (const { at, drop, piece: put } of changes)
          bytes = Buffer.concat([
            bytes.subarray(0, at),
            Buffer.from(put, 'latin1'),
            bytes.subarray(at + drop),
          ]);
        if (failsAsTyped(() => parseHeader(bytes, 13), CODES)) return;
        accepted++;
        JSON.parse(bytes.toString());
        const read = parseHeader(bytes, 13);
        const again = layoutTensors(read.tensors.values(), read.metadata);
        const back = parseHeader(again.header.subarray(8), again.dataBytes);
        expect(meaningOf(back)).toEqual(meaningOf(read));
      }),
      { numRuns: 5_000 },
    );
    // 214 to 244 in six runs.
    expect(accepted).toBeGreaterThan(100);
  });

  test('every proper prefix of a header is refused', () => {
    const header = Buffer.from(VALID);
    expect(parseHeader(header, 13).tensors.size).toBe(2);
    for (let length = 0; length < header.length; length++)
      expect(failsAsTyped(() => parseHeader(header.subarray(0, length), 13), CODES)).toBe(true);
  });

  test('what was written is read as it was meant', () => {
    fc.assert(
      fc.property(tensorList(), fc.option(metadata(), { nil: undefined }), (tensors, texts) => {
        const layout = layoutTensors(tensors, texts);
        const header = parseHeader(layout.header.subarray(8), layout.dataBytes);
        expect(header.tensors).toEqual(layout.tensors);
        expect(header.metadata).toEqual(texts);
        expect(readHeaderLength(layout.header, layout.header.length + layout.dataBytes)).toBe(
          layout.header.length - 8,
        );
        // Read, laid out and read again: the same meaning and the same bytes.
        expect(layoutTensors(header.tensors.values(), header.metadata).header).toEqual(layout.header);
      }),
    );
  });
});

test('dtypes: names are exact, bits are those of the format', () => {
  expect(['f16', 'F8_E4M3FN', '__proto__', 'toString', ''].some(isDtype)).toBe(false);
  const dtypes = recorded.files.filter(({ name, accepts }) => accepts && /^dtype [A-Z]/.test(name));
  expect(dtypes).toHaveLength(22);
  for (const { tensors } of dtypes) {
    const [, dtype, , bytes] = tensors![0]!;
    expect(isDtype(dtype) && bitsOf(dtype)).toBe(bytes);
  }
});

function tensorList(): fc.Arbitrary<{ name: string; dtype: Dtype; shape: number[] }[]> {
  const name = fc
    .string({ unit: 'binary', maxLength: 8 })
    .filter((text) => text.isWellFormed() && text !== '__metadata__');
  const tensor = fc.record({
    name: fc.oneof(name, fc.constantFrom('__proto__', 'constructor', '')),
    dtype: fc.constantFrom<Dtype>('U64', 'F64', 'F32', 'BF16', 'F16', 'F8_E4M3', 'U8', 'BOOL'),
    shape: fc.array(fc.nat(9), { maxLength: 4 }),
  });
  return fc.uniqueArray(tensor, { selector: (each) => each.name, maxLength: 12 });
}

function metadata(): fc.Arbitrary<Map<string, string>> {
  const text = fc.string({ unit: 'binary', maxLength: 12 }).filter((each) => each.isWellFormed());
  return fc.array(fc.tuple(text, text), { maxLength: 5 }).map((entries) => new Map(entries));
}
