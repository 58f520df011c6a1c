/** Digits of the radix sort: three of eleven bits cover a float32. */
const DIGIT_BITS = 11;
const DIGITS = 3;
const BINS = 1 << DIGIT_BITS;
/** Below this, clearing the bins costs more than comparing. */
const RADIX_FROM_ELEMENTS = 512;

/** Maps floats to integers of the same order; −0 equals 0. */
function orderedBits(values: Float32Array): Uint32Array {
  const patterns = new Uint32Array(values.buffer, values.byteOffset, values.length);
  return patterns.map((bits) => {
    if (bits === 0x8000_0000) return 0x8000_0000;
    return bits >>> 31 ? ~bits : bits | 0x8000_0000;
  });
}

/** The places of the values from the smallest to the largest; equal ones stay in their order. */
export function argsort(values: Float32Array): Uint32Array {
  const keys = orderedBits(values);
  let order = new Uint32Array(values.length).map((_, index) => index);
  if (values.length < RADIX_FROM_ELEMENTS)
    return order.sort((a, b) => (keys[a] ?? 0) - (keys[b] ?? 0) || a - b);
  let sorted = new Uint32Array(values.length);
  for (let digit = 0; digit < DIGITS; digit++) {
    const shift = digit * DIGIT_BITS;
    const ends = new Uint32Array(BINS + 1);
    for (const key of keys) {
      const next = ((key >>> shift) & (BINS - 1)) + 1;
      ends[next] = (ends[next] ?? 0) + 1;
    }
    for (let bin = 1; bin <= BINS; bin++) ends[bin] = (ends[bin] ?? 0) + (ends[bin - 1] ?? 0);
    for (const index of order) {
      const bin = ((keys[index] ?? 0) >>> shift) & (BINS - 1);
      const place = ends[bin] ?? 0;
      sorted[place] = index;
      ends[bin] = place + 1;
    }
    [order, sorted] = [sorted, order];
  }
  return order;
}

/** The place of each value among all, from 0 for the smallest; of equal ones the first is the smaller. */
export function rankValues(values: Float32Array): Uint32Array {
  const ranks = new Uint32Array(values.length);
  argsort(values).forEach((place, rank) => {
    ranks[place] = rank;
  });
  return ranks;
}
