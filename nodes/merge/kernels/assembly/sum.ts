/** Weighted sums, in the order of their terms, each operation rounded to float32. */
import { ROW_BYTES, TABLE } from '../layout';
import {
  ABS,
  BELOW_HALF,
  BF16,
  EVEN_SHIFT,
  F16,
  HALF_EXPONENT,
  HALF_FOURFOLD,
  HALF_KEEP,
  HALF_LEAST,
  HALF_OFFSET,
  HALF_SIGN,
  HALF_SMALLEST,
  HALF_STEP,
  HIGH,
  ONE,
} from './formats';
import { addTerm, hasLarge } from './sum-terms';

// Marks of how F16 is decoded.
type Quick = f32;
type Steady = f64;

/**
 * Four times an F16 that lies in the places of a float32. Quick: a product, in which subnormals of F16 are subnormal
 * factors; those cost some processors so much that 1 in 100 halves the speed, and 1 in 10 leaves a tenth. Steady: the
 * exponent is put right in integers, which reads a subnormal as `c/2 + x/2`, c the smallest normal value; twice that
 * less c is x, and more than the value for all others. Inf and NaN become numbers.
 *
 * The scale of the quick way could be in the weights, one product less for each input (8.0 instead of 6.9 GB/s); but
 * then small differences, which those of related models are, are subnormal factors.
 */
// @ts-ignore: decorator
@inline
function scale<Way>(placed: v128, scratch: usize): v128 {
  if (sizeof<Way>() == 4) return f32x4.mul(placed, v128.load(scratch, HALF_FOURFOLD));
  const abs = v128.load(scratch, ABS);
  const based = i32x4.add(v128.and(placed, abs), v128.load(scratch, HALF_OFFSET));
  const twice = f32x4.sub(f32x4.add(based, based), v128.load(scratch, HALF_SMALLEST));
  return v128.or(i32x4.min_s(based, twice), v128.andnot(placed, abs));
}

/** Elements 0, 2, 4, 6 of eight, as float32; four times those of F16. */
// @ts-ignore: decorator
@inline
function evenOf<T, Way>(codes: v128, scratch: usize): v128 {
  if (!isSigned<T>()) return i32x4.shl(codes, 16);
  const shifted = i32x4.dot_i16x8_s(codes, v128.load(scratch, EVEN_SHIFT));
  return scale<Way>(v128.and(shifted, v128.load(scratch, HALF_KEEP)), scratch);
}

/** Elements 1, 3, 5, 7. */
// @ts-ignore: decorator
@inline
function oddOf<T, Way>(codes: v128, scratch: usize): v128 {
  if (!isSigned<T>()) return v128.and(codes, v128.load(scratch, HIGH));
  return scale<Way>(v128.and(i32x4.shr_s(codes, 3), v128.load(scratch, HALF_KEEP)), scratch);
}

/** The lower halves of the lanes of `even`, the upper ones of `odd`. */
// @ts-ignore: decorator
@inline
function interleave(even: v128, odd: v128): v128 {
  return v128.shuffle<i16>(even, odd, 0, 9, 2, 11, 4, 13, 6, 15);
}

// @ts-ignore: decorator
@inline
function roundToBfloat(x: v128, scratch: usize): v128 {
  const odd = v128.and(i32x4.shr_u(x, 16), v128.load(scratch, ONE));
  return i32x4.add(i32x4.add(x, v128.load(scratch, BELOW_HALF)), odd);
}

/**
 * Eight codes of two vectors. F16: `convert.ts` says how it rounds; here the powers are made for all eight at once,
 * in 16 bits, and as the sums are four times too large, the exponents need no other bias. No value may be beyond
 * the range.
 */
// @ts-ignore: decorator
@inline
function pack<T>(even: v128, odd: v128, scratch: usize): v128 {
  if (!isSigned<T>())
    return interleave(i32x4.shr_u(roundToBfloat(even, scratch), 16), roundToBfloat(odd, scratch));
  const tops = interleave(i32x4.shr_u(even, 16), odd);
  const sign = v128.and(tops, v128.load(scratch, HALF_SIGN));
  const power = i16x8.max_s(v128.and(tops, v128.load(scratch, HALF_EXPONENT)), v128.load(scratch, HALF_LEAST));
  const above = v128.or(i16x8.add(power, v128.load(scratch, HALF_STEP)), sign);
  const evenSum = f32x4.add(even, i32x4.shl(above, 16));
  const oddSum = f32x4.add(odd, v128.and(above, v128.load(scratch, HIGH)));
  const significands = interleave(evenSum, i32x4.shl(oddSum, 16));
  return v128.or(i16x8.add(significands, i16x8.shl(above, 3)), sign);
}

