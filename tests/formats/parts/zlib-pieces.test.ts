import { constants, deflateSync, inflateSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { deflatedStart, inflatePieces } from '../../../nodes/formats/parts/zlib-pieces.ts';

/** Bytes with matches near and far, runs, and noise. */
function sample(length: number, seed: number): Buffer {
  const out = Buffer.alloc(length);
  let state = seed;
  const next = (): number => {
    state = (Math.imul(state, 1103515245) + 12345) & 0x7fffffff;
    return state >> 8;
  };
  for (let at = 0; at < length; ) {
    const run = Math.min(length - at, 1 + (next() % 700));
    const kind = next() % 4;
    if (kind === 0) out.fill(next() & 255, at, at + run);
    else if (kind === 1 && at > 0) {
      const from = at - 1 - (next() % Math.min(at, 32_768));
      for (let each = 0; each < run; each++) out[at + each] = out[from + each] ?? 0;
    } else for (let each = 0; each < run; each++) out[at + each] = kind === 2 ? next() : 97 + (next() % 9);
    at += run;
  }
  return out;
}

function gathered(bytes: Uint8Array, most: number) {
  const pieces: Buffer[] = [];
  const told = inflatePieces(bytes, most, (piece) => pieces.push(Buffer.from(piece)));
  return { told, data: Buffer.concat(pieces) };
}

const BEHIND = Buffer.from('what follows is not the stream');

describe('what zlib deflates', () => {
  const STRATEGIES = [
    constants.Z_DEFAULT_STRATEGY,
    constants.Z_FIXED,
    constants.Z_HUFFMAN_ONLY,
    constants.Z_RLE,
    constants.Z_FILTERED,
  ];

  test.each([0, 1, 2, 5, 300, 70_000, 3_000_000])('of %i bytes is inflated to its end', (length) => {
    const data = sample(length, length + 1);
    for (const strategy of STRATEGIES)
      for (const level of [0, 1, 6, 9]) {
        const stream = deflateSync(data, { strategy, level });
        const { told, data: back } = gathered(Buffer.concat([stream, BEHIND]), length);
        expect(told).toEqual({ length, used: stream.length });
        expect(Buffer.compare(back, data)).toBe(0);
      }
  });

  test('is no whole stream where it is cut off anywhere', () => {
    const data = sample(900, 5);
    for (const level of [0, 6]) {
      const stream = deflateSync(data, { level });
      for (let length = 0; length < stream.length; length++)
        expect(inflatePieces(stream.subarray(0, length), data.length)).toBeUndefined();
    }
  });

  test('and damaged is taken and refused as zlib does', () => {
    const data = sample(2_000, 11);
    for (const strategy of STRATEGIES) {
      const stream = deflateSync(data, { strategy });
      fc.assert(
        fc.property(
          fc.array(fc.tuple(fc.nat(stream.length - 1), fc.nat(255)), { minLength: 1, maxLength: 3 }),
          (changes) => {
            const damaged = Buffer.from(stream);
            // The two bytes of its head say how far back distances may reach, which is not looked at.
            for (const [at, value] of changes) if (at >= 2) damaged[at] = value;
            let wanted: Buffer | undefined;
            try {
              wanted = inflateSync(damaged);
            } catch {}
            const { told, data: back } = gathered(damaged, 1e6);
            expect(told === undefined).toBe(wanted === undefined);
            if (wanted) expect(Buffer.compare(back, wanted)).toBe(0);
          },
        ),
        { numRuns: 300 },
      );
    }
  });
});

test.each([0, 1, 4_000, 1_048_576, 2_500_000])(
  'the first %i bytes of a longer stream, deflated anew',
  (length) => {
    const data = sample(2_600_000, 3);
    const stream = deflateSync(data);
    const { told, data: back } = gathered(stream, length);
    expect(told?.length).toBeGreaterThan(length);
    expect(Buffer.compare(back, data.subarray(0, length))).toBe(0);
    const again = deflatedStart(stream, length);
    expect(Buffer.compare(inflateSync(again), data.subarray(0, length))).toBe(0);
    expect(inflatePieces(again, length)).toEqual({ length, used: again.length });
  },
);
