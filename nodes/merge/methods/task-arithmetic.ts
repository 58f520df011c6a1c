import { BASE, defineMergeMethod } from '../method.ts';
import { sumShares } from '../sum-shares.ts';
import { normaliseWeights } from '../weights.ts';

export default defineMergeMethod({
  id: 'task-arithmetic',
  title: 'Task arithmetic',
  description: 'Adds what each model learnt to the base: base + lambda * sum of w_i (model_i - base).',
  source: 'Ilharco et al. 2022, arXiv:2212.04089',
  models: { min: 1 },
  base: 'required',
  weighted: true,
  params: {
    lambda: { default: 1, min: -2, max: 4, tooltip: 'Scales the sum of differences: 0 is the base.' },
    normalize: { default: false, tooltip: 'Divide the weights by their sum.' },
  },
  version: 1,

  terms({ lambda, normalize }, weights) {
    const shares = (normalize ? normaliseWeights(weights) : weights).map((weight) => lambda * weight);
    const rest = 1 - shares.reduce((sum, share) => sum + share, 0);
    return sumShares([{ input: BASE, share: rest }, ...shares.map((share, input) => ({ input, share }))]);
  },
});
