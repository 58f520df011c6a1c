import { describe, expect, test } from 'vitest';
import { decodeFloats, encodeFloats, floatBytes } from '../../../nodes/formats/floats.ts';
import type { KernelDtype } from '../../../nodes/merge/kernels/kernels.ts';
import { DATA, DEFINITIONS, nearestCode, openKernels, randomBits, valueOfCode } from './workbench.ts';

const { kernels, halfKernels, memory, bytes } = openKernels();
const NARROW = ['F16', 'BF16', 'F8_E4M3', 'F8_E5M2'] as const;
const ALL = ['F32', ...NARROW] as const;
const FLOATS = DATA + 1_000_000;

/** All that decode a format: by integers, and by the processor where it can. */
function decodersOf(dtype: KernelDtype) {
  return dtype === 'F16' && halfKernels ? [kernels, halfKernels] : [kernels];
}

function codesAt(dtype: KernelDtype, at: number, count: number): Uint8Array | Uint16Array | Uint32Array {
  const { buffer } = bytes.slice(at, at + count * floatBytes(dtype));
  if (floatBytes(dtype) === 1) return new Uint8Array(buffer);
  return floatBytes(dtype) === 2 ? new Uint16Array(buffer) : new Uint32Array(buffer);
}

function encode(dtype: KernelDtype, values: Float32Array) {
  new Float32Array(memory.buffer, FLOATS, values.length).set(values);
  const counts = kernels.encode(dtype, FLOATS, DATA + 1, values.length);
  return { counts, codes: codesAt(dtype, DATA + 1, values.length) };
}

function fromBits(bits: Iterable<number>): Float32Array {
  return new Float32Array(Uint32Array.from(bits).buffer);
}

/** The float32 before and after, without sign. */
function neighbours(value: number): number[] {
  const bits = new Uint32Array(Float32Array.of(value).buffer)[0] ?? 0;
  return [...fromBits([Math.max(bits, 1) - 1, bits, bits + 1])];
}

/** Every value of the format, every point halfway between two, one float32 to both sides, and what has a name. */
function criticalValues(dtype: (typeof NARROW)[number]): Float32Array {
  const definition = DEFINITIONS[dtype];
  const top = valueOfCode(definition, definition.largest);
  const gap = top - valueOfCode(definition, definition.largest - 1);
  const values = [0, 2 ** -149, 2 ** -126, 3.4028234663852886e38, top + gap / 2, top + gap, Infinity, NaN];
  for (let code = 0; code <= definition.largest; code++) {
    const value = valueOfCode(definition, code);
    const next = code < definition.largest ? valueOfCode(definition, code + 1) : top + gap;
    values.push(...neighbours(value), ...neighbours((value + next) / 2));
  }
  return Float32Array.from(values.flatMap((value) => [value, -value]));
}

describe.each(NARROW)('%s', (dtype) => {
  const definition = DEFINITIONS[dtype];
  const total = 2 ** (8 * definition.bytes);
  const codes = Array.from({ length: total }, (_, code) => code);

  test('decodes every code exactly, at an odd address', () => {
    const raw = definition.bytes === 2 ? new Uint16Array(codes) : new Uint8Array(codes);
    bytes.set(new Uint8Array(raw.buffer), DATA + 1);
    for (const by of decodersOf(dtype)) {
      by.decode(dtype, DATA + 1, FLOATS, total);
      const decoded = new Float32Array(memory.buffer.slice(FLOATS, FLOATS + 4 * total));
      const wrong = codes.filter((code) => !Object.is(decoded[code], valueOfCode(definition, code)));
      expect(wrong).toEqual([]);
      const bits = new Uint32Array(decoded.buffer);
      const loud = codes.filter(
        (code) => Number.isNaN(decoded[code]) && (bits[code]! & 0x7fc0_0000) !== 0x7fc0_0000,
      );
      expect(loud).toEqual([]);
    }
  });

  test('decodes as many as it is told to, and no more', () => {
    const raw = definition.bytes === 2 ? new Uint16Array(codes) : new Uint8Array(codes);
    bytes.set(new Uint8Array(raw.buffer), DATA);
    const floats = new Float32Array(memory.buffer, FLOATS, 40);
    for (const by of decodersOf(dtype)) {
      for (let count = 0; count <= 33; count++) {
        floats.fill(-7);
        by.decode(dtype, DATA, FLOATS, count);
        const expected = codes
          .slice(0, 40)
          .map((code) => (code < count ? valueOfCode(definition, code) : -7));
        expect([...floats]).toEqual(expected);
      }
    }
  });

  test('encodes every value and every halfway point to the nearest code, ties to even', () => {
    const values = criticalValues(dtype);
    const { codes: got } = encode(dtype, values);
    const wrong = [...values].flatMap((value, i) =>
      got[i] === nearestCode(definition, value) ? [] : [{ value, got: got[i] }],
    );
    expect(wrong.slice(0, 5)).toEqual([]);
  });

  test('encodes any bits as the definition and as the plain twin, and counts alike', () => {
    const random = randomBits(1);
    const values = fromBits(Array.from({ length: 100_000 }, () => random.next().value));
    const { codes: got, counts } = encode(dtype, values);
    const raw = new Uint8Array(values.length * definition.bytes);
    expect(counts).toEqual(encodeFloats(dtype, values, raw));
    const twin = definition.bytes === 2 ? new Uint16Array(raw.buffer) : raw;
    const wrong = [...values.keys()].filter((i) => {
      const value = values[i] ?? 0;
      if (got[i] !== nearestCode(definition, value)) return true;
      return !Number.isNaN(value) && got[i] !== twin[i];
    });
    expect(wrong).toEqual([]);
    expect(counts.nan).toBeGreaterThan(100);
  });

  test('an infinity is an overflow only where it does not stay one', () => {
    const values = Float32Array.of(Infinity, -Infinity, NaN, 1e38 * 3.4, -3.4e38, 1);
    const lost = definition.infinity === undefined ? 4 : 2;
    expect(encode(dtype, values).counts).toEqual({ overflowed: lost, nan: 1 });
  });
});

