import { dropByChance } from '../drop-chance.ts';
import { LAMBDA, mergeBySum } from '../elect-sign.ts';
import { defineMergeMethod } from '../method.ts';
import { DROP_PARAMS } from '../sparsify.ts';

export default defineMergeMethod({
  id: 'dare-linear',
  title: 'DARE',
  description:
    'Drops elements of the differences by chance, scales up what stays, and adds the weighted sum to the base.',
  source: 'Yu et al. 2023, arXiv:2311.03099',
  version: 1,
  models: { min: 1 },
  base: 'required',
  weighted: true,
  reach: 'tile',
  params: {
    ...DROP_PARAMS,
    normalize: { default: false, tooltip: 'Divide the sum by the sum of the weights.' },
    lambda: LAMBDA,
  },
  presets: { mergekit: { rescale: 'l1' }, peft: { rescale: 'density' } },

  merge(tensor) {
    mergeBySum(tensor, dropByChance(tensor, tensor.params), tensor.params);
  },
});
