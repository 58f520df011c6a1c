import { defineMergeMethod } from '../method.ts';

export default defineMergeMethod({
  id: 'n-average',
  title: 'Average',
  description: 'Plain average of any number of models, summed in float64.',
  source: 'Wortsman et al. 2022 (uniform soup), arXiv:2203.05482: sum of theta_i / n',
  models: { min: 1 },
  base: 'none',
  weighted: false,
  params: {},
  version: 1,
  reach: 'tile',

  // Not by terms: a float64 sum of float32 numbers hardly depends on the order of the models.
  merge({ count, write }) {
    let sums = new Float64Array();
    write(({ models, length }, out) => {
      if (sums.length < length) sums = new Float64Array(length);
      sums.fill(0);
      for (const elements of models) {
        for (let i = 0; i < length; i++) sums[i] = (sums[i] ?? 0) + (elements[i] ?? 0);
      }
      for (let i = 0; i < length; i++) out[i] = (sums[i] ?? 0) / count;
    });
  },
});
