import { defineMergeMethod } from '../method.ts';

export default defineMergeMethod({
  id: 'passthrough',
  title: 'Passthrough',
  description: 'One model as it is, or scaled.',
  source: 'mergekit passthrough: theta * scale',
  models: { min: 1, max: 1 },
  base: 'none',
  weighted: false,
  params: {
    scale: { default: 1, min: -10, max: 10, tooltip: 'Factor of every element: 1 is a plain copy.' },
  },
  version: 1,

  terms: ({ scale }) => [{ weight: scale, plus: 0 }],
});
