import { defineMergeMethod } from '../method.ts';
import { differenceTerm } from '../sum-shares.ts';

export default defineMergeMethod({
  id: 'add-difference',
  title: 'Add difference',
  description: 'Adds what sets model B apart from model C to model A: A + alpha (B - C).',
  source:
    'AUTOMATIC1111 stable-diffusion-webui, checkpoint merger: A + (B - C) M; Ilharco et al. 2022, arXiv:2212.04089',
  models: { min: 3, max: 3 },
  base: 'none',
  weighted: false,
  params: {
    alpha: { default: 1, min: -2, max: 2, tooltip: 'How much of the difference is added: 0 is A.' },
  },
  version: 1,

  terms: ({ alpha }) => [{ weight: 1, plus: 0 }, ...(alpha === 0 ? [] : [differenceTerm(alpha, 1, 2)])],
});