/**
 * `w0 * a0 + w1 * (a1 - a0) + w2 * (a2 - a0) ...` over the rows of the table, 16 elements at a time. A turned row has
 * `a0 - a1`, which is not the same with a negative weight: zeros get other signs.
 * An own loop for two inputs was no faster (F16 6.5 against 6.3 GB/s).
 *
 * @param end of the rows
 * @returns whether an input (F16) or a result (BF16) may be too large for this kernel
 */
// @ts-ignore: decorator
@inline
function sumAround<T, Way>(scratch: usize, end: usize, out: usize, count: usize): bool {
  const table = scratch + TABLE;
  const first = <usize>load<u32>(table);
  const firstWeight = v128.load_splat<f32>(table, 4);
  let seen = i32x4.splat(0);
  const bytes: usize = count << 1;
  for (let i: usize = 0; i < bytes; i += 32) {
    const low = v128.load(first + i);
    const upper = v128.load(first + i, 16);
    if (isSigned<T>()) seen = v128.or(v128.or(seen, low), upper);
    const a0 = evenOf<T, Way>(low, scratch);
    const a1 = oddOf<T, Way>(low, scratch);
    const a2 = evenOf<T, Way>(upper, scratch);
    const a3 = oddOf<T, Way>(upper, scratch);
    let x0 = f32x4.mul(a0, firstWeight);
    let x1 = f32x4.mul(a1, firstWeight);
    let x2 = f32x4.mul(a2, firstWeight);
    let x3 = f32x4.mul(a3, firstWeight);
    let row = table + ROW_BYTES;
    while (row < end) {
      const at = <usize>load<u32>(row) + i;
      const weight = v128.load_splat<f32>(row, 4);
      const b = v128.load(at);
      const c = v128.load(at, 16);
      if (isSigned<T>()) seen = v128.or(v128.or(seen, b), c);
      const b0 = evenOf<T, Way>(b, scratch);
      const b1 = oddOf<T, Way>(b, scratch);
      const b2 = evenOf<T, Way>(c, scratch);
      const b3 = oddOf<T, Way>(c, scratch);
      if (load<u32>(row, 8)) {
        x0 = addTerm(x0, a0, b0, weight);
        x1 = addTerm(x1, a1, b1, weight);
        x2 = addTerm(x2, a2, b2, weight);
        x3 = addTerm(x3, a3, b3, weight);
      } else {
        x0 = addTerm(x0, b0, a0, weight);
        x1 = addTerm(x1, b1, a1, weight);
        x2 = addTerm(x2, b2, a2, weight);
        x3 = addTerm(x3, b3, a3, weight);
      }
      row += ROW_BYTES;
    }
    const y0 = pack<T>(x0, x1, scratch);
    const y1 = pack<T>(x2, x3, scratch);
    if (!isSigned<T>()) seen = v128.or(v128.or(seen, y0), y1);
    v128.store(out + i, y0);
    v128.store(out + i, y1, 16);
  }
  return hasLarge(seen);
}

/** As above, of each format. @param count a multiple of 16 */
export function sumAroundF16(scratch: usize, end: usize, out: usize, count: usize): bool {
  return sumAround<F16, Quick>(scratch, end, out, count);
}
export function sumAroundSteadyF16(scratch: usize, end: usize, out: usize, count: usize): bool {
  return sumAround<F16, Steady>(scratch, end, out, count);
}
export function sumAroundBF16(scratch: usize, end: usize, out: usize, count: usize): bool {
  return sumAround<BF16, Quick>(scratch, end, out, count);
}

export function sumAroundF32(scratch: usize, end: usize, out: usize, count: usize): bool {
  const table = scratch + TABLE;
  const first = <usize>load<u32>(table);
  const firstWeight = v128.load_splat<f32>(table, 4);
  let seen = i32x4.splat(0);
  const bytes: usize = count << 2;
  for (let i: usize = 0; i < bytes; i += 64) {
    const a0 = v128.load(first + i);
    const a1 = v128.load(first + i, 16);
    const a2 = v128.load(first + i, 32);
    const a3 = v128.load(first + i, 48);
    let x0 = f32x4.mul(a0, firstWeight);
    let x1 = f32x4.mul(a1, firstWeight);
    let x2 = f32x4.mul(a2, firstWeight);
    let x3 = f32x4.mul(a3, firstWeight);
    let row = table + ROW_BYTES;
    while (row < end) {
      const at = <usize>load<u32>(row) + i;
      const weight = v128.load_splat<f32>(row, 4);
      const b0 = v128.load(at);
      const b1 = v128.load(at, 16);
      const b2 = v128.load(at, 32);
      const b3 = v128.load(at, 48);
      if (load<u32>(row, 8)) {
        x0 = addTerm(x0, a0, b0, weight);
        x1 = addTerm(x1, a1, b1, weight);
        x2 = addTerm(x2, a2, b2, weight);
        x3 = addTerm(x3, a3, b3, weight);
      } else {
        x0 = addTerm(x0, b0, a0, weight);
        x1 = addTerm(x1, b1, a1, weight);
        x2 = addTerm(x2, b2, a2, weight);
        x3 = addTerm(x3, b3, a3, weight);
      }
      row += ROW_BYTES;
    }
    seen = v128.or(seen, v128.or(v128.or(x0, x1), v128.or(x2, x3)));
    v128.store(out + i, x0);
    v128.store(out + i, x1, 16);
    v128.store(out + i, x2, 32);
    v128.store(out + i, x3, 48);
  }
  return i32x4.bitmask(i32x4.shl(seen, 1)) != 0;
}

