/** The formats, and the constants that loops take from scratch memory. */

// Marks of the formats in generic functions; their values are never used.
export type F16 = i16;
export type BF16 = u16;
export type E4M3 = i8;
export type E5M2 = u8;

// V8 makes a constant vector anew in each turn of a loop, three instructions each; one that was loaded stays
// in its register. Sums of two F16 inputs: 4.1 GB/s with constants in the code, 6.2 to 7.2 loaded (Node
// 24.21).
// Offsets of splats of 32 bits from the start of scratch memory.
export const ABS: usize = 0;
export const EXPONENT: usize = 16;
export const IMPLICIT_BIT: usize = 32;
export const ONE: usize = 48;
export const BELOW_HALF: usize = 64;
export const UNIT: usize = 80;
export const QUIET_NAN: usize = 96;
export const HIGH: usize = 112;
export const EVEN_SHIFT: usize = 128;
export const HALF_KEEP: usize = 144;
export const HALF_SPECIAL: usize = 160;
export const HALF_SCALE: usize = 176;
export const NAN_E4M3: usize = 192;
export const REBASE_E4M3: usize = 208;
export const HALF_SIGN: usize = 224;
export const HALF_EXPONENT: usize = 240;
export const HALF_LEAST: usize = 256;
export const HALF_STEP: usize = 272;
export const SPECIAL_F32: usize = 288;
export const SPECIAL_F16: usize = 304;
export const SPECIAL_BF16: usize = 320;
export const SPECIAL_E4M3: usize = 336;
export const SPECIAL_E5M2: usize = 352;
export const HALF_FOURFOLD: usize = 368;
export const HALF_OFFSET: usize = 384;
export const HALF_SMALLEST: usize = 400;
const FORMATS: usize = 416;
/** The last elements of a run, padded to a vector: raw, and as float32. */
export const RAW_TAIL: usize = 1024;
export const FLOAT_TAIL: usize = 1088;

// From the start of a format's own rows.
export const LIMIT: usize = 0;
export const LEAST: usize = 16;
export const STEP: usize = 32;
export const REBIAS: usize = 48;
export const LARGEST: usize = 64;
export const BEYOND: usize = 80;
export const NAN: usize = 96;
export const SIGN: usize = 112;
const FORMAT_BYTES: usize = 128;

/** Where a format's rows are. */
// @ts-ignore: decorator
@inline
export function formatAt<T>(scratch: usize): usize {
  return scratch + FORMATS + FORMAT_BYTES * (2 * (2 - sizeof<T>()) + (isSigned<T>() ? 0 : 1));
}

/** The sum of four counters. */
// @ts-ignore: decorator
@inline
export function sumLanes(lanes: v128): u32 {
  return (
    i32x4.extract_lane(lanes, 0) +
    i32x4.extract_lane(lanes, 1) +
    i32x4.extract_lane(lanes, 2) +
    i32x4.extract_lane(lanes, 3)
  );
}
