import { type Gram, gramOf, normOf, productOf } from '../gram.ts';
import { defineMergeMethod } from '../method.ts';
import { normalisePositiveWeights } from '../weights.ts';
import { writeCopy, writeMix } from '../write-mix.ts';

export default defineMergeMethod({
  id: 'karcher',
  title: 'Karcher mean',
  description:
    'The point on the sphere with the smallest squared distance to all models, each tensor as one vector, with their mean norm.',
  source: 'Karcher 1977, doi:10.1002/cpa.3160300502; for merging: arXiv:2603.04972',
  models: { min: 1 },
  base: 'none',
  weighted: true,
  params: {
    iterations: {
      default: 10,
      min: 1,
      max: 1000,
      integer: true,
      tooltip: 'Steps towards the mean, at most.',
    },
    tolerance: {
      default: 1e-5,
      min: 1e-12,
      max: 0.1,
      tooltip: 'Angle in radians below which a step or a model counts as no distance.',
    },
  },
  version: 1,
  reach: 'tile',

  merge(tensor) {
    const weights = normalisePositiveWeights(tensor.weights);
    if (tensor.count === 1) return writeCopy(tensor, 0);
    const gram = gramOf(tensor, 'zero');
    if (gram.isUniform) return writeCopy(tensor, 0);
    const mean = karcherMean(gram, weights, tensor.params);
    // A model of zeros has no direction, but it counts in the norm.
    const norm = weights.reduce((sum, weight, i) => sum + weight * normOf(gram, i), 0);
    return writeMix(
      tensor,
      mean.map((part, i) => (part === 0 ? 0 : (part * norm) / normOf(gram, i))),
      'zero',
    );
  },
});

/** How much of each unit vector is in the mean. All that the iteration asks for are their products. */
function karcherMean(
  gram: Gram,
  weights: readonly number[],
  { iterations, tolerance }: { readonly iterations: number; readonly tolerance: number },
): readonly number[] {
  const norms = weights.map((_, i) => normOf(gram, i));
  const isPoint = norms.map((norm) => norm > tolerance);
  const total = weights.reduce((sum, weight, i) => sum + (isPoint[i] ? weight : 0), 0);
  if (total === 0) return weights.map(() => 0);
  const alphas = weights.map((weight, i) => (isPoint[i] ? weight / total : 0));
  const cosine = (i: number, j: number): number =>
    isPoint[i] && isPoint[j] ? productOf(gram, i, j) / ((norms[i] ?? 1) * (norms[j] ?? 1)) : 0;
  const towards = (parts: readonly number[], j: number): number =>
    parts.reduce((sum, part, i) => sum + part * cosine(i, j), 0);
  const lengthOf = (parts: readonly number[]): number =>
    Math.sqrt(
      Math.max(
        0,
        parts.reduce((sum, part, j) => sum + part * towards(parts, j), 0),
      ),
    );

  const start = lengthOf(alphas);
  // Where the units cancel out, the search begins at the first.
  const first = alphas.findIndex((alpha) => alpha > 0);
  let mean = alphas.map((alpha, i) => (start < tolerance ? Number(i === first) : alpha / start));
  for (let step = 0; step < iterations; step++) {
    const dots = mean.map((_, j) => Math.min(1, Math.max(-1, towards(mean, j))));
    const pulls = alphas.map((alpha, i) => {
      const dot = dots[i] ?? 0;
      const angle = Math.acos(dot);
      // Nothing pulls to where the mean is, and from the far end every direction is as short.
      return angle < tolerance || Math.PI - angle < tolerance ? 0 : (alpha * angle) / Math.sin(angle);
    });
    const back = pulls.reduce((sum, pull, i) => sum + pull * (dots[i] ?? 0), 0);
    const tangent = pulls.map((pull, i) => pull - back * (mean[i] ?? 0));
    const length = lengthOf(tangent);
    if (length < tolerance) break;
    const moved = mean.map(
      (part, i) => Math.cos(length) * part + (Math.sin(length) / length) * (tangent[i] ?? 0),
    );
    const size = lengthOf(moved);
    mean = moved.map((part) => (size > tolerance ? part / size : part));
  }
  return mean;
}
