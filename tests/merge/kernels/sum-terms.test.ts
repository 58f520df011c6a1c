import { describe, expect, test } from 'vitest';
import { decodeFloats, type EncodeCounts, encodeFloats, floatBytes } from '../../../nodes/formats/floats.ts';
import { type FloatKernels, type KernelDtype, SCRATCH_BYTES } from '../../../nodes/merge/kernels/kernels.ts';
import { BASE, type Term } from '../../../nodes/merge/method.ts';
import { sumTerms } from '../../../nodes/merge/run-method.ts';
import { DATA, openKernels, openPair, randomBits } from './workbench.ts';

const { kernels, halfKernels, bytes } = openKernels();
const DTYPES = ['F32', 'F16', 'BF16', 'F8_E4M3', 'F8_E5M2'] as const;
const ROOM = 500_000;

/** Sums of all shapes: with kernels of their own, and without. Four models, the last one the base. */
const SUMS: Readonly<Record<string, readonly Term[]>> = {
  'a + w(b - a)': [
    { weight: 1, plus: 0 },
    { weight: 0.3, plus: 1, minus: 0 },
  ],
  'base + v(a - base) + w(b - base) + x(c - base)': [
    { weight: 1, plus: BASE },
    { weight: 0.7, plus: 0, minus: BASE },
    { weight: -0.45, plus: 1, minus: BASE },
    { weight: 1.1, plus: 2, minus: BASE },
  ],
  'base + v(base - a) + w(b - base) + x(base - c)': [
    { weight: 1, plus: BASE },
    { weight: -0.7, plus: BASE, minus: 0 },
    { weight: -0.45, plus: 1, minus: BASE },
    { weight: 1.1, plus: BASE, minus: 2 },
  ],
  'a + w(b - c)': [
    { weight: 1, plus: 0 },
    { weight: 0.9, plus: 1, minus: 2 },
  ],
  'v a + w(a - b)': [
    { weight: 0.8, plus: 0 },
    { weight: 1 / 3, plus: 0, minus: 1 },
  ],
  'w a': [{ weight: 0.1, plus: 0 }],
  'v a + w b + x c': [
    { weight: 0.2, plus: 0 },
    { weight: 0.3, plus: 1 },
    { weight: 0.5, plus: 2 },
  ],
  'w(a - b) + v(c - base)': [
    { weight: 0.2, plus: 0, minus: 1 },
    { weight: 0.4, plus: 2, minus: BASE },
  ],
};

/** What the plain twins make of raw inputs. */
function twin(
  dtypes: readonly KernelDtype[],
  terms: readonly Term[],
  inputs: readonly Uint8Array[],
  out: KernelDtype,
  count: number,
): { codes: Uint8Array; sum: Float32Array; counts: EncodeCounts; isClean: boolean } {
  const floats = inputs.map((input, i) => {
    const decoded = new Float32Array(count);
    decodeFloats(dtypes[i] ?? out, input, decoded);
    return decoded;
  });
  const base = floats.at(-1);
  const sum = new Float32Array(count);
  sumTerms(terms, { start: 0, length: count, models: floats.slice(0, -1), ...(base && { base }) }, sum);
  const codes = new Uint8Array(count * floatBytes(out));
  const counts = encodeFloats(out, sum, codes);
  const named = terms.flatMap(({ plus, minus = plus }) => [floats.at(plus) ?? sum, floats.at(minus) ?? sum]);
  const isClean = [...named, sum].every((some) => some.every(Number.isFinite)) && counts.overflowed === 0;
  return { codes, sum, counts, isClean };
}

/** Runs kernels and twin and compares, at addresses that are odd in different ways. */
function check(...work: Work): Uint8Array {
  if (halfKernels && work[3] === 'F16') checkOn(halfKernels, ...work);
  return checkOn(kernels, ...work);
}

type Work = Parameters<typeof checkOn> extends [FloatKernels, ...infer Work] ? Work : never;

