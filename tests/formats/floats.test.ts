import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { decodeFloats, encodeFloats, type FloatDtype, floatBytes } from '../../nodes/formats/floats.ts';
import { readRecorded, unbase64 } from './recorded.ts';

type Counts = {
  readonly sha256: string;
  readonly saturated: string;
  readonly overflowed: number;
  readonly overflowedSaturated: number;
  readonly nan: number;
};
type Narrow = 'F16' | 'BF16' | 'F8_E4M3' | 'F8_E5M2';
type Recorded = {
  readonly decode: Readonly<Record<Narrow, string>>;
  readonly dense: Readonly<Record<Narrow, Counts>>;
  readonly halfway: Readonly<Record<Narrow, Counts>>;
  readonly edges: Readonly<Record<Narrow, readonly (readonly [bits: number, code: number])[]>>;
  readonly F64: { readonly doubles: string; readonly singles: string };
};
const recorded = readRecorded('safetensors/floats.json') as Recorded;
const NARROW = ['F16', 'BF16', 'F8_E4M3', 'F8_E5M2'] as const;
const NANS: Readonly<Record<Narrow, number>> = { F16: 0x7e00, BF16: 0x7fc0, F8_E4M3: 0x7f, F8_E5M2: 0x7e };
const F32_NAN = 0x7fc0_0000;

function sha256(values: Uint32Array | Uint16Array | Uint8Array): string {
  return createHash('sha256').update(values).digest('hex');
}

/** All codes of a format, in order. */
function allCodes(dtype: Narrow): Uint16Array | Uint8Array {
  const codes = floatBytes(dtype) === 1 ? new Uint8Array(0x100) : new Uint16Array(0x1_0000);
  return codes.map((_, code) => code);
}

function decode(dtype: FloatDtype, bytes: Uint8Array): Float32Array {
  const out = new Float32Array(bytes.length / floatBytes(dtype)).fill(7);
  decodeFloats(dtype, bytes, out);
  return out;
}

/** Float32 bits with each NaN replaced by the quiet one of its sign, as in the record. */
function plainBits(values: Float32Array): Uint32Array {
  const bits = new Uint32Array(values.buffer, values.byteOffset, values.length);
  return bits.map((each, i) => (Number.isNaN(values[i]) ? (each & 0x8000_0000) | F32_NAN : each));
}

/** The codes of values, NaNs replaced likewise. */
function encode(dtype: Narrow, values: Float32Array, saturate: boolean) {
  const bytes = floatBytes(dtype);
  const codes = bytes === 1 ? new Uint8Array(values.length) : new Uint16Array(values.length);
  const counts = encodeFloats(dtype, values, new Uint8Array(codes.buffer), { saturate });
  const sign = bytes === 1 ? 0x80 : 0x8000;
  const nan = NANS[dtype];
  return {
    codes: codes.map((code, i) => (Number.isNaN(values[i]) ? (code & sign) | nan : code)),
    ...counts,
  };
}

/** Every 4,093rd bit pattern of float32. */
function makeDense(): Float32Array {
  const bits = new Uint32Array(Math.ceil(2 ** 32 / 4093));
  return new Float32Array(bits.map((_, i) => i * 4093).buffer);
}

/** The middle between neighbours, up to where the code after the largest would be, with the float32s around it; both signs. */
function makeHalfway(dtype: Narrow): Float32Array {
  const all = decode(dtype, new Uint8Array(allCodes(dtype).buffer));
  const finite = [...all.subarray(0, all.length / 2)].filter(Number.isFinite);
  const ladder = [...finite, 2 * finite.at(-1)! - finite.at(-2)!];
  const middles = Float32Array.from(finite, (value, i) => (value + ladder[i + 1]!) / 2);
  const near = [...new Uint32Array(middles.buffer)].flatMap((bits) => [bits - 1, bits, bits + 1]);
  return new Float32Array(Uint32Array.from([...near, ...near.map((bits) => bits + 0x8000_0000)]).buffer);
}

