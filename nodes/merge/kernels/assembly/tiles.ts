/** What methods on differences do with float32 tiles: `plain-arithmetic.ts` defines each of these. */
import { SPARSE_ROW_BYTES, TABLE } from '../layout';
import { UNIT } from './formats';

const MAGNITUDE: u32 = 0x7fffffff;
/** No magnitude. */
const NEVER: i32 = -1;

/** The differences of two runs of float32. */
export function subtractF32(plus: usize, minus: usize, to: usize, count: usize): void {
  const bytes: usize = count << 2;
  const whole: usize = bytes & ~(<usize>15);
  for (let i: usize = 0; i < whole; i += 16)
    v128.store(to + i, f32x4.sub(v128.load(plus + i), v128.load(minus + i)));
  for (let i = whole; i < bytes; i += 4) store<f32>(to + i, load<f32>(plus + i) - load<f32>(minus + i));
}

/** How many elements there are before the first zero. */
export function findZeroF32(at: usize, count: usize): usize {
  const end = at + (count << 2);
  const whole = at + ((count & ~(<usize>3)) << 2);
  const zero = f32x4.splat(0);
  let place = at;
  while (place < whole && !v128.any_true(f32x4.eq(v128.load(place), zero))) place += 16;
  while (place < end && load<f32>(place) != 0) place += 4;
  return (place - at) >> 2;
}

// @ts-ignore: decorator
@inline
function increment(counts: usize, bin: u32): void {
  const at = counts + ((<usize>bin) << 2);
  store<u32>(at, load<u32>(at) + 1);
}

// @ts-ignore: decorator
@inline
function countOne(at: usize, shift: u32, width: u32, prefix: u32, counts: usize): void {
  const bits = load<u32>(at) & MAGNITUDE;
  if (bits >> (shift + width) == prefix) increment(counts, (bits >> shift) & ((1 << width) - 1));
}

/**
 * Counts magnitudes by `width` bits from `shift` on: those whose bits above are the prefix.
 *
 * @param counts u32 for each of the bins
 */
export function countLevelF32(
  values: usize,
  count: usize,
  shift: u32,
  width: u32,
  prefix: u32,
  counts: usize,
): void {
  const end = values + (count << 2);
  const whole = values + ((count & ~(<usize>3)) << 2);
  const magnitude = i32x4.splat(MAGNITUDE);
  let at = values;
  if (shift + width == 31) {
    for (; at < whole; at += 16) {
      const bins = i32x4.shr_u(v128.and(v128.load(at), magnitude), shift);
      increment(counts, i32x4.extract_lane(bins, 0));
      increment(counts, i32x4.extract_lane(bins, 1));
      increment(counts, i32x4.extract_lane(bins, 2));
      increment(counts, i32x4.extract_lane(bins, 3));
    }
  } else {
    // Below the first level few are of the prefix.
    const above = i32x4.splat(prefix);
    const drop = shift + width;
    for (; at < whole; at += 16) {
      const bits = v128.and(v128.load(at), magnitude);
      if (!v128.any_true(i32x4.eq(i32x4.shr_u(bits, drop), above))) continue;
      for (let lane: usize = 0; lane < 16; lane += 4) countOne(at + lane, shift, width, prefix, counts);
    }
  }
  for (; at < end; at += 4) countOne(at, shift, width, prefix, counts);
}

/** How many of its ties a cut still keeps: the first number of its two in the table. */
// @ts-ignore: decorator
@inline
function levelOf(threshold: i32, left: f64): i32 {
  return threshold - (left > 0 ? 1 : 0);
}

/** A threshold that must be looked for since ties are counted; else one that nothing equals. */
// @ts-ignore: decorator
@inline
function watchOf(threshold: i32, left: f64): i32 {
  return left > 0 && left < Infinity ? threshold : NEVER;
}

/**
 * The differences above the inner cut and not above the outer one; zero elsewhere. Ties that are left are
 * counted in the table: f64 of the inner cut, f64 of the outer one.
 */