function checkOn(
  kernels: FloatKernels,
  dtypes: readonly KernelDtype[],
  terms: readonly Term[],
  inputs: readonly Uint8Array[],
  out: KernelDtype,
  count: number,
  shift = 1,
): Uint8Array {
  const addresses = inputs.map((input, i) => {
    const at = DATA + i * ROOM + ((shift * (i + 1)) % 16);
    bytes.set(input, at);
    return at;
  });
  const to = DATA + inputs.length * ROOM + 16 + (shift % 16);
  const size = count * floatBytes(out);
  bytes.fill(0xa5, to - 16, to + size + 16);
  const isUniform = dtypes.every((dtype) => dtype === out);
  const { isClean, ...counts } = isUniform
    ? kernels.sumTerms(out, terms, addresses, to, count)
    : kernels.sumTermsMixed(
        terms,
        addresses.map((at, i) => ({ dtype: dtypes[i] ?? out, at })),
        { dtype: out, at: to },
        count,
      );
  const expected = twin(dtypes, terms, inputs, out, count);
  const got = bytes.slice(to, to + size);
  const decoded = new Float32Array(count);
  decodeFloats(out, got, decoded);
  expect(counts).toEqual(expected.counts);
  if (isClean) expect(expected.isClean).toBe(true);
  const width = floatBytes(out);
  for (let i = 0; i < size; i++) {
    const element = Math.floor(i / width);
    const isRight = Number.isNaN(expected.sum[element])
      ? Number.isNaN(decoded[element])
      : got[i] === expected.codes[i];
    if (!isRight) expect({ element, byte: got[i] }).toEqual({ element, byte: expected.codes[i] });
  }
  expect(bytes.slice(to - 16, to).every((byte) => byte === 0xa5)).toBe(true);
  expect(bytes.slice(to + size, to + size + 16).every((byte) => byte === 0xa5)).toBe(true);
  return got;
}

/** Raw inputs of a format. @param spread the largest magnitude, or any bits at all */
function inputsOf(dtype: KernelDtype, count: number, spread: number | 'any', seed: number): Uint8Array[] {
  const random = randomBits(seed);
  return Array.from({ length: 4 }, () => {
    const raw = new Uint8Array(count * floatBytes(dtype));
    if (spread === 'any') return raw.map(() => random.next().value & 0xff);
    const values = Float32Array.from({ length: count }, () => (random.next().value / 2 ** 31 - 1) * spread);
    encodeFloats(dtype, values, raw);
    return raw;
  });
}

const uniform = (dtype: KernelDtype): KernelDtype[] => [dtype, dtype, dtype, dtype];

describe.each(DTYPES)('%s', (dtype) => {
  test.each(Object.entries(SUMS))('%s of small weights, large weights and any bits', (_, terms) => {
    for (const spread of [0.05, 3, 1000, 'any'] as const)
      check(uniform(dtype), terms, inputsOf(dtype, 20_003, spread, 3), dtype, 20_003);
  });

  test('every length from 0 to 70 at every alignment', () => {
    for (const terms of Object.values(SUMS))
      for (let count = 0; count <= 70; count++)
        check(uniform(dtype), terms, inputsOf(dtype, count, 1, count), dtype, count, count % 16);
  });

  test('identical inputs around one of them come out as they are, bit for bit', () => {
    const codes = inputsOf(dtype, 8192, 'any', 5)[0] ?? new Uint8Array();
    const values = new Float32Array(8192);
    decodeFloats(dtype, codes, values);
    const same = new Uint8Array(codes.length);
    encodeFloats(
      dtype,
      values.map((value, i) => (Number.isFinite(value) ? value : -0 * i)),
      same,
    );
    // Turned, as `differenceTerm` writes them, so that negative zeros stay too.
    const terms = [
      { weight: 1, plus: 0 },
      { weight: -0.7, plus: 0, minus: 1 },
      { weight: -0.1, plus: 2, minus: 0 },
      { weight: -1.3, plus: 0, minus: BASE },
    ];
    expect(check(uniform(dtype), terms, [same, same, same, same], dtype, 8192)).toEqual(same);
  });

  test('weights of any size: zero, subnormal, huge, beyond the fused kernels', () => {
    const sizes = [0, -0, 1e-45, 2 ** -91, 2 ** -90, 1e-7, 8191, 8192, 16_000, 65_504, 1e20, 3e38, -1e38];
    for (const weight of sizes)
      for (const first of [1, weight, 20_000])
        for (const minus of [0, 2])
          check(
            uniform(dtype),
            [
              { weight: first, plus: 0 },
              { weight, plus: 1, minus },
            ],
            inputsOf(dtype, 999, 1.9, 6),
            dtype,
            999,
          );
  });

  test('one special value in a long run spoils nothing around it', () => {
    for (const special of [Infinity, -Infinity, NaN, 60_000, -65_504, 3.3e38]) {
      const inputs = inputsOf(dtype, 70_000, 0.1, 7);
      const code = new Uint8Array(floatBytes(dtype));
      encodeFloats(dtype, Float32Array.of(special), code);
      inputs[1]?.set(code, 45_678 * code.length);
      for (const terms of Object.values(SUMS)) check(uniform(dtype), terms, inputs, dtype, 70_000);
    }
  });
});

