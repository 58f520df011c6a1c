import { type Gram, gramOf } from '../gram.ts';
import { defineMergeMethod } from '../method.ts';
import { writeMix } from '../write-mix.ts';

export default defineMergeMethod({
  id: 'geometric-median',
  title: 'Geometric median',
  description:
    'The point with the smallest sum of distances to all models: what most agree on, with little regard to outliers.',
  source:
    'Weiszfeld 1937; smoothed as in Pillutla et al. 2022, arXiv:1912.13445: w_i = 1 / max(|theta_i - m|, epsilon)',
  models: { min: 1 },
  base: 'none',
  weighted: false,
  params: {
    scope: {
      default: 'tensor',
      choices: ['tensor', 'model'],
      tooltip:
        'Distances of each tensor for itself (sd-mecha), or of the whole models, so that all tensors are mixed alike.',
    },
    iterations: {
      default: 100,
      min: 0,
      max: 10000,
      integer: true,
      tooltip: 'Steps towards the median, at most.',
    },
    epsilon: { default: 1e-6, min: 1e-12, max: 1, tooltip: 'Distances are taken to be at least this.' },
    tolerance: {
      default: 1e-20,
      min: 0,
      max: 1,
      tooltip: 'Ends where a step shortens the mean distance by no more than this share.',
    },
  },
  version: 1,
  reach: 'tile',

  survey: {
    rounds: ({ scope }) => (scope === 'model' ? 1 : 0),
    look: (tensor) => gramOf(tensor, 'first').products,
    // A tensor that some models lack has fewer products: it does not count in the distances of whole models.
    combine(found) {
      const sums = new Float64Array(found.reduce((most, { length }) => Math.max(most, length), 0));
      for (const products of found) {
        if (products.length !== sums.length) continue;
        for (const [at, product] of products.entries()) sums[at] = (sums[at] ?? 0) + product;
      }
      return sums;
    },
  },

  merge(tensor) {
    const { count } = tensor;
    const [products] = tensor.survey;
    const ofModel = products?.length === count * count ? { count, products } : undefined;
    writeMix(tensor, medianShares(ofModel ?? gramOf(tensor, 'first'), tensor.params), 'first');
  },
});

type Stop = { readonly iterations: number; readonly epsilon: number; readonly tolerance: number };

/** Shares of the models in the median, which sum to 1. Distances follow from the products around the first model. */
function medianShares(
  gram: Pick<Gram, 'count' | 'products'>,
  { iterations, epsilon, tolerance }: Stop,
): number[] {
  let shares = Array.from({ length: gram.count }, () => 1 / gram.count);
  let distances = distancesFrom(shares, gram);
  for (let step = 0; step < iterations; step++) {
    const pulls = distances.map((distance) => 1 / Math.max(epsilon, distance));
    const pull = sumOf(pulls);
    const before = sumOf(distances);
    shares = pulls.map((each) => each / pull);
    distances = distancesFrom(shares, gram);
    const after = sumOf(distances);
    if (Math.abs(before - after) <= tolerance * after) break;
  }
  return shares;
}

/** From the mix of these shares to each model. */
function distancesFrom(
  shares: readonly number[],
  { count, products }: Pick<Gram, 'count' | 'products'>,
): number[] {
  return shares.map((_, model) => {
    const parts = shares.map((share, i) => share - (i === model ? 1 : 0));
    let square = 0;
    for (let i = 0; i < count; i++) {
      for (let j = 0; j < count; j++)
        square += (parts[i] ?? 0) * (parts[j] ?? 0) * (products[i * count + j] ?? 0);
    }
    return Math.sqrt(Math.max(0, square));
  });
}

function sumOf(numbers: readonly number[]): number {
  return numbers.reduce((sum, number) => sum + number, 0);
}
