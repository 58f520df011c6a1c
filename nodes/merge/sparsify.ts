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
    const sieves = cuts.map(([inner = KEEP_NONE, outer = KEEP_NONE]) => ({
      inner: startCut(inner),
      outer: startCut(outer),
    }));
    let sparse: readonly Float64Array[] = [];
    return (tile) => {
      const base = baseOf(tile);
      if (sparse[0]?.length !== tile.length) sparse = sieves.map(() => new Float64Array(tile.length));
      sieves.forEach((sieve, index) => {
        const model = tile.models[index];
        const into = sparse[index];
        if (model && into) keepBand(model, base, sieve, into);
      });
      return sparse;
    };
  };
}

/** A cut on its way through the elements: what is above is kept, and so many more of what equals it. */
type OpenCut = { readonly above: number; readonly equal: number; left: number };

function startCut({ threshold, ties }: Cut): OpenCut {
  if (ties === Infinity) return { above: threshold - 1, equal: -1, left: 0 };
  return { above: threshold, equal: threshold, left: ties };
}

/**
 * Differences that are kept; zero elsewhere. By bits: which are kept is noise to a branch predictor (an if takes
 * three times as long), and zero times infinity is no zero.
 */
function keepBand(
  model: Float32Array,
  base: Float32Array,
  { inner, outer }: { readonly inner: OpenCut; readonly outer: OpenCut },
  into: Float64Array,
): void {
  const { above: above1, equal: equal1 } = inner;
  const { above: above2, equal: equal2 } = outer;
  let { left: left1 } = inner;
  let { left: left2 } = outer;
  const value = new Float32Array(1);
  const pattern = new Int32Array(value.buffer);
  const { length } = into;
  for (let i = 0; i < length; i++) {
    value[0] = (model[i] ?? 0) - (base[i] ?? 0);
    const bits = pattern[0] ?? 0;
    const size = bits & SIGNLESS;
    const tie1 = Number(size === equal1) & Number(left1 > 0);
    const tie2 = Number(size === equal2) & Number(left2 > 0);
    left1 -= tie1;
    left2 -= tie2;
    pattern[0] = bits & -((Number(size > above1) | tie1) & ~(Number(size > above2) | tie2));
    into[i] = value[0] ?? 0;
  }
  inner.left = left1;
  outer.left = left2;
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
