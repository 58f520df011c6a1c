/** What all sums have in common. */

// @ts-ignore: decorator
@inline
export function addTerm(sum: v128, plus: v128, minus: v128, weight: v128): v128 {
  return f32x4.add(sum, f32x4.mul(f32x4.sub(plus, minus), weight));
}

/** Whether a code of this set is 2 or more, or not finite. */
// @ts-ignore: decorator
@inline
export function hasLarge(seen: v128): bool {
  return i16x8.bitmask(i16x8.shl(seen, 1)) != 0;
}
