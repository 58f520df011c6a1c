/** Looks at raw floats without decoding them. */
import {
  BF16,
  E4M3,
  E5M2,
  F16,
  RAW_TAIL,
  SPECIAL_BF16,
  SPECIAL_E4M3,
  SPECIAL_E5M2,
  SPECIAL_F16,
  SPECIAL_F32,
  sumLanes,
} from './formats';

/** Vectors whose lanes' counts still fit a byte. */
const BLOCK: usize = 255;

/** What all codes of Inf and NaN have in common. */
// @ts-ignore: decorator
@inline
function specialOf<T>(scratch: usize): v128 {
  if (isFloat<T>()) return v128.load(scratch, SPECIAL_F32);
  if (sizeof<T>() == 2) return v128.load(scratch, isSigned<T>() ? SPECIAL_F16 : SPECIAL_BF16);
  return v128.load(scratch, isSigned<T>() ? SPECIAL_E4M3 : SPECIAL_E5M2);
}

/** Lanes with all bits of `special`, as -1. */
// @ts-ignore: decorator
@inline
function isSpecial<T>(codes: v128, special: v128): v128 {
  const common = v128.and(codes, special);
  if (isFloat<T>()) return i32x4.eq(common, special);
  return sizeof<T>() == 2 ? i16x8.eq(common, special) : i8x16.eq(common, special);
}

// @ts-ignore: decorator
@inline
function subtractLanes<T>(a: v128, b: v128): v128 {
  if (sizeof<T>() == 4) return i32x4.sub(a, b);
  return sizeof<T>() == 2 ? i16x8.sub(a, b) : i8x16.sub(a, b);
}

// @ts-ignore: decorator
@inline
function sumCounts<T>(counts: v128): u32 {
  if (sizeof<T>() == 4) return sumLanes(counts);
  const of16 = sizeof<T>() == 2 ? counts : i16x8.extadd_pairwise_i8x16_u(counts);
  return sumLanes(i32x4.extadd_pairwise_i16x8_u(of16));
}

// @ts-ignore: decorator
@inline
function countNotFinite<T>(scratch: usize, at: usize, count: usize): u32 {
  const bytes = count * sizeof<T>();
  const whole = bytes & ~(<usize>15);
  const end = at + whole;
  const special = specialOf<T>(scratch);
  let total: u32 = 0;
  while (at < end) {
    const stop = min(at + 16 * BLOCK, end);
    let counts = i32x4.splat(0);
    for (; at < stop; at += 16) counts = subtractLanes<T>(counts, isSpecial<T>(v128.load(at), special));
    total += sumCounts<T>(counts);
  }
  if (whole == bytes) return total;
  const raw = scratch + RAW_TAIL;
  v128.store(raw, i32x4.splat(0));
  memory.copy(raw, end, bytes - whole);
  return total + sumCounts<T>(subtractLanes<T>(i32x4.splat(0), isSpecial<T>(v128.load(raw), special)));
}

/** How many codes of a format are NaN or Inf. */
export function countNotFiniteF32(scratch: usize, at: usize, count: usize): u32 {
  return countNotFinite<f32>(scratch, at, count);
}
export function countNotFiniteF16(scratch: usize, at: usize, count: usize): u32 {
  return countNotFinite<F16>(scratch, at, count);
}
export function countNotFiniteBF16(scratch: usize, at: usize, count: usize): u32 {
  return countNotFinite<BF16>(scratch, at, count);
}
export function countNotFiniteF8_E4M3(scratch: usize, at: usize, count: usize): u32 {
  return countNotFinite<E4M3>(scratch, at, count);
}
export function countNotFiniteF8_E5M2(scratch: usize, at: usize, count: usize): u32 {
  return countNotFinite<E5M2>(scratch, at, count);
}

/** The largest magnitude among F16 codes, as a code. @param count a multiple of 8 */
export function largestF16(at: usize, count: usize): u32 {
  let largest = i32x4.splat(0);
  // Twice a code is its magnitude: the sign falls out.
  for (const end = at + 2 * count; at < end; at += 16) {
    const codes = v128.load(at);
    largest = i16x8.max_u(largest, i16x8.add(codes, codes));
  }
  let found: u32 = 0;
  for (let lane = 0; lane < 8; lane++) {
    found = max(found, <u32>i16x8.extract_lane_u(largest, 0) >> 1);
    largest = v128.shuffle<i16>(largest, largest, 1, 2, 3, 4, 5, 6, 7, 0);
  }
  return found;
}

/** How many of a sample of F16 codes, 8 of every 128, are subnormal. @param count a multiple of 8 */
export function sampleSubnormalsF16(at: usize, count: usize): u32 {
  let found: u32 = 0;
  for (const end = at + 2 * count; at < end; at += 256) {
    const codes = v128.load(at);
    // Twice a code is its magnitude; one less, and zero is the largest.
    const below = i16x8.sub(i16x8.add(codes, codes), i16x8.splat(1));
    found += popcnt<i32>(i16x8.bitmask(i16x8.lt_u(below, i16x8.splat(0x7ff))));
  }
  return found;
}
