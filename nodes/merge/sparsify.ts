import { createDiffer, type DeltaTensor } from './deltas.ts';
import type { Sparsify } from './elect-sign.ts';
import type { Params } from './method.ts';
import { type Cut, createSieve, selectLargest } from './select-magnitude.ts';

export const DENSITY = {
  default: 0.5,
  min: 0,
  max: 1,
  tooltip: 'Share of the elements of each difference that are kept.',
} as const;

const SEED = {
  default: 0,
  min: 0,
  max: Number.MAX_SAFE_INTEGER,
  integer: true,
  tooltip: 'Which elements are drawn; the same seed draws the same ones.',
} as const;

/** What the methods that drop by chance share. */
export const DROP_PARAMS = {
  density: DENSITY,
  rescale: {
    default: 'density',
    choices: ['density', 'l1', 'none'],
    tooltip:
      'Scale what is kept: by 1 / its chance (the mean is kept), so that the sum of magnitudes is kept, or not at all.',
  },
  seed: SEED,
} as const satisfies Params;

/** Sums of magnitudes below this are not divided by. */
const SMALLEST_NORM = 1e-7;

/** Finds cuts by magnitude in the differences of each model; `keeps` of one model after the other. */
export function cutDeltas(tensor: DeltaTensor, keeps: readonly number[]): Cut[][] {
  const differ = createDiffer();
  const models = tensor.weights.map((_, model) => model);
  const wanted = models.flatMap((column) => keeps.map((keep) => ({ column, keep })));
  const cuts = selectLargest((look) => tensor.visit((tile) => look(differ(tile))), tensor.size, wanted);
  return models.map((model) => cuts.slice(model * keeps.length, (model + 1) * keeps.length));
}

/** Keeps what is inside the first cut of a model and outside the second, if there is one. */
export function sieveDeltas(cuts: readonly (readonly Cut[])[]): Sparsify {
  return () => {
    const differ = createDiffer();
    const sieves = cuts.map((ofModel) => ofModel.map(createSieve));
    return (tile) => {
      const inner = new Uint8Array(tile.length);
      // Without a second cut it stays empty.
      const outer = new Uint8Array(tile.length);
      return differ(tile).map((delta, model) => {
        const [keep, drop] = sieves[model] ?? [];
        keep?.(delta, inner);
        drop?.(delta, outer);
        const sparse = new Float64Array(tile.length);
        for (let i = 0; i < sparse.length; i++) {
          if (inner[i] && !outer[i]) sparse[i] = delta[i] ?? 0;
        }
        return sparse;
      });
    };
  };
}

/** Scales each model's kept differences so that their magnitudes sum to what they were before. */
export function matchMagnitudes(tensor: DeltaTensor, sparsify: Sparsify): Sparsify {
  const differ = createDiffer();
  const sparse = sparsify();
  const before = tensor.weights.map(() => 0);
  const after = tensor.weights.map(() => 0);
  // One running sum each, so that tiles make no difference.
  const addTo = (sums: number[]) => (delta: Float32Array | Float64Array, model: number) => {
    let sum = sums[model] ?? 0;
    for (const value of delta) sum += Math.abs(value);
    sums[model] = sum;
  };
  tensor.visit((tile) => {
    differ(tile).forEach(addTo(before));
    sparse(tile).forEach(addTo(after));
  });
  const scales = before.map((sum, model) => {
    const kept = after[model] ?? 0;
    return sum < SMALLEST_NORM || kept < SMALLEST_NORM ? 1 : sum / kept;
  });
  return () => {
    const again = sparsify();
    return (tile) => again(tile).map((delta, model) => delta.map((value) => value * (scales[model] ?? 1)));
  };
}
