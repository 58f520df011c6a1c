import { cosineSurvey, writeByCosine } from '../cosine.ts';
import { defineMergeMethod } from '../method.ts';

export default defineMergeMethod({
  id: 'cosine-a',
  title: 'Cosine A',
  description:
    "Keeps model A where its columns point as model B's do, and takes B's where they differ. The VAE stays A's.",
  source:
    'sd-webui-supermerger, "cosineA": k = clip((c - min) / (max - min) - alpha, 0, 1) of the columns brought to length 1; B + k (A - B)',
  models: { min: 2, max: 2 },
  base: 'none',
  weighted: false,
  params: {
    alpha: { default: 0.5, min: 0, max: 1, tooltip: 'Taken off the share of A: at 1, nearly all is B.' },
  },
  version: 1,
  reach: 'tile',
  survey: cosineSurvey('unit'),
  merge: (tensor) => writeByCosine(tensor, 'unit', tensor.params.alpha),
});