export function keepBandF32(
  scratch: usize,
  plus: usize,
  minus: usize,
  to: usize,
  count: usize,
  inner: i32,
  outer: i32,
): void {
  const table = scratch + TABLE;
  const bytes: usize = count << 2;
  const whole: usize = bytes & ~(<usize>15);
  const magnitude = i32x4.splat(MAGNITUDE);
  let innerLeft = load<f64>(table);
  let outerLeft = load<f64>(table, 8);
  let low = levelOf(inner, innerLeft);
  let high = levelOf(outer, outerLeft);
  let innerTie = i32x4.splat(watchOf(inner, innerLeft));
  let outerTie = i32x4.splat(watchOf(outer, outerLeft));
  for (let i: usize = 0; i < bytes; ) {
    for (; i < whole; i += 16) {
      const delta = f32x4.sub(v128.load(plus + i), v128.load(minus + i));
      const size = v128.and(delta, magnitude);
      if (v128.any_true(v128.or(i32x4.eq(size, innerTie), i32x4.eq(size, outerTie)))) break;
      const isKept = v128.andnot(i32x4.gt_s(size, i32x4.splat(low)), i32x4.gt_s(size, i32x4.splat(high)));
      v128.store(to + i, v128.and(delta, isKept));
    }
    // Those with a tie among them, and the last ones, one by one.
    for (const stop = min(i + 16, bytes); i < stop; i += 4) {
      const delta = load<f32>(plus + i) - load<f32>(minus + i);
      const size = <i32>(reinterpret<u32>(delta) & MAGNITUDE);
      store<f32>(to + i, size > low && size <= high ? delta : 0);
      if (size == inner) innerLeft = max<f64>(0, innerLeft - 1);
      if (size == outer) outerLeft = max<f64>(0, outerLeft - 1);
      low = levelOf(inner, innerLeft);
      high = levelOf(outer, outerLeft);
    }
    innerTie = i32x4.splat(watchOf(inner, innerLeft));
    outerTie = i32x4.splat(watchOf(outer, outerLeft));
  }
  store<f64>(table, innerLeft);
  store<f64>(table, outerLeft, 8);
}

// Rows of sparse differences: address u32, four bytes of nothing, then f64 each.
const SCALE: usize = 8;
const WEIGHT: usize = 16;
const VOTE: usize = 24;
const VOICE: usize = 32;
const SHARE: usize = 40;

// @ts-ignore: decorator
@inline
function loadPair(at: usize): v128 {
  return f64x2.promote_low_f32x4(v128.load64_zero(at));
}

// @ts-ignore: decorator
@inline
function storePair(to: usize, pair: v128): void {
  v128.store64_lane(to, f32x4.demote_f64x2_zero(pair), 0);
}

/** The scaled differences of a row at an element's place. */
// @ts-ignore: decorator
@inline
function valuesOf(row: usize, i: usize): v128 {
  return f64x2.mul(v128.load_splat<f64>(row, SCALE), loadPair(<usize>load<u32>(row) + i));
}

/** The sign of each vote; a NaN stays one. */
// @ts-ignore: decorator
@inline
function signsOf(votes: v128): v128 {
  const zero = f64x2.splat(0);
  const one = f64x2.splat(1);
  const above = v128.and(f64x2.gt(votes, zero), one);
  const signs = f64x2.sub(above, v128.and(f64x2.lt(votes, zero), one));
  return v128.bitselect(signs, votes, f64x2.eq(votes, votes));
}

/** The sign that the votes elect: 1, -1, or that of a draw. */
// @ts-ignore: decorator
@inline
function electedBy(votes: v128, draws: v128, one: v128): v128 {
  const zero = f64x2.splat(0);
  const isPositive = f64x2.gt(votes, zero);
  const isNegative = f64x2.lt(votes, zero);
  const isDraw = v128.andnot(draws, v128.or(isPositive, isNegative));
  return v128.or(isDraw, f64x2.sub(v128.and(isPositive, one), v128.and(isNegative, one)));
}

/** Where the sign of a difference, turned by its model's voice, is the elected one. */
// @ts-ignore: decorator
@inline
function agreesWith(elected: v128, values: v128, voice: v128): v128 {
  return f64x2.gt(f64x2.mul(values, f64x2.mul(elected, voice)), f64x2.splat(0));
}

/** Writes base + λ · sum / divisor. */
// @ts-ignore: decorator
@inline
function storeMeans(
  out: usize,
  base: usize,
  sums: v128,
  divisors: v128,
  lambdas: v128,
  one: v128,
  above: v128,
  below: v128,
): void {
  const isNone = v128.and(f64x2.gt(divisors, above), f64x2.lt(divisors, below));
  const divisor = v128.bitselect(one, divisors, isNone);
  storePair(out, f64x2.add(loadPair(base), f64x2.div(f64x2.mul(lambdas, sums), divisor)));
}

