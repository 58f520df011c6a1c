import { createHash } from 'node:crypto';
import { deflateSync, inflateSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { readContainer, spliceContainer } from '../../nodes/formats/container.ts';
import { isPackedSegment, packSegments, unpackSegments } from '../../nodes/formats/packed-segments.ts';
import { isLineageError } from '../../nodes/kit/errors.ts';
import { expectSamePixels, expectTypedFailures, makeImage } from './samples.ts';

const noise = (bytes: number, seed = 'a'): Uint8Array => {
  const blocks: Buffer[] = [];
  for (let i = 0; i * 32 < bytes; i++) blocks.push(createHash('sha256').update(`${seed}${i}`).digest());
  return Uint8Array.from(Buffer.concat(blocks).subarray(0, bytes));
};
const pack = (bytes: Uint8Array): readonly Uint8Array[] => packSegments(bytes) ?? [];

/** One segment by the letter of the description, with none of our code. */
function segment(
  part: Uint8Array,
  sums: { number?: number; count?: number; bytes: number; sha: Uint8Array },
) {
  const head = Buffer.alloc(106);
  head.write('JP\x4c\x00\0\0\0\x01', 'latin1');
  head.writeUInt32BE(98 + part.length, 8);
  head.write('jumb\0\0\0\x19jumd', 12, 'latin1');
  head.write('7575696400110010800000aa00389b71', 24, 'hex');
  head.writeUInt32BE(65 + part.length, 41);
  head.write('uuid', 45, 'latin1');
  head.write('b1e9f0c46a524e0e9d637c1f0a4d2e85', 49, 'hex');
  head.writeUInt8(1, 65);
  head.writeUInt16BE(sums.number ?? 0, 66);
  head.writeUInt16BE(sums.count ?? 1, 68);
  head.writeUInt32BE(sums.bytes, 70);
  Buffer.from(sums.sha).copy(head, 74);
  return Uint8Array.from(Buffer.concat([head, part]));
}
const sha = (bytes: Uint8Array): Uint8Array => createHash('sha256').update(bytes).digest();

describe('packSegments', () => {
  test('is what the description says', () => {
    const bytes = new TextEncoder().encode('{"prompt":"{}"}');
    const [only, ...others] = pack(bytes);
    expect(others).toEqual([]);
    const file = Buffer.from(only ?? []);
    const same = segment(file.subarray(106), { bytes: 15, sha: sha(bytes) });
    expect(file.equals(same)).toBe(true);
    expect([file[65], file.readUInt16BE(66), file.readUInt16BE(68), file.readUInt32BE(70)]).toEqual([
      1, 0, 1, 15,
    ]);
    expect(file.subarray(74, 106)).toEqual(sha(bytes));
    expect(Uint8Array.from(inflateSync(file.subarray(106)))).toEqual(bytes);
  });

  test('no segment is longer than a JPEG holds', () => {
    const segments = pack(noise(200_000));
    expect(segments.length).toBe(4);
    for (const each of segments) expect(each.length + 4).toBeLessThanOrEqual(65_535);
  });

  test('gives nothing for more than 16 MiB', () => {
    expect(packSegments(new Uint8Array(16 * 1024 * 1024 + 1))).toBeUndefined();
    expect(pack(new Uint8Array(16 * 1024 * 1024))).toHaveLength(1);
  });
});

describe('unpackSegments', () => {
  test('gives back any bytes, whatever the order of the segments', () => {
    fc.assert(
      fc.property(fc.nat(150_000), fc.nat(), (length, turn) => {
        const bytes = noise(length, String(turn));
        const segments = pack(bytes);
        const turned = segments.map((_, i) => segments[(i + turn) % segments.length] ?? new Uint8Array());
        expect(unpackSegments(turned)).toEqual({ bytes, sha256: Buffer.from(sha(bytes)).toString('hex') });
      }),
      { numRuns: 30 },
    );
  });

  test('one that another program wrote', () => {
    const bytes = new TextEncoder().encode('hello');
    const made = segment(deflateSync(bytes), { bytes: 5, sha: sha(bytes) });
    expect(unpackSegments([made]).bytes).toEqual(bytes);
  });

  const bytes = noise(150_000);
  const [a, b, c] = pack(bytes);
  const foreign = pack(noise(150_000, 'b'));
  test.each([
    ['none', []],
    ['one is missing', [a, b]],
    ['one is doubled', [a, b, b]],
    ['one is of another file', [a, b, foreign[2]]],
    ['one too many', [a, b, c, c]],
    ['one of a later version', [a, b, Uint8Array.from(c ?? []).fill(2, 65, 66)]],
    ['one is cut inside its head', [a, b, c?.subarray(0, 80)]],
    ['the end is cut', [a, b, c?.subarray(0, -1)]],
  ])('%s', (_, segments) => {
    const given = segments.flatMap((each) => each ?? []);
    expect(() => unpackSegments(given)).toThrow(expect.objectContaining({ code: 'jpeg/packed' }));
  });

  test('a bomb is not inflated beyond what it declares, nor one that declares too much', () => {
    const zeros = new Uint8Array(64 * 1024 * 1024);
    const stream = deflateSync(zeros);
    const before = process.memoryUsage().arrayBuffers;
    for (const declared of [10, zeros.length, 0xffff_ffff]) {
      const bomb = segment(stream, { bytes: declared, sha: sha(zeros) });
      expect(() => unpackSegments([bomb])).toThrow(expect.objectContaining({ code: 'jpeg/packed' }));
    }
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(32 * 1024 * 1024);
    const shorter = segment(deflateSync(noise(100)), { bytes: 200, sha: sha(noise(100)) });
    expect(() => unpackSegments([shorter])).toThrow(/zlib stream of 200 bytes/);
  });

  test('any byte that is changed is seen', () => {
    const segments = pack(noise(3_000));
    const [only = new Uint8Array()] = segments;
    fc.assert(
      fc.property(fc.nat(only.length - 1), fc.integer({ min: 1, max: 255 }), (at, flip) => {
        const changed = Uint8Array.from(only);
        changed[at] = (changed[at] ?? 0) ^ flip;
        if (!isPackedSegment(changed)) return;
        try {
          // Bits of zlib's header that mean nothing to the data may differ.
          expect(unpackSegments([changed]).bytes).toEqual(noise(3_000));
        } catch (error) {
          if (!isLineageError(error, 'jpeg/packed')) throw error;
        }
      }),
      { numRuns: 400 },
    );
  });

  test('every beginning fails with the one code', () => {
    const [only = new Uint8Array()] = pack(noise(300));
    expectTypedFailures(only, (part) => unpackSegments([part]), ['jpeg/packed']);
  });
});

describe('in a JPEG', () => {
  test('they stand behind the other application segments, come back, and go', async () => {
    const jpeg = await makeImage('jpeg');
    const exif = Uint8Array.from(Buffer.from('4d4d002a000000080000000000000000', 'hex'));
    const packed = pack(noise(150_000));
    const whole = spliceContainer(jpeg, { exif, packed });
    await expectSamePixels(whole, jpeg);
    expect(readContainer(whole).packed).toEqual(packed);
    expect(Buffer.from(whole).indexOf('uuid')).toBeGreaterThan(Buffer.from(whole).indexOf('Exif\0\0'));
    expect(spliceContainer(whole, { exif, packed })).toEqual(whole);
    expect(spliceContainer(whole, { exif })).toEqual(whole);
    expect(spliceContainer(whole, { packed: null })).toEqual(spliceContainer(jpeg, { exif }));
  });

  test('another program’s APP11 stays', async () => {
    const jpeg = await makeImage('jpeg');
    const app11 = Buffer.concat([Buffer.from([0xff, 0xeb, 0, 9]), Buffer.from('JP Medi')]);
    const foreign = Uint8Array.from(Buffer.concat([jpeg.subarray(0, 2), app11, jpeg.subarray(2)]));
    expect(readContainer(foreign).packed).toEqual([]);
    expect(Buffer.from(spliceContainer(foreign, { packed: null })).includes('JP Medi')).toBe(true);
  });

  test.each(['png', 'webp', 'avif'] as const)('%s has no place for them', async (format) => {
    const image = await makeImage(format);
    expect(() => spliceContainer(image, { packed: pack(noise(10)) })).toThrow(
      expect.objectContaining({ code: 'option/conflict' }),
    );
  });
});
