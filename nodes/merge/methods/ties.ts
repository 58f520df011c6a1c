import { mergeByElection } from '../elect-sign.ts';
import { defineMergeMethod } from '../method.ts';
import { cutDeltas, sieveDeltas } from '../sparsify.ts';
import { countKept, cutBy, surveyedCuts, TIES_PARAMS, TIES_SURVEY } from '../survey-ties.ts';

export default defineMergeMethod({
  id: 'ties',
  title: 'TIES',
  description:
    'Keeps the largest differences of each model, elects one sign for each element and averages the models that have it.',
  source: 'Yadav et al. 2023, arXiv:2306.01708',
  version: 1,
  models: { min: 1 },
  base: 'required',
  weighted: true,
  reach: 'tile',
  params: TIES_PARAMS,
  presets: {
    paper: { density: 0.2, scope: 'global', keep: 'threshold', zero_sign: 'majority', normalize: 'count' },
    mergekit: { scope: 'tensor', keep: 'exact', zero_sign: 'positive', normalize: 'weights' },
    peft: { scope: 'tensor', keep: 'exact', sign_weighted: false, normalize: 'count' },
  },
  survey: TIES_SURVEY,

  merge(tensor) {
    const { scope, keep } = tensor.params;
    const isGlobal = scope === 'global';
    const cuts = isGlobal
      ? surveyedCuts(tensor, keep).map((cut) => [cut])
      : cutDeltas(tensor, [countKept(tensor.params, tensor.size)]).map((ofModel) =>
          ofModel.map((cut) => cutBy(keep, cut)),
        );
    mergeByElection(
      tensor,
      sieveDeltas(tensor, cuts),
      tensor.params,
      isGlobal ? tensor.survey.at(-1)?.[0] : undefined,
    );
  },
});
