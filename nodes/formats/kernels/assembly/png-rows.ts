/**
 * The filters of PNG (PNG 3rd edition, part 9), 16 bytes at a time, and what a stream of filtered rows needs
 * beside: samples from floats, and Adler-32 (RFC 1950).
 *
 * A row lies behind `MARGIN` zeros, which are its left neighbours; behind it there is room for a vector.
 */
import { MARGIN, ROW_ROOM } from '../png-rows-layout';

/** Blocks of 16 bytes whose Adler sums stay below 2^32: 5552 bytes, as in zlib. */
const ADLER_BLOCKS: usize = 347;
const ADLER_BASE: u32 = 65521;

/** `trunc(255 * x)`, kept within 0 to 255; NaN is 0. */
export function truncateRow(floats: usize, row: usize, count: usize): void {
  const scale = f32x4.splat(255);
  const zero = f32x4.splat(0);
  let i: usize = 0;
  for (; i + 16 <= count; i += 16) {
    const at = floats + (i << 2);
    const a = i32x4.trunc_sat_f32x4_u(f32x4.pmax(zero, f32x4.mul(v128.load(at), scale)));
    const b = i32x4.trunc_sat_f32x4_u(f32x4.pmax(zero, f32x4.mul(v128.load(at, 16), scale)));
    const c = i32x4.trunc_sat_f32x4_u(f32x4.pmax(zero, f32x4.mul(v128.load(at, 32), scale)));
    const d = i32x4.trunc_sat_f32x4_u(f32x4.pmax(zero, f32x4.mul(v128.load(at, 48), scale)));
    // Beyond 2^31 a lane is negative to the signed narrowing, so it is cut before.
    const most = i32x4.splat(255);
    const low = i16x8.narrow_i32x4_u(i32x4.min_u(a, most), i32x4.min_u(b, most));
    const high = i16x8.narrow_i32x4_u(i32x4.min_u(c, most), i32x4.min_u(d, most));
    v128.store(row + i, i8x16.narrow_i16x8_u(low, high));
  }
  for (; i < count; i++) {
    const value = load<f32>(floats + (i << 2)) * 255;
    store<u8>(row + i, value > 0 ? (value < 255 ? <u8>(<u32>value) : 255) : 0);
  }
}

/** What a filtered byte costs, by the usual guess: its distance from 0 as a signed number. */
// @ts-ignore: decorator
@inline
function addCost(cost: v128, filtered: v128): v128 {
  const distance = i8x16.min_u(filtered, i8x16.neg(filtered));
  return i32x4.add(cost, i32x4.extadd_pairwise_i16x8_u(i16x8.extadd_pairwise_i8x16_u(distance)));
}

// @ts-ignore: decorator
@inline
function sumOf(lanes: v128): u32 {
  return (
    i32x4.extract_lane(lanes, 0) +
    i32x4.extract_lane(lanes, 1) +
    i32x4.extract_lane(lanes, 2) +
    i32x4.extract_lane(lanes, 3)
  );
}

/** The larger of two unsigned bytes less the smaller. */
// @ts-ignore: decorator
@inline
function distanceOf(a: v128, b: v128): v128 {
  return v128.or(i8x16.sub_sat_u(a, b), i8x16.sub_sat_u(b, a));
}

/**
 * Paeth's predictor of 16 bytes. With p = a + b - c the distances are |b - c|, |a - c| and |a + b - 2c|. The
 * last is the sum of the first two where c is outside of a and b, else their difference; saturated it is
 * never the least wrongly.
 */
// @ts-ignore: decorator
@inline
function paethOf(a: v128, b: v128, c: v128): v128 {
  const toA = distanceOf(b, c);
  const toB = distanceOf(a, c);
  const aboveBoth = v128.and(i8x16.ge_u(c, a), i8x16.ge_u(c, b));
  const belowBoth = v128.and(i8x16.le_u(c, a), i8x16.le_u(c, b));
  const outside = v128.or(aboveBoth, belowBoth);
  const toC = v128.bitselect(i8x16.add_sat_u(toA, toB), distanceOf(toA, toB), outside);
  const isA = v128.and(i8x16.le_u(toA, toB), i8x16.le_u(toA, toC));
  return v128.bitselect(a, v128.bitselect(b, c, i8x16.le_u(toB, toC)), isA);
}

function paethOfBytes(a: i32, b: i32, c: i32): i32 {
  const toA = abs(b - c);
  const toB = abs(a - c);
  const toC = abs(a + b - 2 * c);
  return toA <= toB && toA <= toC ? a : toB <= toC ? b : c;
}

/** @returns the cost of a byte, which it stores. */
// @ts-ignore: decorator
@inline
function put(at: usize, filtered: i32): u32 {
  store<u8>(at, <u8>filtered);
  const signed = <i32>(<i8>filtered);
  return signed < 0 ? -signed : signed;
}