describe.each(NARROW)('%s', (dtype) => {
  test('every code is decoded as numpy, ml_dtypes and torch do', () => {
    expect(sha256(plainBits(decode(dtype, new Uint8Array(allCodes(dtype).buffer))))).toBe(
      recorded.decode[dtype],
    );
  });

  test('every NaN is quiet and keeps its sign', () => {
    const values = decode(dtype, new Uint8Array(allCodes(dtype).buffer));
    const bits = new Uint32Array(values.buffer);
    let nans = 0;
    for (const [code, value] of values.entries()) {
      if (!Number.isNaN(value)) continue;
      nans++;
      expect(bits[code]! & 0x0040_0000).not.toBe(0);
      expect(bits[code]! >>> 31).toBe(code < values.length / 2 ? 0 : 1);
    }
    expect(nans).toBe({ F16: 2046, BF16: 254, F8_E4M3: 2, F8_E5M2: 6 }[dtype]);
  });

  test('every code survives a round trip, and a NaN stays one', () => {
    const codes = allCodes(dtype);
    const values = decode(dtype, new Uint8Array(codes.buffer));
    const back = encode(dtype, values, false);
    expect(back.codes).toEqual(codes.map((code, i) => (Number.isNaN(values[i]) ? back.codes[i]! : code)));
    expect(
      decode(dtype, new Uint8Array(back.codes.buffer)).every((value, i) => Object.is(value, values[i])),
    ).toBe(true);
    expect(back.overflowed).toBe(0);
  });

  for (const [what, make] of [
    ['a dense sample', makeDense],
    ['every halfway case and its neighbours', () => makeHalfway(dtype)],
  ] as const) {
    const expected = recorded[what === 'a dense sample' ? 'dense' : 'halfway'][dtype];
    test(`${what} is rounded as numpy and ml_dtypes do`, () => {
      const { codes, overflowed, nan } = encode(dtype, make(), false);
      expect({ overflowed, nan }).toEqual({ overflowed: expected.overflowed, nan: expected.nan });
      expect(sha256(codes)).toBe(expected.sha256);
    });
    test(`${what} is rounded as values clipped before; F8_E4M3 as torch does`, () => {
      const { codes, overflowed, nan } = encode(dtype, make(), true);
      expect({ overflowed, nan }).toEqual({ overflowed: expected.overflowedSaturated, nan: expected.nan });
      expect(sha256(codes)).toBe(expected.saturated);
    });
  }

  test('edges, one by one', () => {
    for (const [bits, code] of recorded.edges[dtype]) {
      const values = new Float32Array(Uint32Array.of(bits).buffer);
      expect([values[0], encode(dtype, values, false).codes[0]]).toEqual([values[0], code]);
    }
  });

  test('byte offsets and neighbours of the run do not matter', () => {
    const values = Float32Array.of(9, 1.5, -2, 0.1, 9).subarray(1, 4);
    const size = floatBytes(dtype);
    const room = new Uint8Array(3 * size + 2).fill(0xee);
    encodeFloats(dtype, values, room.subarray(1, 1 + 3 * size));
    expect([room[0], room.at(-1)]).toEqual([0xee, 0xee]);
    const out = new Float32Array(5).fill(9);
    decodeFloats(dtype, room.subarray(1, 1 + 3 * size), out.subarray(1, 4));
    expect([...out.subarray(0, 3), out[4]]).toEqual([9, 1.5, -2, 9]);
  });
});

test('infinities stay where the format has them, and count where they do not', () => {
  const values = Float32Array.of(Infinity, -Infinity);
  for (const [dtype, saturate, codes, overflowed] of [
    ['F16', false, [0x7c00, 0xfc00], 0],
    ['F16', true, [0x7bff, 0xfbff], 2],
    ['BF16', false, [0x7f80, 0xff80], 0],
    ['BF16', true, [0x7f7f, 0xff7f], 2],
    ['F8_E5M2', false, [0x7c, 0xfc], 0],
    ['F8_E5M2', true, [0x7b, 0xfb], 2],
    ['F8_E4M3', false, [0x7f, 0xff], 2],
    ['F8_E4M3', true, [0x7e, 0xfe], 2],
  ] as const) {
    const encoded = encode(dtype, values, saturate);
    expect([dtype, [...encoded.codes], encoded.overflowed]).toEqual([dtype, codes, overflowed]);
  }
});

test('a NaN of any payload stays a NaN, with its sign', () => {
  const nan = fc.tuple(fc.boolean(), fc.integer({ min: 1, max: 0x7f_ffff }));
  fc.assert(
    fc.property(nan, fc.constantFrom(...NARROW), fc.boolean(), ([isNegative, payload], dtype, saturate) => {
      const bits = (isNegative ? 0xff80_0000 : 0x7f80_0000) + payload;
      const out = new Uint8Array(floatBytes(dtype));
      const counts = encodeFloats(dtype, new Float32Array(Uint32Array.of(bits).buffer), out, { saturate });
      expect(counts).toEqual({ overflowed: 0, nan: 1 });
      const [value] = new Uint32Array(decode(dtype, out).buffer);
      expect([value! >>> 31 === 1, (value! & 0x7fc0_0000) === F32_NAN]).toEqual([isNegative, true]);
    }),
  );
});

describe('F64 and F32', () => {
  test('doubles are rounded as numpy does', () => {
    const singles = decode('F64', unbase64(recorded.F64.doubles));
    expect(plainBits(singles)).toEqual(new Uint32Array(unbase64(recorded.F64.singles).slice().buffer));
  });

  test('floats go to doubles and back unchanged', () => {
    fc.assert(
      fc.property(fc.float32Array({ maxLength: 20 }), (values) => {
        const out = new Uint8Array(8 * values.length + 1).subarray(1);
        const nan = values.filter(Number.isNaN).length;
        expect(encodeFloats('F64', values, out)).toEqual({ overflowed: 0, nan });
        expect(decode('F64', out)).toEqual(values);
      }),
    );
  });

  test('F32 is copied bit for bit, signalling NaNs too', () => {
    const bytes = Uint8Array.of(9, 1, 0, 0x80, 0x7f, 0, 0, 0, 0x80).subarray(1);
    const values = decode('F32', bytes);
    expect([...new Uint32Array(values.buffer)]).toEqual([0x7f80_0001, 0x8000_0000]);
    const out = new Uint8Array(9).subarray(1);
    expect(encodeFloats('F32', values, out)).toEqual({ overflowed: 0, nan: 1 });
    expect(out).toEqual(bytes);
  });
});

test('lengths that do not fit are a bug of the caller', () => {
  expect(() => decodeFloats('F16', new Uint8Array(3), new Float32Array(1))).toThrow(RangeError);
  expect(() => encodeFloats('F8_E4M3', new Float32Array(2), new Uint8Array(1))).toThrow(RangeError);
});
