import { BREADCRUMBS_PARAMS, dropExtremes } from '../drop-extremes.ts';
import { ELECTION_PARAMS, mergeByElection } from '../elect-sign.ts';
import { defineMergeMethod } from '../method.ts';

export default defineMergeMethod({
  id: 'breadcrumbs-ties',
  title: 'Breadcrumbs with elected signs',
  description:
    'Masks the largest and the smallest differences of each model and merges the rest as TIES does.',
  source: 'Davari and Belilovsky 2023, arXiv:2312.06795; Yadav et al. 2023, arXiv:2306.01708',
  version: 1,
  models: { min: 1 },
  base: 'required',
  weighted: true,
  reach: 'tile',
  params: { ...BREADCRUMBS_PARAMS, ...ELECTION_PARAMS },
  presets: { mergekit: { normalize: 'none' } },

  merge(tensor) {
    mergeByElection(tensor, dropExtremes(tensor, tensor.params), tensor.params);
  },
});
