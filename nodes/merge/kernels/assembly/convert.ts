/** Model floats to and from float32, any byte alignment, any count. */
import { COUNTS } from '../layout';
import {
  ABS,
  BELOW_HALF,
  BEYOND,
  BF16,
  E4M3,
  E5M2,
  EXPONENT,
  F16,
  FLOAT_TAIL,
  formatAt,
  HALF_KEEP,
  HALF_SCALE,
  HALF_SPECIAL,
  IMPLICIT_BIT,
  LARGEST,
  LEAST,
  LIMIT,
  NAN,
  NAN_E4M3,
  ONE,
  QUIET_NAN,
  RAW_TAIL,
  REBASE_E4M3,
  REBIAS,
  SIGN,
  STEP,
  sumLanes,
  UNIT,
} from './formats';

const GROUP: usize = 8;

/** Four codes, each at the top of its lane. */
// @ts-ignore: decorator
@inline
function loadCodes<T>(at: usize): v128 {
  if (sizeof<T>() == 2) return i32x4.shl(v128.load16x4_u(at), 16);
  return i32x4.shl(i32x4.extend_low_i16x8_u(i16x8.extend_low_i8x16_u(v128.load32_zero(at))), 24);
}

/**
 * F16, F8_E5M2: sign, exponent and mantissa go to their places in a float32, and a product with a power of
 * two puts the exponent right. Exact, for subnormals too; NaNs come out quiet.
 */
// @ts-ignore: decorator
@inline
function widenByProduct(codes: v128, scratch: usize): v128 {
  const placed = v128.and(i32x4.shr_s(codes, 3), v128.load(scratch, HALF_KEEP));
  const special = v128.load(scratch, HALF_SPECIAL);
  const isSpecial = i32x4.eq(v128.and(placed, special), special);
  const whole = v128.or(placed, v128.and(isSpecial, v128.load(scratch, EXPONENT)));
  return f32x4.mul(whole, v128.load(scratch, HALF_SCALE));
}

/**
 * F8_E4M3, where many weights are subnormal: by way of float32's subnormals, which cost processors a hundred
 * cycles, 0.3 GB/s; this way 2.2 (F16: 4.5, by a product 8.9). A subnormal is read as the mantissa of the
 * smallest normal value, which is then taken away.
 */
// @ts-ignore: decorator
@inline
function widenByDifference(codes: v128, scratch: usize): v128 {
  const format = formatAt<E4M3>(scratch);
  const placed = i32x4.shr_u(v128.and(codes, v128.load(scratch, ABS)), 4);
  const smallest = v128.load(format, LEAST);
  const isSubnormal = i32x4.lt_s(placed, v128.load(scratch, IMPLICIT_BIT));
  const isNan = i32x4.eq(placed, v128.load(scratch, NAN_E4M3));
  const based = i32x4.add(placed, v128.bitselect(smallest, v128.load(scratch, REBASE_E4M3), isSubnormal));
  const whole = v128.or(based, v128.and(isNan, v128.load(scratch, QUIET_NAN)));
  return v128.or(
    f32x4.sub(whole, v128.and(isSubnormal, smallest)),
    v128.andnot(codes, v128.load(scratch, ABS)),
  );
}

// @ts-ignore: decorator
@inline
function widen<T>(codes: v128, scratch: usize): v128 {
  // The product makes NaNs quiet.
  if (sizeof<T>() == 2 && !isSigned<T>()) return f32x4.mul(codes, v128.load(scratch, UNIT));
  const isE4M3 = sizeof<T>() == 1 && isSigned<T>();
  return isE4M3 ? widenByDifference(codes, scratch) : widenByProduct(codes, scratch);
}

// @ts-ignore: decorator
@inline
function decodeGroups<T>(scratch: usize, from: usize, to: usize, count: usize): void {
  const end = to + 4 * count;
  while (to < end) {
    v128.store(to, widen<T>(loadCodes<T>(from), scratch));
    v128.store(to, widen<T>(loadCodes<T>(from + 4 * sizeof<T>()), scratch), 16);
    from += GROUP * sizeof<T>();
    to += 4 * GROUP;
  }
}

// @ts-ignore: decorator
@inline
function decode<T>(scratch: usize, from: usize, to: usize, count: usize): void {
  const whole = count & ~(GROUP - 1);
  const rest = count - whole;
  decodeGroups<T>(scratch, from, to, whole);
  if (!rest) return;
  const raw = scratch + RAW_TAIL;
  const floats = scratch + FLOAT_TAIL;
  memory.copy(raw, from + whole * sizeof<T>(), rest * sizeof<T>());
  decodeGroups<T>(scratch, raw, floats, GROUP);
  memory.copy(to + 4 * whole, floats, 4 * rest);
}

/** Codes of a format at `from` to float32 at `to`: what `decodeFloats` does. */
export function decodeF16(scratch: usize, from: usize, to: usize, count: usize): void {
  decode<F16>(scratch, from, to, count);
}
export function decodeBF16(scratch: usize, from: usize, to: usize, count: usize): void {
  decode<BF16>(scratch, from, to, count);
}
export function decodeF8_E4M3(scratch: usize, from: usize, to: usize, count: usize): void {
  decode<E4M3>(scratch, from, to, count);
}
export function decodeF8_E5M2(scratch: usize, from: usize, to: usize, count: usize): void {
  decode<E5M2>(scratch, from, to, count);
}
export function decodeF32(_: usize, from: usize, to: usize, count: usize): void {
  memory.copy(to, from, 4 * count);
}

/**
 * Magnitudes to codes. The processor does the rounding: in a sum with a power of two that is as many bits
 * above the value as the format's mantissa is short, only the format's bits fit. Below the smallest normal
 * value the power stays, which makes subnormals.
 */
