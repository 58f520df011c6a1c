/** Digits of the radix sort: three of eleven bits cover a float32. */
const DIGIT_BITS = 11;
const DIGITS = 3;
const BINS = 1 << DIGIT_BITS;
/** Below this, clearing the bins costs more than comparing. */
const RADIX_FROM_ELEMENTS = 512;

/** Maps floats to integers of the same order; −0 equals 0. */
function orderedBits(values: Float32Array): Uint32Array {
  const keys = new Uint32Array(values.length);
  const patterns = new Uint32Array(values.buffer, values.byteOffset, values.length);
  for (let i = 0; i < keys.length; i++) {
    const bits = patterns[i] ?? 0;
    keys[i] = bits === 0x8000_0000 || bits >>> 31 === 0 ? bits | 0x8000_0000 : ~bits;
  }
  return keys;
}

/** The places of the values from the smallest to the largest; equal ones stay in their order. */
export function argsort(values: Float32Array): Uint32Array {
  const keys = orderedBits(values);
  const order = new Uint32Array(values.length);
  for (let i = 0; i < order.length; i++) order[i] = i;
  if (values.length < RADIX_FROM_ELEMENTS)
    return order.sort((a, b) => (keys[a] ?? 0) - (keys[b] ?? 0) || a - b);
  return sortByDigits(keys, order);
}

/** Keys travel with their places: looked up by place, each would be a jump through memory. Both arrays are used up. */
function sortByDigits(keys: Uint32Array, order: Uint32Array): Uint32Array {
  let [fromKeys, toKeys]: [Uint32Array, Uint32Array] = [keys, new Uint32Array(keys.length)];
  let [from, to]: [Uint32Array, Uint32Array] = [order, new Uint32Array(keys.length)];
  for (let digit = 0; digit < DIGITS; digit++) {
    const shift = digit * DIGIT_BITS;
    const places = countPlaces(fromKeys, shift);
    // One bin with all: nothing would move.
    if (places === undefined) continue;
    moveToPlaces({ keys: fromKeys, order: from }, { keys: toKeys, order: to }, shift, places);
    [fromKeys, toKeys] = [toKeys, fromKeys];
    [from, to] = [to, from];
  }
  return from;
}

/** Where the elements of each bin begin. */
function countPlaces(keys: Uint32Array, shift: number): Uint32Array | undefined {
  const places = new Uint32Array(BINS);
  for (let i = 0; i < keys.length; i++) {
    const bin = ((keys[i] ?? 0) >>> shift) & (BINS - 1);
    places[bin] = (places[bin] ?? 0) + 1;
  }
  if (places[((keys[0] ?? 0) >>> shift) & (BINS - 1)] === keys.length) return undefined;
  let before = 0;
  for (let bin = 0; bin < BINS; bin++) {
    const count = places[bin] ?? 0;
    places[bin] = before;
    before += count;
  }
  return places;
}

type Sorted = { readonly keys: Uint32Array; readonly order: Uint32Array };

function moveToPlaces(from: Sorted, to: Sorted, shift: number, places: Uint32Array): void {
  const { keys, order } = from;
  const { keys: outKeys, order: outOrder } = to;
  for (let i = 0; i < keys.length; i++) {
    const key = keys[i] ?? 0;
    const bin = (key >>> shift) & (BINS - 1);
    const place = places[bin] ?? 0;
    outKeys[place] = key;
    outOrder[place] = order[i] ?? 0;
    places[bin] = place + 1;
  }
}

/** The place of each value among all, from 0 for the smallest; of equal ones the first is the smaller. */
export function rankValues(values: Float32Array): Uint32Array {
  const ranks = new Uint32Array(values.length);
  const order = argsort(values);
  for (let rank = 0; rank < order.length; rank++) ranks[order[rank] ?? 0] = rank;
  return ranks;
}
