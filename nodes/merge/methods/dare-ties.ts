import { dropByChance } from '../drop-chance.ts';
import { ELECTION_PARAMS, mergeByElection } from '../elect-sign.ts';
import { defineMergeMethod } from '../method.ts';
import { DROP_PARAMS } from '../sparsify.ts';

export default defineMergeMethod({
  id: 'dare-ties',
  title: 'DARE with elected signs',
  description:
    'Drops elements of the differences by chance, scales up what stays, and merges it as TIES does.',
  source: 'Yu et al. 2023, arXiv:2311.03099; Yadav et al. 2023, arXiv:2306.01708',
  version: 1,
  models: { min: 1 },
  base: 'required',
  weighted: true,
  reach: 'tile',
  params: { ...DROP_PARAMS, ...ELECTION_PARAMS },
  presets: {
    mergekit: { rescale: 'l1', normalize: 'none' },
    peft: { sign_weighted: false, normalize: 'count' },
  },

  merge(tensor) {
    mergeByElection(tensor, dropByChance(tensor, tensor.params), tensor.params);
  },
});
