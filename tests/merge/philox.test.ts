import { describe, expect, it } from 'vitest';
import { drawKey, fillDraws, philox } from '../../nodes/merge/philox.ts';

const hex = (words: readonly number[]): string =>
  words.map((word) => word.toString(16).padStart(8, '0')).join(' ');

describe('Philox4x32-10', () => {
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
