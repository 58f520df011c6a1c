/**
 * Conversions that processors have. WebAssembly has them in its half-precision proposal, AssemblyScript not
 * yet: the build puts the two instructions in the place of the calls.
 */

/** Four F16 in the lower half of a vector as float32; exact. */
// @ts-ignore: decorator
@external('half', 'f32x4.promote_low_f16x8')
export declare function promote(codes: v128): v128;

/** Four float32 as F16 in the lower half, rounded to nearest even, to Inf beyond the range. */
// @ts-ignore: decorator
@external('half', 'f16x8.demote_f32x4_zero')
export declare function demote(x: v128): v128;
