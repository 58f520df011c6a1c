import { MismatchError } from '../kit/errors.ts';

/** A sum this small beside its summands is what rounding left of zero; dividing by it would make noise of the model. */
const VANISHING = 1e-12;

/**
 * Weights divided by their sum.
 *
 * @throws LineageError `merge/weights` where the sum is zero, or no more than rounding left of it.
 */
export function normaliseWeights(weights: readonly number[]): number[] {
  const sum = weights.reduce((total, weight) => total + weight, 0);
  const size = weights.reduce((total, weight) => total + Math.abs(weight), 0);
  if (Math.abs(sum) <= VANISHING * size) {
    throw new MismatchError('merge/weights', {
      expected: 'weights with a sum other than 0',
      got: weights.join(', '),
    });
  }
  return weights.map((weight) => weight / sum);
}

/**
 * Weights of a mean on a sphere, divided by their sum: there is no mean that would be farther from a point.
 *
 * @throws LineageError `merge/weights` where one is negative, or all are zero.
 */
export function normalisePositiveWeights(weights: readonly number[]): number[] {
  if (weights.some((weight) => weight < 0)) {
    throw new MismatchError('merge/weights', { expected: 'weights of 0 or more', got: weights.join(', ') });
  }
  return normaliseWeights(weights);
}
