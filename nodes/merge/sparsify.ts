import { baseOf, createDiffer, type DeltaTensor, keepBuffers } from './deltas.ts';
import type { Sparsify } from './elect-sign.ts';
import type { Params } from './method.ts';
import { type Cut, KEEP_NONE, selectLargest } from './select-magnitude.ts';

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
  const { arithmetic } = tensor;
  const differ = createDiffer(arithmetic);
  const models = tensor.weights.map((_, model) => model);
  const wanted = models.flatMap((column) => keeps.map((keep) => ({ column, keep })));
  const cuts = selectLargest(
    (look) => tensor.visit((tile) => look(differ(tile))),
    tensor.size,
    wanted,
    arithmetic,
  );
  return models.map((model) => cuts.slice(model * keeps.length, (model + 1) * keeps.length));
}

/** Keeps what is inside the first cut of a model and outside the second, if there is one. */
export function sieveDeltas(
  { arithmetic }: Pick<DeltaTensor, 'arithmetic'>,
  cuts: readonly (readonly Cut[])[],
): Sparsify {
  return () => {
    const bands = cuts.map(([inner = KEEP_NONE, outer = KEEP_NONE]) => ({
      inner: inner.threshold,
      outer: outer.threshold,
      left: Float64Array.of(inner.ties, outer.ties),
    }));
    const take = keepBuffers(arithmetic);
    return (tile) => {
      const base = baseOf(tile);
      const kept = take(bands.length, tile.length);
      bands.forEach((band, index) => {
        const model = tile.models[index];
        const into = kept[index];
        if (model && into) arithmetic.keepBand(model, base, band, into);
      });
      return kept.map((values) => ({ values, scale: 1 }));
    };
  };
}

/**
 * Scales each model's kept differences so that their magnitudes sum to what they were before.
 *
 * @param sparsify gives differences without a scale.
 */
export function matchMagnitudes(tensor: DeltaTensor, sparsify: Sparsify): Sparsify {
  const differ = createDiffer(tensor.arithmetic);
  const sparse = sparsify();
  const before = tensor.weights.map(() => 0);
  const after = tensor.weights.map(() => 0);
  tensor.visit((tile) => {
    const kept = sparse(tile);
    differ(tile).forEach((delta, model) => {
      const left = kept[model];
      if (!left) return;
      const { values, scale } = left;
      // One running sum each, so that tiles make no difference.
      let all = before[model] ?? 0;
      let some = after[model] ?? 0;
      const { length } = delta;
      for (let i = 0; i < length; i++) {
        all += Math.abs(delta[i] ?? 0);
        some += Math.abs(scale * (values[i] ?? 0));
      }
      before[model] = all;
      after[model] = some;
    });
  });
  const scales = before.map((sum, model) => {
    const kept = after[model] ?? 0;
    return sum < SMALLEST_NORM || kept < SMALLEST_NORM ? 1 : sum / kept;
  });
  return () => {
    const again = sparsify();
    return (tile) => again(tile).map(({ values }, model) => ({ values, scale: scales[model] ?? 1 }));
  };
}
