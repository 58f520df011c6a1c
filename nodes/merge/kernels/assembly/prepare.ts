import { TILE_FLOATS, ZEROS } from '../layout';
import {
  ABS,
  BELOW_HALF,
  BEYOND,
  BF16,
  E4M3,
  E5M2,
  EVEN_SHIFT,
  EXPONENT,
  F16,
  formatAt,
  HALF_EXPONENT,
  HALF_FOURFOLD,
  HALF_KEEP,
  HALF_LEAST,
  HALF_OFFSET,
  HALF_SCALE,
  HALF_SIGN,
  HALF_SMALLEST,
  HALF_SPECIAL,
  HALF_STEP,
  HIGH,
  IMPLICIT_BIT,
  LARGEST,
  LEAST,
  LIMIT,
  NAN,
  NAN_E4M3,
  ONE,
  QUIET_NAN,
  REBASE_E4M3,
  REBIAS,
  SIGN,
  SPECIAL_BF16,
  SPECIAL_E4M3,
  SPECIAL_E5M2,
  SPECIAL_F16,
  SPECIAL_F32,
  STEP,
  UNIT,
} from './formats';

/** Writes the constants of a block of scratch memory; to be called before anything else is. */
export function prepare(scratch: usize): void {
  memory.fill(scratch + ZEROS, 0, 4 * TILE_FLOATS);
  put(scratch + ABS, 0x7fffffff);
  put(scratch + EXPONENT, 0x7f800000);
  put(scratch + IMPLICIT_BIT, 1 << 23);
  put(scratch + ONE, 1);
  put(scratch + BELOW_HALF, 0x7fff);
  put(scratch + UNIT, 0x3f800000);
  put(scratch + QUIET_NAN, 0x7fc00000);
  put(scratch + HIGH, 0xffff0000);
  put(scratch + EVEN_SHIFT, 1 << 13);
  put(scratch + HALF_KEEP, 0x8fffe000);
  put(scratch + HALF_SPECIAL, 0x0f800000);
  put(scratch + HALF_SCALE, (127 + 112) << 23);
  put(scratch + HALF_FOURFOLD, (127 + 114) << 23);
  put(scratch + HALF_OFFSET, 114 << 23);
  put(scratch + HALF_SMALLEST, (127 - 14 + 2) << 23);
  // All ones, in the places of a float32.
  put(scratch + NAN_E4M3, 0x07f00000);
  put(scratch + REBASE_E4M3, (127 - 7) << 23);
  put(scratch + HALF_SIGN, 0x80008000);
  put(scratch + HALF_EXPONENT, 0x7f807f80);
  // The fused sums of F16 come out four times too large.
  put(scratch + HALF_LEAST, ((127 - 14 + 2) << 7) * 0x10001);
  put(scratch + HALF_STEP, (13 << 7) * 0x10001);
  put(scratch + SPECIAL_F32, 0x7f800000);
  put(scratch + SPECIAL_F16, 0x7c007c00);
  put(scratch + SPECIAL_BF16, 0x7f807f80);
  put(scratch + SPECIAL_E4M3, 0x7f7f7f7f);
  put(scratch + SPECIAL_E5M2, 0x7c7c7c7c);
  putCodes(formatAt<F16>(scratch), 0x7bff, 0x7c00, 0x7e00, 0x8000);
  putCodes(formatAt<BF16>(scratch), 0x7f7f, 0x7f80, 0x7fc0, 0x8000);
  putCodes(formatAt<E4M3>(scratch), 0x7e, 0x7f, 0x7f, 0x80);
  putCodes(formatAt<E5M2>(scratch), 0x7b, 0x7c, 0x7e, 0x80);
  putPlaces(formatAt<F16>(scratch), 15, 10, 17);
  putPlaces(formatAt<E4M3>(scratch), 7, 3, 9);
  putPlaces(formatAt<E5M2>(scratch), 15, 2, 17);
}

// @ts-ignore: decorator
@inline
function put(at: usize, bits: u32): void {
  v128.store(at, i32x4.splat(bits));
}

function putCodes(at: usize, largest: u32, beyond: u32, nan: u32, sign: u32): void {
  put(at + LARGEST, largest);
  put(at + BEYOND, beyond);
  put(at + NAN, nan);
  put(at + SIGN, sign);
}

/** @param limit log2 of a power that is beyond the format's range */
function putPlaces(at: usize, bias: u32, mantissa: u32, limit: u32): void {
  put(at + LIMIT, (127 + limit) << 23);
  put(at + LEAST, (128 - bias) << 23);
  put(at + STEP, (23 - mantissa) << 23);
  put(at + REBIAS, (128 - bias) << mantissa);
}