test('float32 is copied, but for NaNs, which all become one', () => {
  const values = fromBits([0x7f80_0001, 0xffc0_1234, 0x7f80_0000, 0xff80_0000, 0x8000_0000, 1, 0x3f80_0000]);
  const { codes, counts } = encode('F32', values);
  expect([...codes]).toEqual([
    0x7fc0_0000, 0x7fc0_0000, 0x7f80_0000, 0xff80_0000, 0x8000_0000, 1, 0x3f80_0000,
  ]);
  expect(counts).toEqual({ overflowed: 0, nan: 2 });
});

describe.each(ALL)('%s of every length at every alignment', (dtype) => {
  const size = floatBytes(dtype);
  const random = randomBits(2);
  const noise = Uint8Array.from({ length: 80 * size }, () => random.next().value & 0xff);

  test('writes what the twin writes, and nothing beside it', () => {
    for (let count = 0; count <= 70; count++) {
      const from = DATA + (count % 17);
      bytes.fill(0xa5, DATA, DATA + 4096);
      bytes.set(noise.subarray(0, count * size), from);
      const to = DATA + 1024 + (count % 5);
      kernels.decode(dtype, from, to, count);
      const floats = new Float32Array(count);
      decodeFloats(dtype, noise.subarray(0, count * size), floats);
      expect(new Float32Array(bytes.slice(to, to + 4 * count).buffer)).toEqual(floats);
      expect([bytes[to - 1], bytes[to + 4 * count]]).toEqual([0xa5, 0xa5]);

      const back = DATA + 2048 + (count % 3);
      const twin = new Uint8Array(count * size);
      expect(kernels.encode(dtype, to, back, count)).toEqual(encodeFloats(dtype, floats, twin));
      const isNan = (i: number): boolean => Number.isNaN(floats[Math.floor(i / size)]);
      for (let i = 0; i < twin.length; i++) if (!isNan(i)) expect(bytes[back + i]).toBe(twin[i]);
      expect([bytes[back - 1], bytes[back + twin.length]]).toEqual([0xa5, 0xa5]);

      const special = floats.filter((value) => !Number.isFinite(value)).length;
      expect(kernels.countNotFinite(dtype, from, count)).toBe(special);
    }
  });

  test('counts what is not finite past the width of its counters', () => {
    const count = 300_007;
    const value = Float32Array.of(Infinity);
    const code = new Uint8Array(size);
    encodeFloats(dtype, value, code);
    for (let i = 0; i < count; i++) bytes.set(code, DATA + 1 + i * size);
    expect(kernels.countNotFinite(dtype, DATA + 1, count)).toBe(count);
    bytes.fill(0, DATA + 1, DATA + 1 + size);
    expect(kernels.countNotFinite(dtype, DATA + 1, count)).toBe(count - 1);
  });
});
