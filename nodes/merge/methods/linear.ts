import { defineMergeMethod } from '../method.ts';
import { sumShares } from '../sum-shares.ts';
import { normaliseWeights } from '../weights.ts';

export default defineMergeMethod({
  id: 'linear',
  title: 'Linear',
  description:
    'Weighted sum of any number of models. Where the weights are not normalised and do not sum to 1, the result is scaled by their sum.',
  source:
    'Wortsman et al. 2022 (model soups), arXiv:2203.05482: sum of w_i theta_i, divided by the sum of w_i',
  models: { min: 1 },
  base: 'none',
  weighted: true,
  params: {
    normalize: {
      default: true,
      tooltip: 'Divide the weights by their sum, so that the result keeps its scale.',
    },
  },
  version: 1,

  terms({ normalize }, weights) {
    const shares = normalize ? normaliseWeights(weights) : weights;
    return sumShares(shares.map((share, input) => ({ input, share })));
  },
});
