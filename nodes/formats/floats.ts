/**
 * Floats of model files to and from `Float32Array`, in plain TypeScript: exact, and what faster kernels are checked
 * against. All formats are little-endian; byte offsets need no alignment, since safetensors promises none.
 */

/** The formats by their safetensors names. `F8_E4M3` is the "fn" variant: no Inf, one NaN a sign, largest 448. */
export type FloatDtype = 'F64' | 'F32' | 'F16' | 'BF16' | 'F8_E4M3' | 'F8_E5M2';

const FLOATS: ReadonlySet<string> = new Set<FloatDtype>(['F64', 'F32', 'F16', 'BF16', 'F8_E4M3', 'F8_E5M2']);

/** Whether numbers of this type can be computed with; all others are only copied. */
export function isFloat(dtype: string): dtype is FloatDtype {
  return FLOATS.has(dtype);
}

/** How a narrow format is cut from the bits of a float32. */
type Narrow = {
  readonly bytes: 1 | 2;
  readonly mantissaBits: number;
  readonly bias: number;
  /** The code of the largest finite value, without sign. */
  readonly max: number;
  /** What is beyond it: Inf, or NaN where the format has no Inf. */
  readonly beyond: number;
  /** The quiet NaN with no payload. */
  readonly nan: number;
  /** Bits of a NaN's payload that are kept, the highest of float32's. */
  readonly payloadMask: number;
};

/** @see IEEE 754-2019 binary16; https://www.opencompute.org/documents/ocp-8-bit-floating-point-specification-ofp8 */
const NARROW: Readonly<Record<'F16' | 'BF16' | 'F8_E4M3' | 'F8_E5M2', Narrow>> = {
  F16: { bytes: 2, mantissaBits: 10, bias: 15, max: 0x7bff, beyond: 0x7c00, nan: 0x7e00, payloadMask: 0x1ff },
  BF16: { bytes: 2, mantissaBits: 7, bias: 127, max: 0x7f7f, beyond: 0x7f80, nan: 0x7fc0, payloadMask: 0x3f },
  F8_E4M3: { bytes: 1, mantissaBits: 3, bias: 7, max: 0x7e, beyond: 0x7f, nan: 0x7f, payloadMask: 0 },
  F8_E5M2: { bytes: 1, mantissaBits: 2, bias: 15, max: 0x7b, beyond: 0x7c, nan: 0x7e, payloadMask: 0 },
};

const F32_INF = 0x7f80_0000;
const F32_QUIET = 0x0040_0000;
const F32_BIAS = 127;
const F32_MANTISSA_BITS = 23;

/** The float32 bits of every code, made when a format is first met: 1 KiB, or 256 KiB for 16 bits. */
const TABLES = new Map<FloatDtype, Uint32Array>();

/** Bytes of one element. */
export function floatBytes(dtype: FloatDtype): number {
  if (dtype === 'F64') return 8;
  return dtype === 'F32' ? 4 : NARROW[dtype].bytes;
}

/**
 * Decodes a run of floats. Every value of a narrow format is exact in float32; NaNs become quiet and keep sign and
 * payload, except those of F32, which are copied. F64 is rounded to nearest even, to Inf beyond float32's range.
 *
 * @param bytes `out.length` elements, at any byte offset; not modified.
 * @param out overwritten.
 * @throws RangeError if the lengths do not fit
 */
export function decodeFloats(dtype: FloatDtype, bytes: Uint8Array, out: Float32Array): void {
  checkLengths(dtype, bytes, out);
  const bits = bitsOfFloats(out);
  if (dtype === 'F32') new Uint8Array(out.buffer, out.byteOffset, out.byteLength).set(bytes);
  else if (dtype === 'F64') {
    const view = viewOf(bytes);
    for (let i = 0; i < out.length; i++) out[i] = view.getFloat64(8 * i, true);
  } else if (NARROW[dtype].bytes === 1) {
    const table = tableOf(dtype);
    for (let i = 0; i < bits.length; i++) bits[i] = table[bytes[i] ?? 0] ?? 0;
  } else {
    const table = tableOf(dtype);
    for (let i = 0; i < bits.length; i++)
      bits[i] = table[(bytes[2 * i] ?? 0) | ((bytes[2 * i + 1] ?? 0) << 8)] ?? 0;
  }
}

/** What an encoding could not keep. */
export type EncodeCounts = {
  /** Values beyond the largest finite one after rounding; an infinity counts where it does not stay one. */
  readonly overflowed: number;
  readonly nan: number;
};

/**
 * Encodes a run of floats, rounding to nearest even; subnormals are exact, zeros keep their sign. Beyond the largest
 * finite value the answer does not depend on any library's version: by default IEEE's, which is Inf, and NaN for
 * F8_E4M3, which has no Inf (the OCP specification's non-saturating mode); with `saturate` the largest finite value,
 * also for infinities (its saturating mode, and what torch 2.13 does for F8_E4M3). The default shows damage instead
 * of hiding it; `overflowed` says how often it happened in both. NaN stays NaN, quiet, with its sign.
 *
 * @param values not modified.
 * @param out `values.length` elements, at any byte offset; overwritten.
 * @throws RangeError if the lengths do not fit
 */
