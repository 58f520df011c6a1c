import { type Gram, gramOf, normOf, productOf } from '../gram.ts';
import { defineMergeMethod } from '../method.ts';
import { writeMix } from '../write-mix.ts';

/** Products of norms are taken to be at least this. */
const LEAST_NORMS = 1e-6;

export default defineMergeMethod({
  id: 'model-stock',
  title: 'Model stock',
  description:
    'Moves from the base to the average of the models, the farther the more their differences from the base agree.',
  source: 'Jang et al. 2024, arXiv:2403.19522: t = k cos / (1 + (k - 1) cos), held within 0 and 1',
  models: { min: 2 },
  base: 'required',
  weighted: false,
  params: {
    angle: {
      default: 'cosines',
      choices: ['cosines', 'angles', 'neighbours'],
      tooltip:
        'What is averaged for more than two models: the cosines of all pairs (mergekit), their angles (FusionBench), or the cosines of neighbours in the list (sd-mecha).',
    },
  },
  version: 1,
  reach: 'tile',

  merge(tensor) {
    const { count } = tensor;
    const cosine = meanCosine(gramOf(tensor, 'base'), tensor.params.angle);
    const t = cosine <= 0 ? 0 : Math.min(1, (count * cosine) / (1 + (count - 1) * cosine));
    writeMix(
      tensor,
      Array.from({ length: count }, () => t / count),
      'base',
    );
  },
});

/** Of the differences from the base. A model that is the base is at a right angle to all others. */
function meanCosine(gram: Gram, angle: 'cosines' | 'angles' | 'neighbours'): number {
  let [sum, pairs] = [0, 0];
  for (let i = 1; i < gram.count; i++) {
    for (let j = angle === 'neighbours' ? i - 1 : 0; j < i; j++) {
      const norms = Math.max(LEAST_NORMS, normOf(gram, i) * normOf(gram, j));
      const cosine = Math.min(1, Math.max(-1, productOf(gram, i, j) / norms));
      sum += angle === 'angles' ? Math.acos(cosine) : cosine;
      pairs++;
    }
  }
  return angle === 'angles' ? Math.cos(sum / pairs) : sum / pairs;
}
