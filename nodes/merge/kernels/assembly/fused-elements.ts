/** Reads and writes sixteen elements of the fused sums; four times those of F16 converted in integers. */
import {
  ABS,
  BELOW_HALF,
  EVEN_SHIFT,
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
import { demote, promote } from './half-instructions';

// Marks of how F16 is converted: `scale` says how in integers; native: as processors do.
export type Quick = f32;
export type Steady = f64;
export type Native = i32;

/**
 * Four times an F16 that lies in the places of a float32. Quick: a product, in which subnormals of F16 are
 * subnormal factors; those cost some processors so much that 1 in 100 halves the speed, and 1 in 10 leaves a
 * tenth. Steady: the exponent is put right in integers, which reads a subnormal as `c/2 + x/2`, c the
 * smallest normal value; twice that less c is x, and more than the value for all others. Inf and NaN become
 * numbers.
 *
 * The scale of the quick way could be in the weights, one product less for each input (8.0 instead of 6.9
 * GB/s); but then small differences, which those of related models are, are subnormal factors.
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
 * Eight codes of two vectors. F16: `convert.ts` says how it rounds; here the powers are made for all eight at
 * once, in 16 bits, and as the sums are four times too large, the exponents need no other bias. No value may
 * be beyond the range.
 */
// @ts-ignore: decorator
@inline
function pack<T>(even: v128, odd: v128, scratch: usize): v128 {
  if (!isSigned<T>())
    return interleave(i32x4.shr_u(roundToBfloat(even, scratch), 16), roundToBfloat(odd, scratch));
  const tops = interleave(i32x4.shr_u(even, 16), odd);
  const sign = v128.and(tops, v128.load(scratch, HALF_SIGN));
  const power = i16x8.max_s(
    v128.and(tops, v128.load(scratch, HALF_EXPONENT)),
    v128.load(scratch, HALF_LEAST),
  );
  const above = v128.or(i16x8.add(power, v128.load(scratch, HALF_STEP)), sign);
  const evenSum = f32x4.add(even, i32x4.shl(above, 16));
  const oddSum = f32x4.add(odd, v128.and(above, v128.load(scratch, HIGH)));
  const significands = interleave(evenSum, i32x4.shl(oddSum, 16));
  return v128.or(i16x8.add(significands, i16x8.shl(above, 3)), sign);
}

// @ts-ignore: decorator
@inline
function packNative(low: v128, upper: v128): v128 {
  return v128.shuffle<i64>(demote(low), demote(upper), 0, 2);
}

/**
 * Four of the sixteen elements at an address: in order, or the even ones of eight, then the odd ones.
 * The compiler makes one load of two equal ones.
 */
// @ts-ignore: decorator
@inline
export function quarterAt<T, Way>(at: usize, place: usize, scratch: usize): v128 {
  if (sizeof<T>() == 4) return v128.load(at + 16 * place);
  if (isInteger<Way>()) return promote(v128.load64_zero(at + 8 * place));
  const codes = v128.load(at + 16 * (place >> 1));
  return place & 1 ? oddOf<T, Way>(codes, scratch) : evenOf<T, Way>(codes, scratch);
}

/** Whether inputs show what is too large, since what F16 in integers makes of it does not. */
// @ts-ignore: decorator
@inline
function isSeenBefore<T, Way>(): bool {
  return sizeof<T>() == 2 && isSigned<T>() && isFloat<Way>();
}

/** Adds sixteen inputs to what was seen. */
// @ts-ignore: decorator
@inline
export function seeInputs<T, Way>(seen: v128, at: usize): v128 {
  if (!isSeenBefore<T, Way>()) return seen;
  return v128.or(v128.or(seen, v128.load(at)), v128.load(at, 16));
}

/** Stores sixteen sums, by quarters, and adds them to what was seen. */
// @ts-ignore: decorator
@inline
export function storeSums<T, Way>(
  to: usize,
  x0: v128,
  x1: v128,
  x2: v128,
  x3: v128,
  seen: v128,
  scratch: usize,
): v128 {
  if (sizeof<T>() == 4) {
    v128.store(to, x0);
    v128.store(to, x1, 16);
    v128.store(to, x2, 32);
    v128.store(to, x3, 48);
    return v128.or(seen, v128.or(v128.or(x0, x1), v128.or(x2, x3)));
  }
  const low = isInteger<Way>() ? packNative(x0, x1) : pack<T>(x0, x1, scratch);
  const upper = isInteger<Way>() ? packNative(x2, x3) : pack<T>(x2, x3, scratch);
  v128.store(to, low);
  v128.store(to, upper, 16);
  return isSeenBefore<T, Way>() ? seen : v128.or(v128.or(seen, low), upper);
}

/** Whether an element of those seen is 2 or more, or not finite. */
// @ts-ignore: decorator
@inline
export function hasLarge<T>(seen: v128): bool {
  if (sizeof<T>() == 4) return i32x4.bitmask(i32x4.shl(seen, 1)) != 0;
  return i16x8.bitmask(i16x8.shl(seen, 1)) != 0;
}