/**
 * Filters a row in the way that costs least, the first of equals.
 *
 * @param above the row above, as it was; zeros for the first.
 * @param pixel bytes of a pixel.
 * @param work room for four rows.
 * @param out where the filter's number goes, and the row behind it.
 */
export function filterRow(
  row: usize,
  above: usize,
  bytes: usize,
  pixel: usize,
  work: usize,
  out: usize,
): void {
  const sub = work;
  const up = work + ROW_ROOM;
  const average = work + 2 * ROW_ROOM;
  const paeth = work + 3 * ROW_ROOM;
  const one = i8x16.splat(1);
  let costs0 = i32x4.splat(0);
  let costs1 = i32x4.splat(0);
  let costs2 = i32x4.splat(0);
  let costs3 = i32x4.splat(0);
  let costs4 = i32x4.splat(0);
  let i: usize = 0;
  for (; i + 16 <= bytes; i += 16) {
    const x = v128.load(row + i);
    const a = v128.load(row + i - pixel);
    const b = v128.load(above + i);
    const c = v128.load(above + i - pixel);
    costs0 = addCost(costs0, x);
    const bySub = i8x16.sub(x, a);
    v128.store(sub + i, bySub);
    costs1 = addCost(costs1, bySub);
    const byUp = i8x16.sub(x, b);
    v128.store(up + i, byUp);
    costs2 = addCost(costs2, byUp);
    // `avgr_u` rounds up where PNG rounds down.
    const half = i8x16.sub(i8x16.avgr_u(a, b), v128.and(v128.xor(a, b), one));
    const byAverage = i8x16.sub(x, half);
    v128.store(average + i, byAverage);
    costs3 = addCost(costs3, byAverage);
    const byPaeth = i8x16.sub(x, paethOf(a, b, c));
    v128.store(paeth + i, byPaeth);
    costs4 = addCost(costs4, byPaeth);
  }
  let cost0 = sumOf(costs0);
  let cost1 = sumOf(costs1);
  let cost2 = sumOf(costs2);
  let cost3 = sumOf(costs3);
  let cost4 = sumOf(costs4);
  for (; i < bytes; i++) {
    const x = <i32>load<u8>(row + i);
    const a = <i32>load<u8>(row + i - pixel);
    const b = <i32>load<u8>(above + i);
    const c = <i32>load<u8>(above + i - pixel);
    const signed = <i32>(<i8>x);
    cost0 += signed < 0 ? -signed : signed;
    cost1 += put(sub + i, x - a);
    cost2 += put(up + i, x - b);
    cost3 += put(average + i, x - ((a + b) >> 1));
    cost4 += put(paeth + i, x - paethOfBytes(a, b, c));
  }
  let filter: u8 = 0;
  let best = row;
  let least = cost0;
  if (cost1 < least) {
    filter = 1;
    best = sub;
    least = cost1;
  }
  if (cost2 < least) {
    filter = 2;
    best = up;
    least = cost2;
  }
  if (cost3 < least) {
    filter = 3;
    best = average;
    least = cost3;
  }
  if (cost4 < least) {
    filter = 4;
    best = paeth;
  }
  store<u8>(out, filter);
  memory.copy(out + 1, best, bytes);
}

/** Adler-32 of bytes that follow others. @param adler of those; 1 for none. */
export function addToAdler(adler: u32, at: usize, bytes: usize): u32 {
  let s1 = adler & 0xffff;
  let s2 = adler >>> 16;
  const weightsLow = i16x8(16, 15, 14, 13, 12, 11, 10, 9);
  const weightsHigh = i16x8(8, 7, 6, 5, 4, 3, 2, 1);
  let blocks = bytes >> 4;
  while (blocks > 0) {
    const count = min(blocks, ADLER_BLOCKS);
    let sums = i32x4.splat(0);
    let before = i32x4.splat(0);
    let weighted = i32x4.splat(0);
    for (const end = at + (count << 4); at < end; at += 16) {
      const data = v128.load(at);
      before = i32x4.add(before, sums);
      sums = i32x4.add(sums, i32x4.extadd_pairwise_i16x8_u(i16x8.extadd_pairwise_i8x16_u(data)));
      const low = i32x4.dot_i16x8_s(i16x8.extend_low_i8x16_u(data), weightsLow);
      const high = i32x4.dot_i16x8_s(i16x8.extend_high_i8x16_u(data), weightsHigh);
      weighted = i32x4.add(weighted, i32x4.add(low, high));
    }
    s2 += 16 * (s1 * <u32>count + sumOf(before)) + sumOf(weighted);
    s1 += sumOf(sums);
    s1 %= ADLER_BASE;
    s2 %= ADLER_BASE;
    blocks -= count;
  }
  for (let left = bytes & 15; left > 0; left--) {
    s1 += load<u8>(at++);
    s2 += s1;
  }
  return ((s2 % ADLER_BASE) << 16) | (s1 % ADLER_BASE);
}

/** The margins of two rows, and a first row that has none above. */
export function clearRow(row: usize, bytes: usize): void {
  memory.fill(row - MARGIN, 0, MARGIN + bytes);
}
