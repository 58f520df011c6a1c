import { baseOf, createDiffer, type DeltaTensor } from './deltas.ts';
import type { Params } from './method.ts';

/** @see "Behavior knowledge merge in reinforced agentic models" 2026, arXiv:2601.13572 */
export const CHANGE_PARAMS = {
  epsilon: {
    default: 1e-5,
    min: 0,
    max: 1,
    tooltip: 'Differences of at most this magnitude count as no change.',
  },
} as const satisfies Params;

/** How many models changed each element. */
function countChanges(deltas: readonly Float32Array[], epsilon: number, into: Uint16Array): Uint16Array {
  into.fill(0);
  for (const delta of deltas) {
    for (let i = 0; i < into.length; i++) if (Math.abs(delta[i] ?? 0) > epsilon) into[i] = (into[i] ?? 0) + 1;
  }
  return into;
}

/** For each model, how many of its changes another model shares, and how many are its own. */
export function countShared(
  tensor: Pick<DeltaTensor, 'count' | 'arithmetic' | 'visit'>,
  epsilon: number,
): Float64Array {
  const differ = createDiffer(tensor.arithmetic);
  const found = new Float64Array(2 * tensor.count);
  tensor.visit((tile) => {
    const deltas = differ(tile);
    const counts = countChanges(deltas, epsilon, new Uint16Array(tile.length));
    deltas.forEach((delta, model) => {
      for (let i = 0; i < tile.length; i++) {
        if (Math.abs(delta[i] ?? 0) <= epsilon) continue;
        const slot = 2 * model + ((counts[i] ?? 0) > 1 ? 0 : 1);
        found[slot] = (found[slot] ?? 0) + 1;
      }
    });
  });
  return found;
}

/** Adds to the base the mean of changes that models share, and each model's own changes times its scale. */
export function mergeChanges(tensor: DeltaTensor, epsilon: number, scales: readonly number[]): void {
  const differ = createDiffer(tensor.arithmetic);
  tensor.write((tile, out) => {
    const base = baseOf(tile);
    const deltas = differ(tile);
    const counts = countChanges(deltas, epsilon, new Uint16Array(tile.length));
    const sums = new Float64Array(tile.length);
    deltas.forEach((delta, model) => {
      const scale = scales[model] ?? 1;
      for (let i = 0; i < tile.length; i++) {
        const value = delta[i] ?? 0;
        const count = counts[i] ?? 0;
        if (Math.abs(value) > epsilon) sums[i] = (sums[i] ?? 0) + (count > 1 ? value / count : scale * value);
      }
    });
    for (let i = 0; i < tile.length; i++) out[i] = (base[i] ?? 0) + (sums[i] ?? 0);
  });
}
