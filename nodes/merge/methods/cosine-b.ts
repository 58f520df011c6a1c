import { cosineSurvey, writeByCosine } from '../cosine.ts';
import { defineMergeMethod } from '../method.ts';

export default defineMergeMethod({
  id: 'cosine-b',
  title: 'Cosine B',
  description:
    'As Cosine A, but with the likeness of whole tensors measured on columns as long as they are. The VAE stays that of A.',
  source:
    'sd-webui-supermerger, "cosineB": k = clip((c - min) / (max - min) - alpha, 0, 1) of the columns as they are; B + k (A - B)',
  models: { min: 2, max: 2 },
  base: 'none',
  weighted: false,
  params: {
    alpha: { default: 0.5, min: 0, max: 1, tooltip: 'Taken off the share of A: at 1, nearly all is B.' },
  },
  version: 1,
  reach: 'tile',
  survey: cosineSurvey('raw'),
  merge: (tensor) => writeByCosine(tensor, 'raw', tensor.params.alpha),
});
