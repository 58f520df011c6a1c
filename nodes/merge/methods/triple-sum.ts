import { defineMergeMethod } from '../method.ts';
import { sumShares } from '../sum-shares.ts';

export default defineMergeMethod({
  id: 'triple-sum',
  title: 'Triple sum',
  description: 'Mixes three models at once: (1 - alpha - beta) A + alpha B + beta C.',
  source: 'sd-webui-supermerger, "Triple sum": A (1 - alpha - beta) + B alpha + C beta',
  models: { min: 3, max: 3 },
  base: 'none',
  weighted: false,
  params: {
    alpha: { default: 0.33, min: 0, max: 1, tooltip: 'Share of B.' },
    beta: {
      default: 0.33,
      min: 0,
      max: 1,
      tooltip: 'Share of C. A has the rest, which is negative where alpha and beta exceed 1.',
    },
  },
  version: 1,

  terms: ({ alpha, beta }) =>
    sumShares([
      { input: 0, share: 1 - alpha - beta },
      { input: 1, share: alpha },
      { input: 2, share: beta },
    ]),
});