/**
 * base + λ · sum / divisor, of the rows that agree with the sign that was elected, in float64 with one
 * rounding. A row whose voice is 0 agrees with none.
 *
 * @param end of the rows
 * @param count a multiple of 4
 * @param isCounted whether signs are counted, and not magnitudes
 * @param draw the sign of a draw; 0: none
 * @param smallest divisors nearer to zero are taken for 1
 */
export function mergeElectedF32(
  scratch: usize,
  end: usize,
  base: usize,
  out: usize,
  count: usize,
  isCounted: bool,
  draw: f64,
  lambda: f64,
  smallest: f64,
): void {
  const table = scratch + TABLE;
  const bytes: usize = count << 2;
  const zero = f64x2.splat(0);
  const draws = f64x2.splat(draw);
  const lambdas = f64x2.splat(lambda);
  const above = f64x2.splat(-smallest);
  const below = f64x2.splat(smallest);
  // Loaded, to stay in a register.
  const one = f64x2.promote_low_f32x4(v128.load(scratch, UNIT));
  for (let i: usize = 0; i < bytes; i += 16) {
    let votes0 = zero;
    let votes1 = zero;
    // Two loops: of a condition within one, both sides would be computed.
    if (isCounted) {
      for (let row = table; row < end; row += SPARSE_ROW_BYTES) {
        const weight = v128.load_splat<f64>(row, VOTE);
        votes0 = f64x2.add(votes0, signsOf(f64x2.mul(weight, valuesOf(row, i))));
        votes1 = f64x2.add(votes1, signsOf(f64x2.mul(weight, valuesOf(row, i + 8))));
      }
    } else {
      for (let row = table; row < end; row += SPARSE_ROW_BYTES) {
        const weight = v128.load_splat<f64>(row, VOTE);
        votes0 = f64x2.add(votes0, f64x2.mul(weight, valuesOf(row, i)));
        votes1 = f64x2.add(votes1, f64x2.mul(weight, valuesOf(row, i + 8)));
      }
    }
    const elected0 = electedBy(votes0, draws, one);
    const elected1 = electedBy(votes1, draws, one);
    let sums0 = zero;
    let sums1 = zero;
    let divisors0 = zero;
    let divisors1 = zero;
    for (let row = table; row < end; row += SPARSE_ROW_BYTES) {
      const values0 = valuesOf(row, i);
      const values1 = valuesOf(row, i + 8);
      const voice = v128.load_splat<f64>(row, VOICE);
      const agrees0 = agreesWith(elected0, values0, voice);
      const agrees1 = agreesWith(elected1, values1, voice);
      const weight = v128.load_splat<f64>(row, WEIGHT);
      sums0 = f64x2.add(sums0, v128.and(f64x2.mul(weight, values0), agrees0));
      sums1 = f64x2.add(sums1, v128.and(f64x2.mul(weight, values1), agrees1));
      const share = v128.load_splat<f64>(row, SHARE);
      divisors0 = f64x2.add(divisors0, v128.and(share, agrees0));
      divisors1 = f64x2.add(divisors1, v128.and(share, agrees1));
    }
    storeMeans(out + i, base + i, sums0, divisors0, lambdas, one, above, below);
    storeMeans(out + i + 8, base + i + 8, sums1, divisors1, lambdas, one, above, below);
  }
}

/**
 * base + scale · Σ weight · difference over the rows, in float64 with one rounding.
 *
 * @param count a multiple of 4
 */
export function mergeSparseF32(
  scratch: usize,
  end: usize,
  base: usize,
  out: usize,
  count: usize,
  scale: f64,
): void {
  const scales = f64x2.splat(scale);
  const bytes: usize = count << 2;
  for (let i: usize = 0; i < bytes; i += 8) {
    let sums = f64x2.splat(0);
    for (let row = scratch + TABLE; row < end; row += SPARSE_ROW_BYTES)
      sums = f64x2.add(sums, f64x2.mul(v128.load_splat<f64>(row, WEIGHT), valuesOf(row, i)));
    storePair(out + i, f64x2.add(loadPair(base + i), f64x2.mul(scales, sums)));
  }
}
