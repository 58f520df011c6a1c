import { baseOf, createDiffer, type DeltaTensor } from './deltas.ts';
import type { Sparsify } from './elect-sign.ts';
import type { Params } from './method.ts';
import { type Cut, KEEP_NONE, SIGNLESS, selectLargest } from './select-magnitude.ts';

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
    const bands = cuts.map(([inner = KEEP_NONE, outer = KEEP_NONE]) => ({
      inner: inner.threshold,
      outer: outer.threshold,
      left: Float64Array.of(inner.ties, outer.ties),
    }));
    let sparse: readonly Float64Array[] = [];
    return (tile) => {
      const base = baseOf(tile);
      if (sparse[0]?.length !== tile.length) sparse = bands.map(() => new Float64Array(tile.length));
      bands.forEach((band, index) => {
        const model = tile.models[index];
        const into = sparse[index];
        if (model && into) keepBand(model, base, band, into);
      });
      return sparse;
    };
  };
}

/** Two cuts on their way through the elements: their thresholds, and how many ties of each are left. */
type Band = { readonly inner: number; readonly outer: number; readonly left: Float64Array };

/**
 * The differences between the cuts; zero elsewhere. By bits: which are kept is noise to a branch predictor, and zero
 * times infinity is no zero.
 */
function keepBand(model: Float32Array, base: Float32Array, band: Band, into: Float64Array): void {
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
    value[0] = (model[i] ?? 0) - (base[i] ?? 0);
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

/** Scales each model's kept differences so that their magnitudes sum to what they were before. */
export function matchMagnitudes(tensor: DeltaTensor, sparsify: Sparsify): Sparsify {
  const differ = createDiffer();
  const sparse = sparsify();
  const before = tensor.weights.map(() => 0);
  const after = tensor.weights.map(() => 0);
  tensor.visit((tile) => {
    const kept = sparse(tile);
    differ(tile).forEach((delta, model) => {
      const left = kept[model];
      if (!left) return;
      // One running sum each, so that tiles make no difference.
      let all = before[model] ?? 0;
      let some = after[model] ?? 0;
      const { length } = delta;
      for (let i = 0; i < length; i++) {
        all += Math.abs(delta[i] ?? 0);
        some += Math.abs(left[i] ?? 0);
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
    let scaled: readonly Float64Array[] = [];
    return (tile) => {
      const deltas = again(tile);
      if (scaled[0]?.length !== tile.length) scaled = deltas.map(() => new Float64Array(tile.length));
      scaled.forEach((into, model) => {
        const delta = deltas[model];
        if (delta) multiply(delta, scales[model] ?? 1, into);
      });
      return scaled;
    };
  };
}

function multiply(values: Float64Array, scale: number, into: Float64Array): void {
  const { length } = into;
  for (let i = 0; i < length; i++) into[i] = (values[i] ?? 0) * scale;
}
