import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ggmlTypeOf } from '../../nodes/formats/ggml-types.ts';
import { parseGguf } from '../../nodes/formats/gguf.ts';
import type { GgufValue } from '../../nodes/formats/gguf-values.ts';
import { isLineageError } from '../../nodes/kit/errors.ts';
import { readRecorded, unbase64 } from './recorded.ts';
import { expectTypedFailures, failsAsTyped } from './samples.ts';

type Row = {
  readonly name: string;
  readonly type: string;
  readonly shape: readonly number[];
  /** From the start of the file. */
  readonly at: number;
  readonly bytes: number;
  readonly values?: string;
};
type File = {
  readonly name: string;
  readonly version: number;
  readonly file: string;
  readonly fields: Readonly<Record<string, unknown>>;
  readonly dataAt: number;
  readonly tensors: readonly Row[];
};
const { files } = readRecorded('gguf/files.json') as { readonly files: readonly File[] };
const CODES = ['gguf/malformed', 'gguf/truncated'] as const;

/** 64-bit integers as the record has them: text beyond 2^53. */
function plain(value: GgufValue): unknown {
  if (typeof value === 'bigint') return Number.isSafeInteger(Number(value)) ? Number(value) : String(value);
  return typeof value === 'object' ? value.map(plain) : value;
}

describe.each(files)('a file of the Python package: $name', ({ version, file, fields, dataAt, tensors }) => {
  const bytes = unbase64(file);
  const header = parseGguf(bytes, bytes.length);

  test('metadata', () => {
    expect(header.version).toBe(version);
    const read = [...header.metadata].map(([key, value]) => [key, plain(value)] as const);
    expect(Object.fromEntries(read)).toEqual(fields);
  });

  test('tensors', () => {
    const rows = [...header.tensors.values()].map(({ name, type, shape, begin, end }) => ({
      name,
      type: type?.name,
      shape,
      at: header.dataAt + begin,
      bytes: end! - begin,
    }));
    expect(rows).toEqual(tensors.map(({ values, ...row }) => row));
    if (tensors.length > 0) expect(header.dataAt).toBe(dataAt);
  });

  test('of any prefix: more bytes are asked for until the tensors begin', () => {
    const needed = [...bytes.keys()].filter((length) => {
      const refusal = catching(() => parseGguf(bytes.subarray(0, length), bytes.length));
      return refusal !== undefined && (length < 4 || isLineageError(refusal, 'gguf/truncated'));
    });
    expect(needed).toEqual([...needed.keys()]);
    expect(needed.length).toBeLessThanOrEqual(header.dataAt);
    expect(header.dataAt - needed.length).toBeLessThan(64 + 1);
  });

  test('any changed byte gives a header or a typed error', () => {
    fc.assert(
      fc.property(fc.nat(header.dataAt - 1), fc.nat(255), (at, value) => {
        const changed = bytes.slice();
        changed[at] = value;
        failsAsTyped(() => parseGguf(changed, changed.length), CODES);
      }),
      { numRuns: 2_000 },
    );
  });
});

function catching(act: () => unknown): unknown {
  try {
    act();
    return undefined;
  } catch (error) {
    return error;
  }
}

const u32 = (value: number) => Buffer.from(Uint32Array.of(value).buffer);
const u64 = (value: bigint) => Buffer.from(BigUint64Array.of(value).buffer);
const text = (value: string) => Buffer.concat([u64(BigInt(Buffer.byteLength(value))), Buffer.from(value)]);

function gguf(tensors: bigint, entries: bigint, ...body: readonly Buffer[]): Buffer {
  const head = Buffer.concat([Buffer.from('GGUF'), u32(3), u64(tensors), u64(entries), ...body]);
  return Buffer.concat([head, Buffer.alloc(32 - (head.length % 32) + 64)]);
}

function tensor(name: string, sides: readonly bigint[], type: number, offset: bigint): Buffer {
  return Buffer.concat([text(name), u32(sides.length), ...sides.map(u64), u32(type), u64(offset)]);
}

