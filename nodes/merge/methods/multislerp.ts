import { LineageError } from '../../kit/errors.ts';
import { gramOf, normOf, productOf } from '../gram.ts';
import { defineMergeMethod } from '../method.ts';
import { normaliseWeights } from '../weights.ts';
import { writeCopy, writeMix } from '../write-mix.ts';

/** Added to norms, and the length below which a mean has no direction. */
const EPSILON = 1e-8;

export default defineMergeMethod({
  id: 'multislerp',
  title: 'MultiSlerp',
  description:
    'Weighted mean direction of any number of models, or of their differences from a base, with their weighted mean norm.',
  source: 'Goddard, https://goddard.blog/posts/multislerp-wow-what-a-cool-idea; mergekit multislerp',
  models: { min: 1 },
  base: 'optional',
  weighted: true,
  params: {
    normalize: { default: true, tooltip: 'Divide the weights by their sum.' },
  },
  version: 1,
  reach: 'tile',

  merge(tensor) {
    const weights = tensor.params.normalize ? normaliseWeights(tensor.weights) : tensor.weights;
    if (tensor.count === 1) return writeCopy(tensor, 0);
    const gram = gramOf(tensor, 'base');
    const keepsScale = Math.fround(weights.reduce((sum, weight) => sum + weight, 0)) === 1;
    if (gram.isUniform && keepsScale) return writeCopy(tensor, 0);
    const norms = weights.map((_, i) => normOf(gram, i));
    // Of the unit vectors in their mean. The definition goes on into the tangent space at that mean, where the
    // weighted sum of the projected unit vectors is zero by construction: the mean direction is the result.
    const parts = weights.map((weight, i) => weight / ((norms[i] ?? 0) + EPSILON));
    const length = Math.sqrt(
      Math.max(
        0,
        parts.reduce(
          (sum, p, i) => sum + parts.reduce((row, q, j) => row + p * q * productOf(gram, i, j), 0),
          0,
        ),
      ),
    );
    if (length < EPSILON) {
      // Two opposite models have a point in between; of more, none is nearer than another.
      if (tensor.count === 2) return writeMix(tensor, weights, 'base');
      throw new LineageError(
        'merge/no-direction',
        `expected models with a mean direction, got some that cancel out in ${JSON.stringify(tensor.name)}`,
      );
    }
    const norm = weights.reduce((sum, weight, i) => sum + weight * (norms[i] ?? 0), 0);
    return writeMix(
      tensor,
      parts.map((part) => (part * norm) / length),
      'base',
    );
  },
});
