import { defineMergeMethod } from '../method.ts';
import { sumShares } from '../sum-shares.ts';

export default defineMergeMethod({
  id: 'sum-twice',
  title: 'Sum twice',
  description: 'Mixes A with B, then the result with C: (1 - beta) ((1 - alpha) A + alpha B) + beta C.',
  source: 'sd-webui-supermerger, "sum Twice": two weighted sums, one after the other',
  models: { min: 3, max: 3 },
  base: 'none',
  weighted: false,
  params: {
    alpha: { default: 0.5, min: 0, max: 1, tooltip: 'Share of B in the first mix.' },
    beta: { default: 0.5, min: 0, max: 1, tooltip: 'Share of C in the second mix: 1 is C.' },
  },
  version: 1,

  terms: ({ alpha, beta }) =>
    sumShares([
      { input: 0, share: (1 - beta) * (1 - alpha) },
      { input: 1, share: (1 - beta) * alpha },
      { input: 2, share: beta },
    ]),
});
