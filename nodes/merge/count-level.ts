/** The bits of a magnitude. */
export const SIGNLESS = 0x7fff_ffff;

/** Bits `shift` to `shift + bits` of the magnitude. */
export type Level = { readonly shift: number; readonly bits: number };

/** Counts, by the bits of the level, the magnitudes whose bits above it are the prefix. */
export function countLevel(values: Float32Array, level: Level, prefix: number, counts: Uint32Array): void {
  const patterns = patternsOf(values);
  const { length } = patterns;
  const { shift, bits: width } = level;
  const above = shift + width;
  const mask = (1 << width) - 1;
  const wanted = prefix | 0;
  for (let i = 0; i < length; i++) {
    const bits = (patterns[i] ?? 0) & SIGNLESS;
    if (bits >> above !== wanted) continue;
    const bin = (bits >> shift) & mask;
    counts[bin] = (counts[bin] ?? 0) + 1;
  }
}

/** The bits of each number, as integers. */
export function patternsOf(values: Float32Array): Int32Array {
  return new Int32Array(values.buffer, values.byteOffset, values.length);
}
