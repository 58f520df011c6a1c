import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { drawKey, fillDraws, philox } from '../../nodes/merge/philox.ts';

const hex = (words: readonly number[]): string =>
  words.map((word) => word.toString(16).padStart(8, '0')).join(' ');

/** Figure 3 of the paper, in integers of any length. */
function byDefinition(counter: readonly number[], key: readonly number[]): number[] {
  const [m0, m1, w0, w1, word] = [0xd2511f53n, 0xcd9e8d57n, 0x9e3779b9n, 0xbb67ae85n, 0xffffffffn];
  let [a = 0n, b = 0n, c = 0n, d = 0n] = counter.map(BigInt);
  let [k0 = 0n, k1 = 0n] = key.map(BigInt);
  for (let round = 0; round < 10; round++) {
    const [first, second] = [m0 * a, m1 * c];
    [a, b, c, d] = [(second >> 32n) ^ b ^ k0, second & word, (first >> 32n) ^ d ^ k1, first & word];
    [k0, k1] = [(k0 + w0) & word, (k1 + w1) & word];
  }
  return [a, b, c, d].map(Number);
}

describe('Philox4x32-10', () => {
  it('is what its definition gives, for any words', () => {
    const word = fc.oneof(
      fc.constantFrom(0, 1, 0xffff, 0x10000, 0x7fffffff, 0x80000000, 0xffffffff),
      fc.nat(2 ** 32 - 1),
    );
    fc.assert(
      fc.property(fc.tuple(word, word, word, word), fc.tuple(word, word), (counter, key) => {
        expect(philox(counter, key)).toEqual(byDefinition(counter, key));
      }),
      { numRuns: 300 },
    );
  });

  it('gives the known answers of Random123 (kat_vectors)', () => {
    expect(hex(philox([0, 0, 0, 0], [0, 0]))).toBe('6627e8d5 e169c58d bc57ac4c 9b00dbd8');
    const ones = 0xffffffff;
    expect(hex(philox([ones, ones, ones, ones], [ones, ones]))).toBe('408f276d 41c83b0e a20bc7c6 6d5451fd');
    const pi = [0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344] as const;
    expect(hex(philox(pi, [0xa4093822, 0x299f31d0]))).toBe('d16cfe09 94fdcceb 5001e420 24126ea1');
  });

  it('gives an element its draw wherever a range starts', () => {
    const key = drawKey(5, 'layer', 1);
    const all = new Uint16Array(100);
    fillDraws(key, 0, all);
    for (const [start, length] of [
      [0, 1],
      [3, 2],
      [7, 9],
      [8, 8],
      [13, 80],
    ] as const) {
      const part = new Uint16Array(length);
      fillDraws(key, start, part);
      expect(part).toEqual(all.slice(start, start + length));
    }
    const [a = 0, b = 0] = philox([1, 0, 0, 0], key);
    expect([...all.slice(8, 12)]).toEqual([a & 0xffff, a >>> 16, b & 0xffff, b >>> 16]);
  });

  it('counts blocks in 64 bits', () => {
    const key = drawKey(0, '', 0);
    const draw = new Uint16Array(1);
    fillDraws(key, 2 ** 35, draw);
    expect(draw[0]).toBe(philox([0, 1, 0, 0], key)[0] & 0xffff);
  });
});
