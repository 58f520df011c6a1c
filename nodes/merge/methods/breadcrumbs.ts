import { BREADCRUMBS_PARAMS, dropExtremes } from '../drop-extremes.ts';
import { LAMBDA, mergeBySum } from '../elect-sign.ts';
import { defineMergeMethod } from '../method.ts';

export default defineMergeMethod({
  id: 'breadcrumbs',
  title: 'Breadcrumbs',
  description:
    'Masks the largest and the smallest differences of each model and adds the weighted sum to the base.',
  source: 'Davari and Belilovsky 2023, arXiv:2312.06795',
  version: 1,
  models: { min: 1 },
  base: 'required',
  weighted: true,
  reach: 'tile',
  params: {
    ...BREADCRUMBS_PARAMS,
    normalize: { default: false, tooltip: 'Divide the sum by the sum of the weights.' },
    lambda: LAMBDA,
  },

  merge(tensor) {
    mergeBySum(tensor, dropExtremes(tensor, tensor.params), tensor.params);
  },
});
