import { defineMergeMethod } from '../method.ts';
import { CHANGE_PARAMS, countShared, mergeChanges } from '../share-changes.ts';

export default defineMergeMethod({
  id: 'ram-plus',
  title: 'Reinforced agent merging, rescaled',
  description:
    'As RAM, and scales up the changes of one model the more, the more of its changes others share.',
  source: 'Yuan et al. 2026, arXiv:2601.13572',
  version: 1,
  models: { min: 1 },
  base: 'required',
  weighted: false,
  reach: 'tile',
  params: {
    ...CHANGE_PARAMS,
    scope: {
      default: 'global',
      choices: ['tensor', 'global'],
      tooltip: 'Whether changes are counted in each tensor, or in the whole model as in the paper.',
    },
    r: {
      default: 0.1,
      min: 0,
      max: 10,
      tooltip: 'How much the scale grows with the ratio of shared to own changes.',
    },
    alpha: { default: 0.2, min: 0, max: 10, tooltip: 'The largest ratio that counts.' },
  },
  presets: { paper: { scope: 'global' }, mergekit: { scope: 'tensor' } },
  survey: {
    rounds: ({ scope }) => (scope === 'global' ? 1 : 0),
    look: (view) => countShared(view, view.params.epsilon),
    combine: ([first, ...rest]) =>
      rest.reduce((sum, part) => sum.map((count, i) => count + (part[i] ?? 0)), first ?? new Float64Array()),
  },

  merge(tensor) {
    const { epsilon, scope, r, alpha } = tensor.params;
    const counts = (scope === 'global' ? tensor.survey[0] : undefined) ?? countShared(tensor, epsilon);
    const scales = tensor.weights.map((_, model) => {
      const shared = counts[2 * model] ?? 0;
      const own = counts[2 * model + 1] ?? 0;
      // Without changes of its own a model has nothing to scale, whatever this is.
      return 1 + r * Math.min(shared / own, alpha);
    });
    mergeChanges(tensor, epsilon, scales);
  },
});