describe('hostile files', () => {
  test('the builder of these files makes readable ones', () => {
    const file = gguf(
      2n,
      1n,
      text('a'),
      u32(7),
      Buffer.of(1),
      tensor('x', [4n], 0, 0n),
      tensor('y', [4n], 999, 32n),
    );
    const header = parseGguf(file, file.length);
    expect([...header.metadata]).toEqual([['a', true]]);
    expect([...header.tensors.values()]).toEqual([
      { name: 'x', type: ggmlTypeOf(0), typeId: 0, shape: [4], begin: 0, end: 16 },
      { name: 'y', type: undefined, typeId: 999, shape: [4], begin: 32, end: undefined },
    ]);
  });

  const huge = 2n ** 60n;
  for (const [name, file] of [
    ['other magic', Buffer.from('GGML\x03\0\0\0')],
    ['version 1', Buffer.concat([Buffer.from('GGUF'), u32(1), Buffer.alloc(64)])],
    ['big-endian', Buffer.concat([Buffer.from('GGUF'), Buffer.of(0, 0, 0, 3), Buffer.alloc(64)])],
    ['2^60 tensors', gguf(huge, 0n)],
    ['2^60 entries', gguf(0n, huge)],
    ['a million entries in 128 bytes', gguf(0n, 1_000_000n)],
    ['a key of 2^60 bytes', gguf(0n, 1n, u64(huge))],
    ['a key of 2^40 bytes', gguf(0n, 1n, u64(2n ** 40n))],
    ['a key that is no UTF-8', gguf(0n, 1n, u64(1n), Buffer.of(0xff), u32(0))],
    ['a key twice', gguf(0n, 2n, text('a'), u32(0), Buffer.of(0), text('a'), u32(0), Buffer.of(0))],
    ['a type of 13', gguf(0n, 1n, text('a'), u32(13))],
    ['a boolean of 2', gguf(0n, 1n, text('a'), u32(7), Buffer.of(2))],
    ['an array of 2^50 bytes', gguf(0n, 1n, text('a'), u32(9), u32(0), u64(2n ** 50n))],
    ['an array of 2^30 texts', gguf(0n, 1n, text('a'), u32(9), u32(8), u64(2n ** 30n))],
    ['an array of type 13', gguf(0n, 1n, text('a'), u32(9), u32(13), u64(0n))],
    [
      'arrays five deep',
      gguf(
        0n,
        1n,
        text('a'),
        u32(9),
        ...Array.from({ length: 5 }, () => Buffer.concat([u32(9), u64(1n)])),
        u32(0),
        u64(0n),
      ),
    ],
    ['an alignment of 0', gguf(0n, 1n, text('general.alignment'), u32(4), u32(0))],
    ['an alignment of 24', gguf(0n, 1n, text('general.alignment'), u32(4), u32(24))],
    ['an alignment of 2^31', gguf(0n, 1n, text('general.alignment'), u32(4), u32(2 ** 31))],
    ['an alignment of text', gguf(0n, 1n, text('general.alignment'), u32(8), text('32'))],
    ['five dimensions', gguf(1n, 0n, tensor('x', [1n, 1n, 1n, 1n, 1n], 0, 0n))],
    ['2^32 - 1 dimensions', gguf(1n, 0n, text('x'), u32(2 ** 32 - 1))],
    ['a side of 2^60', gguf(1n, 0n, tensor('x', [huge], 0, 0n))],
    ['elements beyond 2^53', gguf(1n, 0n, tensor('x', [2n ** 40n, 2n ** 40n], 0, 0n))],
    ['half a block of Q8_0', gguf(1n, 0n, tensor('x', [16n, 2n], 8, 0n))],
    ['an offset of 1', gguf(1n, 0n, tensor('x', [1n], 0, 1n))],
    ['an offset behind the end', gguf(1n, 0n, tensor('x', [1n], 0, 3200n))],
    ['data behind the end', gguf(1n, 0n, tensor('x', [1000n], 0, 0n))],
    ['two tensors in one place', gguf(2n, 0n, tensor('x', [4n], 0, 0n), tensor('y', [4n], 0, 0n))],
    ['one name twice', gguf(2n, 0n, tensor('x', [4n], 0, 0n), tensor('x', [4n], 0, 32n))],
  ] as const)
    test(name, () => {
      expect(failsAsTyped(() => parseGguf(file, file.length), ['gguf/malformed'])).toBe(true);
    });

  test('a count that the file cannot hold is no reason to read more of it', () => {
    const counts = gguf(1_000_000n, 0n);
    const array = gguf(0n, 1n, text('a'), u32(9), u32(0), u64(2n ** 30n));
    for (const [file, headBytes] of [
      [counts, 16],
      [array, 24 + 9 + 4 + 12],
    ] as const)
      expect(
        failsAsTyped(() => parseGguf(file.subarray(0, headBytes), file.length), ['gguf/malformed']),
      ).toBe(true);
  });

  test('any bytes behind the magic give a typed error or a header', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 120 }), (rest) => {
        const file = Buffer.concat([Buffer.from('GGUF\x03\0\0\0', 'latin1'), rest]);
        failsAsTyped(() => parseGguf(file, file.length), CODES);
      }),
    );
    const file = gguf(1n, 0n, tensor('x', [4n], 0, 0n));
    expect(expectTypedFailures(file, (part) => parseGguf(part, part.length), CODES)).toBeGreaterThan(32);
  });
});
