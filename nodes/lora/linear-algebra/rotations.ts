import type { Matrix } from './matrix.ts';

/** Of neighbouring rows, one after the other: rotation i turns rows i and i + 1 of a range. */
export type Rotations = { readonly cosines: Float64Array; readonly sines: Float64Array };

/** Columns at a time: a strip of a thousand rows then stays in the second cache. */
const STRIP = 64;

/** Applies rotations to the rows from `low` on, in place. Each row is loaded and stored once for both its rotations. */
export function applyRotations({ columns, data }: Matrix, { cosines, sines }: Rotations, low: number): void {
  const carried = new Float64Array(STRIP);
  for (let start = 0; start < columns; start += STRIP) {
    const width = Math.min(STRIP, columns - start);
    let at = low * columns + start;
    for (let j = 0; j < width; j++) carried[j] = data[at + j] ?? 0;
    let i = 0;
    for (; i + 2 <= cosines.length; i += 2, at += 2 * columns) {
      const [c, s, c2, s2] = [cosines[i] ?? 0, sines[i] ?? 0, cosines[i + 1] ?? 0, sines[i + 1] ?? 0];
      for (let j = 0; j < width; j++) {
        const upper = carried[j] ?? 0;
        const middle = data[at + columns + j] ?? 0;
        const lower = data[at + 2 * columns + j] ?? 0;
        const turned = c * middle - s * upper;
        data[at + j] = c * upper + s * middle;
        data[at + columns + j] = c2 * turned + s2 * lower;
        carried[j] = c2 * lower - s2 * turned;
      }
    }
    for (; i < cosines.length; i++, at += columns) {
      const [c, s] = [cosines[i] ?? 0, sines[i] ?? 0];
      for (let j = 0; j < width; j++) {
        const upper = carried[j] ?? 0;
        const lower = data[at + columns + j] ?? 0;
        data[at + j] = c * upper + s * lower;
        carried[j] = c * lower - s * upper;
      }
    }
    for (let j = 0; j < width; j++) data[at + j] = carried[j] ?? 0;
  }
}