test('F16 sums next to the end of the range, and next to zero', () => {
  /** Of a number and its opposite: 1.6 of it. */
  const away = [
    { weight: 1, plus: 0 },
    { weight: -0.3, plus: 1, minus: 0 },
  ];
  for (const top of [65_504, 65_000, 64_000, 50_000, 41_000, 40_900, 40_000, 16_000]) {
    const values = Float32Array.from({ length: 4096 }, (_, i) => ((i % 64) - 32) * (top / 32));
    const tiny = Float32Array.from({ length: 4096 }, (_, i) => ((i % 64) - 32) * 2 ** -24);
    const inputs = [values, tiny, values.toReversed(), tiny.toReversed()].map((floats) => {
      const raw = new Uint8Array(8192);
      encodeFloats('F16', floats, raw);
      return raw;
    });
    const opposite = inputs[0]?.map((byte, i) => (i % 2 === 0 ? byte : byte ^ 0x80)) ?? new Uint8Array();
    check(uniform('F16'), away, inputs.with(1, opposite), 'F16', 4096);
    for (const terms of Object.values(SUMS)) check(uniform('F16'), terms, inputs, 'F16', 4096);
  }
});

test('F16: every pair of a code and 64 others', () => {
  const codes = Uint16Array.from({ length: 65_536 }, (_, code) => code);
  const random = randomBits(8);
  for (let round = 0; round < 64; round++) {
    const other = random.next().value & 0xffff;
    const inputs = [codes, codes.map((code) => code ^ other), codes, codes].map(
      ({ buffer }) => new Uint8Array(buffer),
    );
    check(uniform('F16'), SUMS['a + w(b - a)'] ?? [], inputs, 'F16', 65_536);
  }
});

test.each(Object.entries(SUMS))('mixed formats: %s', (_, terms) => {
  const dtypes = ['BF16', 'F32', 'F8_E4M3', 'F16'] as const;
  for (const spread of [1, 'any'] as const)
    for (const out of DTYPES)
      for (const count of [1, 13, 1024, 2049])
        check(
          dtypes,
          terms,
          dtypes.map((dtype, i) => inputsOf(dtype, count, spread, 9 + i)[0] ?? new Uint8Array()),
          out,
          count,
        );
});

test('two threads in one memory do not touch what belongs to the other', () => {
  const { memory, first, second } = openPair();
  const all = new Uint8Array(memory.buffer);
  const half = new Float16Array(memory.buffer, DATA, 48);
  half.set(Array.from({ length: 48 }, (_, i) => i / 7));
  const sum = (kernelsOf: typeof first, weight: number, to: number) =>
    kernelsOf.sumTerms(
      'F16',
      [
        { weight: 1, plus: 0 },
        { weight, plus: 1, minus: 0 },
      ],
      [DATA, DATA + 48],
      to,
      23,
    );
  sum(first, 0.25, DATA + 1000);
  const before = all.slice(0, 4096 + SCRATCH_BYTES);
  sum(second, 0.75, DATA + 2000);
  expect(all.slice(0, 4096 + SCRATCH_BYTES)).toEqual(before);
  sum(first, 0.25, DATA + 3000);
  expect(all.slice(DATA + 3000, DATA + 3046)).toEqual(all.slice(DATA + 1000, DATA + 1046));
  sum(first, 0.75, DATA + 4000);
  expect(all.slice(DATA + 4000, DATA + 4046)).toEqual(all.slice(DATA + 2000, DATA + 2046));
});

test('addresses beyond 2 GiB', () => {
  const far = openKernels(33_000);
  const top = 33_000 * 65_536 - 4096;
  const values = Array.from({ length: 64 }, (_, i) => i - 32);
  new Float16Array(far.memory.buffer, top, 64).set(values);
  const terms = [
    { weight: 0.5, plus: 0 },
    { weight: 1, plus: 0, minus: 1 },
  ];
  far.kernels.sumTerms('F16', terms, [top, top], top + 1024, 63);
  const sums = new Float16Array(far.memory.buffer, top + 1024, 64);
  expect([...sums]).toEqual([...values.slice(0, 63).map((value) => value / 2), 0]);
});

test.each([
  { dtype: 'F32', by: kernels },
  { dtype: 'F16', by: kernels },
  { dtype: 'F16', by: halfKernels ?? kernels },
  { dtype: 'BF16', by: kernels },
] as const)('ordinary numbers in $dtype need no second look', ({ dtype, by }) => {
  const size = 64 * floatBytes(dtype);
  const ones = new Uint8Array(size);
  encodeFloats(dtype, new Float32Array(64).fill(0.5), ones);
  for (const at of [DATA, DATA + 1024]) bytes.set(ones, at);
  const terms = [
    { weight: 1, plus: 0 },
    { weight: 0.3, plus: 1, minus: 0 },
  ];
  const sum = () => by.sumTerms(dtype, terms, [DATA, DATA + 1024], DATA + 2048, 64);
  expect(sum()).toEqual({ overflowed: 0, nan: 0, isClean: true });
  const infinite = new Uint8Array(size);
  encodeFloats(dtype, new Float32Array(64).fill(Infinity, 5, 6), infinite);
  bytes.set(infinite, DATA);
  expect(sum().isClean).toBe(false);
});
