import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  bodyBytes,
  HEAD_BYTES,
  MAX_FILE_BYTES,
  type RawShape,
  readHead,
  writeHead,
} from '../../../bridge/comfyui/raw-file.ts';

/** The head as Python's `struct` packs it: `struct.pack('<4sBBBB4Q24x', b'LNGX', 1, 2, 4, 0, 2, 3, 5, 3).hex()`. */
const FROM_PYTHON =
  '4c4e475801020400020000000000000003000000000000000500000000000000030000000000000000000000000000000000000000000000'.padEnd(
    128,
    '0',
  );
const PICTURES: RawShape = { kind: 'float32', batch: 2, height: 3, width: 5, channels: 3 };
const BODY = 2 * 3 * 5 * 3 * 4;

function change(at: number, value: number): Uint8Array {
  const head = writeHead(PICTURES);
  head[at] = value;
  return head;
}

test('the head is what the other side packs', () => {
  expect(Buffer.from(writeHead(PICTURES)).toString('hex')).toBe(FROM_PYTHON);
  expect(readHead(Buffer.from(FROM_PYTHON, 'hex'), HEAD_BYTES + BODY)).toEqual(PICTURES);
  expect(bodyBytes(PICTURES)).toBe(BODY);
});

test('every shape that fits comes back', () => {
  const size = fc.integer({ min: 1, max: 200 });
  const shape = fc.oneof(
    fc.record({ kind: fc.constant('bytes' as const), length: fc.nat(1e9) }),
    fc.record({
      kind: fc.constantFrom('uint8' as const, 'float32' as const),
      batch: size,
      height: size,
      width: size,
      channels: fc.constantFrom(1 as const, 3 as const, 4 as const),
    }),
  );
  fc.assert(
    fc.property(shape, (each) => {
      fc.pre(bodyBytes(each) < MAX_FILE_BYTES);
      expect(readHead(writeHead(each), HEAD_BYTES + bodyBytes(each))).toEqual(each);
    }),
  );
});

describe('lies are refused', () => {
  test.each([
    ['one byte more than it says', writeHead(PICTURES), HEAD_BYTES + BODY + 1],
    ['one byte fewer', writeHead(PICTURES), HEAD_BYTES + BODY - 1],
    ['no body', writeHead(PICTURES), HEAD_BYTES],
    ['a file shorter than a head', writeHead(PICTURES), 10],
    ['too few bytes of head', writeHead(PICTURES).subarray(0, 63), HEAD_BYTES + BODY],
    ['a file beyond all bounds', writeHead(PICTURES), MAX_FILE_BYTES + 1],
    ['another magic', change(0, 0), HEAD_BYTES + BODY],
    ['another version', change(4, 2), HEAD_BYTES + BODY],
    ['an unknown type', change(5, 3), HEAD_BYTES + BODY],
    ['another rank', change(6, 3), HEAD_BYTES + BODY],
    ['something behind the sizes', change(63, 1), HEAD_BYTES + BODY],
    ['two channels', change(32, 2), HEAD_BYTES + 2 * 3 * 5 * 2 * 4],
    ['no pictures', change(8, 0), HEAD_BYTES],
    // 2^61 pictures of 8 bytes each are 0 bytes, if the product may run over.
    [
      'a product that runs over',
      writeHead({ kind: 'uint8', batch: 2 ** 61, height: 2, width: 4, channels: 1 }),
      HEAD_BYTES,
    ],
  ])('%s', (_, head, fileBytes) => {
    expect(() => readHead(head, fileBytes)).toThrow(expect.objectContaining({ code: 'exchange/file' }));
  });

  test('a size beyond the rank', () => {
    const head = writeHead({ kind: 'bytes', length: 7 });
    expect(readHead(head, HEAD_BYTES + 7)).toEqual({ kind: 'bytes', length: 7 });
    head[16] = 1;
    expect(() => readHead(head, HEAD_BYTES + 7)).toThrow(expect.objectContaining({ code: 'exchange/file' }));
  });

  test('no bytes make anything else happen', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 0, maxLength: 80 }), fc.nat(500), (bytes, size) => {
        try {
          expect(bodyBytes(readHead(bytes, size))).toBe(size - HEAD_BYTES);
        } catch (error) {
          expect(error).toMatchObject({ code: 'exchange/file' });
        }
      }),
    );
  });
});