// @ts-ignore: decorator
@inline
function narrow<T>(abs: v128, scratch: usize, format: usize): v128 {
  if (sizeof<T>() == 2 && !isSigned<T>()) {
    const odd = v128.and(i32x4.shr_u(abs, 16), v128.load(scratch, ONE));
    return i32x4.shr_u(i32x4.add(i32x4.add(abs, v128.load(scratch, BELOW_HALF)), odd), 16);
  }
  const bounded = i32x4.min_s(abs, v128.load(format, LIMIT));
  const power = i32x4.max_s(v128.and(bounded, v128.load(scratch, EXPONENT)), v128.load(format, LEAST));
  const above = i32x4.add(power, v128.load(format, STEP));
  const significand = i32x4.sub(f32x4.add(bounded, above), above);
  const drop = sizeof<T>() == 2 ? 13 : isSigned<T>() ? 20 : 21;
  return i32x4.add(significand, i32x4.sub(i32x4.shr_u(power, drop), v128.load(format, REBIAS)));
}

// @ts-ignore: decorator
@inline
function encodeVectors<T>(scratch: usize, from: usize, to: usize, count: usize): void {
  const format = formatAt<T>(scratch);
  const isE4M3 = sizeof<T>() == 1 && isSigned<T>();
  let overflowed = i32x4.splat(0);
  let nans = i32x4.splat(0);
  const end = from + 4 * count;
  while (from < end) {
    const x = v128.load(from);
    const abs = v128.and(x, v128.load(scratch, ABS));
    const isNan = i32x4.gt_s(abs, v128.load(scratch, EXPONENT));
    const code = narrow<T>(abs, scratch, format);
    const isBeyond = v128.andnot(i32x4.gt_s(code, v128.load(format, LARGEST)), isNan);
    // An infinity that stays one is no loss.
    const isKept = isE4M3 ? i32x4.splat(0) : i32x4.eq(abs, v128.load(scratch, EXPONENT));
    overflowed = i32x4.sub(overflowed, v128.andnot(isBeyond, isKept));
    nans = i32x4.sub(nans, isNan);
    const sign = v128.and(i32x4.shr_u(x, 32 - 8 * sizeof<T>()), v128.load(format, SIGN));
    const number = v128.or(v128.bitselect(v128.load(format, BEYOND), code, isBeyond), sign);
    const chosen = v128.bitselect(v128.load(format, NAN), number, isNan);
    const codes = i16x8.narrow_i32x4_u(chosen, chosen);
    if (sizeof<T>() == 2) v128.store64_lane(to, codes, 0);
    else v128.store32_lane(to, i8x16.narrow_i16x8_u(codes, codes), 0);
    from += 16;
    to += 4 * sizeof<T>();
  }
  addCounts(scratch, overflowed, nans);
}

// @ts-ignore: decorator
@inline
function encode<T>(scratch: usize, from: usize, to: usize, count: usize): void {
  clearCounts(scratch);
  const whole = count & ~(<usize>3);
  const rest = count - whole;
  encodeVectors<T>(scratch, from, to, whole);
  if (!rest) return;
  const raw = scratch + RAW_TAIL;
  const floats = scratch + FLOAT_TAIL;
  v128.store(floats, i32x4.splat(0));
  memory.copy(floats, from + 4 * whole, 4 * rest);
  encodeVectors<T>(scratch, floats, raw, 4);
  memory.copy(to + whole * sizeof<T>(), raw, rest * sizeof<T>());
}

// @ts-ignore: decorator
@inline
function clearCounts(scratch: usize): void {
  store<u64>(scratch, 0, COUNTS);
}

// @ts-ignore: decorator
@inline
function addCounts(scratch: usize, overflowed: v128, nans: v128): void {
  store<u32>(scratch, load<u32>(scratch, COUNTS) + sumLanes(overflowed), COUNTS);
  store<u32>(scratch, load<u32>(scratch, COUNTS + 4) + sumLanes(nans), COUNTS + 4);
}

/**
 * Float32 at `from` to codes of a format at `to`: what `encodeFloats` does. The counts are left in scratch
 * memory.
 */
export function encodeF16(scratch: usize, from: usize, to: usize, count: usize): void {
  encode<F16>(scratch, from, to, count);
}
export function encodeBF16(scratch: usize, from: usize, to: usize, count: usize): void {
  encode<BF16>(scratch, from, to, count);
}
export function encodeF8_E4M3(scratch: usize, from: usize, to: usize, count: usize): void {
  encode<E4M3>(scratch, from, to, count);
}
export function encodeF8_E5M2(scratch: usize, from: usize, to: usize, count: usize): void {
  encode<E5M2>(scratch, from, to, count);
}

/** Copies, and gives every NaN the same bits: those that arithmetic makes differ between processors. */
export function encodeF32(scratch: usize, from: usize, to: usize, count: usize): void {
  clearCounts(scratch);
  const whole = count & ~(<usize>3);
  let nans = i32x4.splat(0);
  for (let i: usize = 0; i < whole; i += 4) {
    const x = v128.load(from + 4 * i);
    const isNan = f32x4.ne(x, x);
    nans = i32x4.sub(nans, isNan);
    v128.store(to + 4 * i, v128.bitselect(v128.load(scratch, QUIET_NAN), x, isNan));
  }
  addCounts(scratch, i32x4.splat(0), nans);
  for (let i = whole; i < count; i++) {
    const x = load<u32>(from + 4 * i);
    const isNan: u32 = (x & 0x7fffffff) > 0x7f800000 ? 1 : 0;
    store<u32>(scratch, load<u32>(scratch, COUNTS + 4) + isNan, COUNTS + 4);
    store<u32>(to + 4 * i, isNan ? 0x7fc00000 : x);
  }
}
