import { SIGNLESS } from './count-level.ts';

/** Two cuts on their way through the elements: their thresholds, and how many ties of each are left. */
export type Band = { readonly inner: number; readonly outer: number; readonly left: Float64Array };

/**
 * The differences between the cuts; zero elsewhere. By bits: which are kept is noise to a branch predictor, and zero
 * times infinity is no zero.
 */
export function keepBand(plus: Float32Array, minus: Float32Array, band: Band, into: Float32Array): void {
  const { left } = band;
  // As 32-bit integers, so that the loop has no doubles but the differences.
  const inner = band.inner | 0;
  const outer = band.outer | 0;
  let low = levelOf(inner, left[0]) | 0;
  let high = levelOf(outer, left[1]) | 0;
  const value = new Float32Array(1);
  const pattern = new Int32Array(value.buffer);
  const { length } = into;
  for (let i = 0; i < length; i++) {
    value[0] = (plus[i] ?? 0) - (minus[i] ?? 0);
    const bits = pattern[0] ?? 0;
    const size = bits & SIGNLESS;
    pattern[0] = bits & (((low - size) & ~(high - size)) >> 31);
    into[i] = value[0] ?? 0;
    if (size === inner) {
      left[0] = Math.max(0, (left[0] ?? 0) - 1);
      low = levelOf(inner, left[0]) | 0;
    }
    if (size === outer) {
      left[1] = Math.max(0, (left[1] ?? 0) - 1);
      high = levelOf(outer, left[1]) | 0;
    }
  }
}

/** Magnitudes above it are within the cut. */
function levelOf(threshold: number, ties = 0): number {
  return threshold - Number(ties > 0);
}
