import { defineMergeMethod } from '../method.ts';
import { CHANGE_PARAMS, mergeChanges } from '../share-changes.ts';

export default defineMergeMethod({
  id: 'ram',
  title: 'Reinforced agent merging',
  description: 'Averages the changes that several models share and adds those of one model whole.',
  source: 'Yuan et al. 2026, arXiv:2601.13572',
  version: 1,
  models: { min: 1 },
  base: 'required',
  weighted: false,
  reach: 'tile',
  params: CHANGE_PARAMS,

  merge(tensor) {
    mergeChanges(
      tensor,
      tensor.params.epsilon,
      tensor.weights.map(() => 1),
    );
  },
});
