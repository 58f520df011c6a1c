/**
 * Philox4x32-10: a generator without state, so a draw depends on its key and its place and on nothing else.
 * @see Salmon et al. 2011, "Parallel random numbers: as easy as 1, 2, 3", doi:10.1145/2063384.2063405
 */
const HIGH_0 = 0xd251;
const LOW_0 = 0x1f53;
const HIGH_1 = 0xcd9e;
const LOW_1 = 0x8d57;
const MULTIPLIER_0 = (HIGH_0 << 16) | LOW_0;
const MULTIPLIER_1 = (HIGH_1 << 16) | LOW_1;
// As signed words: a sum with one is then an integer of 32 bits for the engine too.
const WEYL_0 = 0x9e3779b9 | 0;
const WEYL_1 = 0xbb67ae85 | 0;
const ROUNDS = 10;
/** One block of four words gives eight 16-bit draws. */
const DRAWS_OF_BLOCK = 8;

export type PhiloxKey = readonly [number, number];
type Words = readonly [number, number, number, number];

/**
 * The upper 32 bits of the product of two words: of `high * 2^16 + low`, and of a word of any sign. Every sum stays below
 * 2^32, and every step is one of 32-bit integers: with doubles for the products it takes twice as long.
 */
function mulHigh(high: number, low: number, word: number): number {
  const wordLow = word & 0xffff;
  const wordHigh = word >>> 16;
  const middle = (Math.imul(high, wordLow) + (Math.imul(low, wordLow) >>> 16)) | 0;
  const lower = (Math.imul(low, wordHigh) + (middle & 0xffff)) | 0;
  return (Math.imul(high, wordHigh) + (middle >>> 16) + (lower >>> 16)) | 0;
}

/** Ten rounds on a counter of four words, into the first four of `into`. */
function encrypt(into: Uint32Array, w0: number, w1: number, w2: number, w3: number, key: PhiloxKey): void {
  let a = w0 | 0;
  let b = w1 | 0;
  let c = w2 | 0;
  let d = w3 | 0;
  let k0 = key[0] | 0;
  let k1 = key[1] | 0;
  for (let round = 0; round < ROUNDS; round++) {
    const high0 = mulHigh(HIGH_0, LOW_0, a);
    const high1 = mulHigh(HIGH_1, LOW_1, c);
    const low0 = Math.imul(MULTIPLIER_0, a);
    const low1 = Math.imul(MULTIPLIER_1, c);
    a = high1 ^ b ^ k0;
    b = low1;
    c = high0 ^ d ^ k1;
    d = low0;
    k0 = (k0 + WEYL_0) | 0;
    k1 = (k1 + WEYL_1) | 0;
  }
  into[0] = a;
  into[1] = b;
  into[2] = c;
  into[3] = d;
}

/** Ten rounds on a counter of four words, all unsigned. */
export function philox([w0, w1, w2, w3]: Words, key: PhiloxKey): Words {
  const words = new Uint32Array(4);
  encrypt(words, w0, w1, w2, w3, key);
  const [a = 0, b = 0, c = 0, d = 0] = words;
  return [a, b, c, d];
}

/**
 * The key of one tensor of one model. The seed is the first key; each 16 bytes of the name in UTF-8 (little-endian
 * words, zeros behind the end) and last (bytes of the name, model, 0, 0) are counters whose first two words make the
 * next key.
 *
 * @param seed an integer from 0 to 2^53 − 1.
 */
export function drawKey(seed: number, tensorName: string, model: number): PhiloxKey {
  const name = new TextEncoder().encode(tensorName);
  const padded = new DataView(new ArrayBuffer(Math.ceil(name.length / 16) * 16));
  name.forEach((byte, at) => {
    padded.setUint8(at, byte);
  });
  let key: PhiloxKey = [seed >>> 0, Math.floor(seed / 2 ** 32) >>> 0];
  const absorb = (block: Words): void => {
    const [k0, k1] = philox(block, key);
    key = [k0, k1];
  };
  for (let at = 0; at < padded.byteLength; at += 16) {
    const word = (index: number): number => padded.getUint32(at + 4 * index, true);
    absorb([word(0), word(1), word(2), word(3)]);
  }
  absorb([name.length, model, 0, 0]);
  return key;
}

/**
 * Fills `into` with the draws of the elements from `start` on, uniform on 0 to 65,535. Element `i` takes part `i % 8`
 * of the block whose counter is `⌊i / 8⌋` (64 bits, then two zeros): lower half of word 0, upper half of word 0, ...
 */
export function fillDraws(key: PhiloxKey, start: number, into: Uint16Array): void {
  const end = start + into.length;
  const words = new Uint32Array(4);
  for (let block = Math.floor(start / DRAWS_OF_BLOCK); block * DRAWS_OF_BLOCK < end; block++) {
    encrypt(words, block, Math.floor(block / 2 ** 32), 0, 0, key);
    const first = block * DRAWS_OF_BLOCK - start;
    for (let word = 0; word < 4; word++) {
      const bits = words[word] ?? 0;
      const at = first + 2 * word;
      if (at >= 0) into[at] = bits & 0xffff;
      if (at + 1 >= 0) into[at + 1] = bits >>> 16;
    }
  }
}
