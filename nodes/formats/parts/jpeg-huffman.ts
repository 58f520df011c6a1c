/**
 * Huffman tables of JPEG.
 * @see ITU-T T.81, annexes C and F.2.2.3
 */

/** A table of which is noted what the coded data make use of. */
export type HuffmanTable = {
  /** By the next 16 bits: length of the code in the low byte, place of its value above; 0 for no code. */
  readonly byBits: Uint32Array;
  readonly values: Uint8Array;
  /** 1 for each value that was met. */
  readonly used: Uint8Array;
};

const COUNTS_BYTES = 16;
const CODE_BITS = 16;

/** Where the values of a table begin behind its class and number. */
export const VALUES_AT = 1 + COUNTS_BYTES;

/**
 * Bytes of one table of a DHT segment: class and number u8 · counts of codes by length, 16 u8 · values.
 *
 * @returns undefined for one that is cut off or has no such number
 */
export function huffmanBytes(data: Uint8Array, at: number): number | undefined {
  const head = data[at] ?? 0xff;
  if (head >> 4 > 1 || (head & 15) > 3 || at + VALUES_AT > data.length) return undefined;
  const count = data.subarray(at + 1, at + VALUES_AT).reduce((sum, each) => sum + each, 0);
  return count > 256 || at + VALUES_AT + count > data.length ? undefined : VALUES_AT + count;
}

/**
 * Reads a table of a DHT segment (ITU-T T.81, annex C).
 *
 * @param table from its class and number on
 * @returns undefined where its codes do not fit in their lengths
 */
export function readHuffman(table: Uint8Array): HuffmanTable | undefined {
  const values = table.subarray(VALUES_AT);
  const byBits = new Uint32Array(1 << CODE_BITS);
  let [from, place] = [0, 0];
  for (let length = 1; length <= CODE_BITS; length++) {
    const span = 1 << (CODE_BITS - length);
    for (let left = table[length] ?? 0; left > 0; left--) {
      if (from + span > byBits.length) return undefined;
      byBits.fill((place++ << 8) | length, from, from + span);
      from += span;
    }
  }
  return { byBits, values, used: new Uint8Array(values.length) };
}

/** The tables of annex K, which writers use without counting what they need. */
const STANDARD = [
  '00010501010101010100000000000000000102030405060708090a0b',
  `
    0002010303020403050504040000017d01020300041105122131410613516107227114328191a1082342b1c11552d1f0
    2433627282090a161718191a25262728292a3435363738393a434445464748494a535455565758595a63646566676869
    6a737475767778797a838485868788898a92939495969798999aa2a3a4a5a6a7a8a9aab2b3b4b5b6b7b8b9bac2c3c4c5
    c6c7c8c9cad2d3d4d5d6d7d8d9dae1e2e3e4e5e6e7e8e9eaf1f2f3f4f5f6f7f8f9fa`,
  '00030101010101010101010000000000000102030405060708090a0b',
  `
    00020102040403040705040400010277000102031104052131061241510761711322328108144291a1b1c109233352f0
    156272d10a162434e125f11718191a262728292a35363738393a434445464748494a535455565758595a636465666768
    696a737475767778797a82838485868788898a92939495969798999aa2a3a4a5a6a7a8a9aab2b3b4b5b6b7b8b9bac2c3
    c4c5c6c7c8c9cad2d3d4d5d6d7d8d9dae2e3e4e5e6e7e8e9eaf2f3f4f5f6f7f8f9fa`,
].map((table) => Buffer.from(table.replace(/\s/g, ''), 'hex'));

/** Whether a table, from its class and number on, is one that everybody has. */
export function isStandardHuffman(table: Uint8Array): boolean {
  return STANDARD.some(
    (each) => each.length === table.length - 1 && Buffer.compare(each, table.subarray(1)) === 0,
  );
}