export function encodeFloats(
  dtype: FloatDtype,
  values: Float32Array,
  out: Uint8Array,
  options: { readonly saturate: boolean } = { saturate: false },
): EncodeCounts {
  checkLengths(dtype, out, values);
  const bits = bitsOfFloats(values);
  if (dtype === 'F64') {
    const view = viewOf(out);
    for (let i = 0; i < values.length; i++) view.setFloat64(8 * i, values[i] ?? 0, true);
    return { overflowed: 0, nan: countNans(bits) };
  }
  if (dtype === 'F32') {
    out.set(new Uint8Array(values.buffer, values.byteOffset, values.byteLength));
    return { overflowed: 0, nan: countNans(bits) };
  }
  return encodeNarrow(NARROW[dtype], bits, out, options.saturate);
}

function encodeNarrow(format: Narrow, bits: Uint32Array, out: Uint8Array, saturate: boolean): EncodeCounts {
  const { bytes, mantissaBits, bias, max, nan, payloadMask } = format;
  const beyond = saturate ? max : format.beyond;
  const keepsInf = !saturate && format.beyond !== nan;
  const shift = F32_MANTISSA_BITS - mantissaBits;
  /** Of the exponents: float32's less the format's, in place, so that subtracting it re-biases. */
  const rebias = (F32_BIAS - bias) << F32_MANTISSA_BITS;
  /** The smallest normal value, as float32 bits. */
  const normal = rebias + (1 << F32_MANTISSA_BITS);
  const half = (1 << (shift - 1)) - 1;
  const signShift = 8 * (4 - bytes);
  const signMask = bytes === 1 ? 0x80 : 0x8000;
  let overflowed = 0;
  let nans = 0;
  for (let i = 0; i < bits.length; i++) {
    const all = bits[i] ?? 0;
    const abs = all & 0x7fff_ffff;
    let code: number;
    if (abs > F32_INF) {
      code = nan | ((abs >>> shift) & payloadMask);
      nans++;
    } else {
      if (abs >= normal) code = (abs - rebias + half + ((abs >>> shift) & 1)) >>> shift;
      else code = roundSubnormal(abs, normal, shift);
      if (code > max) {
        code = beyond;
        if (abs !== F32_INF || !keepsInf) overflowed++;
      }
    }
    code |= (all >>> signShift) & signMask;
    if (bytes === 1) out[i] = code;
    else {
      out[2 * i] = code & 0xff;
      out[2 * i + 1] = code >>> 8;
    }
  }
  return { overflowed, nan: nans };
}

/** The code of a value below the smallest normal one: its significand in units of the smallest subnormal, rounded to even. */
function roundSubnormal(abs: number, normal: number, shift: number): number {
  const exponent = abs >>> F32_MANTISSA_BITS;
  // Below float32's own normal range the implicit bit is missing and the exponent is that of 1.
  const significand = exponent === 0 ? abs : (abs & 0x7f_ffff) | 0x80_0000;
  const drop = shift + (normal >>> F32_MANTISSA_BITS) - Math.max(exponent, 1);
  if (drop > F32_MANTISSA_BITS + 1) return 0;
  const kept = significand >>> drop;
  const rest = significand & ((1 << drop) - 1);
  const half = 1 << (drop - 1);
  return rest > half || (rest === half && (kept & 1) === 1) ? kept + 1 : kept;
}

function tableOf(dtype: Exclude<FloatDtype, 'F64' | 'F32'>): Uint32Array {
  const known = TABLES.get(dtype);
  if (known) return known;
  const format = NARROW[dtype];
  const table = Uint32Array.from({ length: 1 << (8 * format.bytes) }, (_, code) => widen(format, code));
  TABLES.set(dtype, table);
  return table;
}

/** The float32 bits of one code. */
function widen({ bytes, mantissaBits, bias, max, beyond, nan }: Narrow, code: number): number {
  const signBit = 1 << (8 * bytes - 1);
  const sign = (code & signBit) === 0 ? 0 : 0x8000_0000;
  const abs = code & (signBit - 1);
  const shift = F32_MANTISSA_BITS - mantissaBits;
  let bits: number;
  if (abs > max)
    bits = abs === beyond && beyond !== nan ? F32_INF : F32_INF | F32_QUIET | payloadOf(abs, shift);
  else if (abs >>> mantissaBits > 0) bits = (abs << shift) + ((F32_BIAS - bias) << F32_MANTISSA_BITS);
  else bits = bitsOfNumber(abs * 2 ** (1 - bias - mantissaBits));
  return (sign | bits) >>> 0;
}

function payloadOf(abs: number, shift: number): number {
  return (abs << shift) & 0x3f_ffff;
}

function bitsOfNumber(value: number): number {
  return new Uint32Array(Float32Array.of(value).buffer)[0] ?? 0;
}

function countNans(bits: Uint32Array): number {
  let nan = 0;
  for (let i = 0; i < bits.length; i++) if (((bits[i] ?? 0) & 0x7fff_ffff) > F32_INF) nan++;
  return nan;
}

/** The same memory, as bits: floats that pass through a number may lose a NaN's payload. */
function bitsOfFloats(values: Float32Array): Uint32Array {
  return new Uint32Array(values.buffer, values.byteOffset, values.length);
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function checkLengths(dtype: FloatDtype, bytes: Uint8Array, values: Float32Array): void {
  const expected = values.length * floatBytes(dtype);
  if (bytes.length !== expected)
    throw new RangeError(`expected ${expected} bytes of ${dtype}, got ${bytes.length}`);
}
