import { defineMergeMethod } from '../method.ts';
import { sumShares } from '../sum-shares.ts';

export default defineMergeMethod({
  id: 'weighted-sum',
  title: 'Weighted sum',
  description: 'Moves from model A to model B on a straight line: A + alpha (B - A).',
  source: 'Izmailov et al. 2018, arXiv:1803.05407; as lerp, A + alpha (B - A)',
  models: { min: 2, max: 2 },
  base: 'none',
  weighted: false,
  params: {
    alpha: { default: 0.5, min: 0, max: 1, tooltip: 'Share of model B: 0 is A, 1 is B.' },
  },
  version: 1,

  terms: ({ alpha }) =>
    sumShares([
      { input: 0, share: 1 - alpha },
      { input: 1, share: alpha },
    ]),
});
