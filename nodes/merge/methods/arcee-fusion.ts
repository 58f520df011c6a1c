import { baseOf } from '../deltas.ts';
import { defineMergeMethod } from '../method.ts';
import { selectLargest } from '../select-magnitude.ts';

/** Added to every probability, so that no logarithm is of zero. */
const SMALLEST_PROBABILITY = 1e-8;

export default defineMergeMethod({
  id: 'arcee-fusion',
  title: 'Arcee Fusion',
  description:
    'Takes from the model the elements whose change matters most, by the spread of an importance; else the base.',
  source: 'Arcee AI 2024, "Meet Mergekit v0.1: Arcee Fusion"; quartiles of all elements',
  version: 1,
  models: { min: 1, max: 1 },
  base: 'required',
  weighted: false,
  reach: 'tensor',
  params: {},

  merge(tensor) {
    const { size, shape } = tensor;
    // Rows of the last axis; an axis of length 0 leaves no element to look at.
    const row = shape.at(-1) ?? 1;
    const p = new Float64Array(row);
    const q = new Float64Array(row);
    tensor.write((tile, out) => {
      const base = baseOf(tile);
      const model = tile.models[0] ?? base;
      const importance = new Float32Array(size);
      for (let start = 0; start < size; start += row) {
        fillSoftmax(model, start, p);
        fillSoftmax(base, start, q);
        const weight = divergenceOf(p, q);
        for (let i = start; i < start + row; i++) {
          importance[i] = Math.abs((model[i] ?? 0) - (base[i] ?? 0)) * weight;
        }
      }
      const threshold = findOutlierThreshold(importance);
      for (let i = 0; i < size; i++) {
        out[i] = ((importance[i] ?? 0) >= threshold ? model[i] : base[i]) ?? 0;
      }
    });
  },
});

/** The softmax of as many elements as `into` has. */
function fillSoftmax(values: Float32Array, start: number, into: Float64Array): void {
  let top = Number.NEGATIVE_INFINITY;
  for (let i = 0; i < into.length; i++) top = Math.max(top, values[start + i] ?? 0);
  let sum = 0;
  for (let i = 0; i < into.length; i++) {
    const power = Math.exp((values[start + i] ?? 0) - top);
    into[i] = power;
    sum += power;
  }
  for (let i = 0; i < into.length; i++) into[i] = (into[i] ?? 0) / sum + SMALLEST_PROBABILITY;
}

/** Kullback and Leibler's Σ p log(p / q); rounding can take one of nearly nothing below zero. */
function divergenceOf(p: Float64Array, q: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < p.length; i++) sum += (p[i] ?? 1) * Math.log((p[i] ?? 1) / (q[i] ?? 1));
  return Math.max(0, sum);
}

/** Median + 1.5 · interquartile range; the quantile q of n numbers is the one at ⌊q (n − 1)⌋ in their order. */
function findOutlierThreshold(importance: Float32Array): number {
  const size = importance.length;
  const value = new Float32Array(1);
  const [first = 0, median = 0, third = 0] = selectLargest(
    (look) => look([importance]),
    size,
    [0.25, 0.5, 0.75].map((q) => ({ column: 0, keep: size - Math.floor(q * (size - 1)) })),
  ).map(({ threshold, ties }) => {
    if (ties === Infinity) return importance.reduce((least, each) => Math.min(least, each), Infinity);
    new Uint32Array(value.buffer)[0] = threshold;
    return value[0] ?? 0;
  });
  return median + 1.5 * (third - first);
}