/** `w0 * a + w1 * (b - c)`: the rows are a, b, c, the weights w0, w1, none. Otherwise as `sumAround`. */
// @ts-ignore: decorator
@inline
function sumDifference<T, Way>(scratch: usize, out: usize, count: usize): bool {
  const table = scratch + TABLE;
  const first = <usize>load<u32>(table);
  const firstWeight = v128.load_splat<f32>(table, 4);
  const plus = <usize>load<u32>(table, ROW_BYTES);
  const weight = v128.load_splat<f32>(table, ROW_BYTES + 4);
  const minus = <usize>load<u32>(table, 2 * ROW_BYTES);
  let seen = i32x4.splat(0);
  const bytes: usize = count << 1;
  for (let i: usize = 0; i < bytes; i += 16) {
    const a = v128.load(first + i);
    const b = v128.load(plus + i);
    const c = v128.load(minus + i);
    if (isSigned<T>()) seen = v128.or(v128.or(seen, a), v128.or(b, c));
    const x0 = f32x4.mul(evenOf<T, Way>(a, scratch), firstWeight);
    const x1 = f32x4.mul(oddOf<T, Way>(a, scratch), firstWeight);
    const y0 = addTerm(x0, evenOf<T, Way>(b, scratch), evenOf<T, Way>(c, scratch), weight);
    const y1 = addTerm(x1, oddOf<T, Way>(b, scratch), oddOf<T, Way>(c, scratch), weight);
    const codes = pack<T>(y0, y1, scratch);
    if (!isSigned<T>()) seen = v128.or(seen, codes);
    v128.store(out + i, codes);
  }
  return hasLarge(seen);
}

/** As above, of each format. @param count a multiple of 8 */
export function sumDifferenceF16(scratch: usize, out: usize, count: usize): bool {
  return sumDifference<F16, Quick>(scratch, out, count);
}
export function sumDifferenceSteadyF16(scratch: usize, out: usize, count: usize): bool {
  return sumDifference<F16, Steady>(scratch, out, count);
}
export function sumDifferenceBF16(scratch: usize, out: usize, count: usize): bool {
  return sumDifference<BF16, Quick>(scratch, out, count);
}

export function sumDifferenceF32(scratch: usize, out: usize, count: usize): bool {
  const table = scratch + TABLE;
  const first = <usize>load<u32>(table);
  const firstWeight = v128.load_splat<f32>(table, 4);
  const plus = <usize>load<u32>(table, ROW_BYTES);
  const weight = v128.load_splat<f32>(table, ROW_BYTES + 4);
  const minus = <usize>load<u32>(table, 2 * ROW_BYTES);
  let seen = i32x4.splat(0);
  const bytes: usize = count << 2;
  for (let i: usize = 0; i < bytes; i += 16) {
    const a = f32x4.mul(v128.load(first + i), firstWeight);
    const x = addTerm(a, v128.load(plus + i), v128.load(minus + i), weight);
    seen = v128.or(seen, x);
    v128.store(out + i, x);
  }
  return i32x4.bitmask(i32x4.shl(seen, 1)) != 0;
}

/** `sum += weight * (plus - minus)`, float32, any count. A minuend alone has zeros beside it: x - 0 is x. */
export function addTermF32(plus: usize, minus: usize, weight: f32, sum: usize, count: usize): void {
  const weights = f32x4.splat(weight);
  const whole = count & ~(<usize>3);
  for (let i: usize = 0; i < whole << 2; i += 16)
    v128.store(sum + i, addTerm(v128.load(sum + i), v128.load(plus + i), v128.load(minus + i), weights));
  for (let i: usize = whole << 2; i < count << 2; i += 4)
    store<f32>(sum + i, load<f32>(sum + i) + (load<f32>(plus + i) - load<f32>(minus + i)) * weight);
}

/** Negative zeros, which change nothing that is added to them. @param count a multiple of 4 */
export function clearSum(sum: usize, count: usize): void {
  for (const end = sum + (count << 2); sum < end; sum += 16) v128.store(sum, i32x4.splat(0x80000000));
}
