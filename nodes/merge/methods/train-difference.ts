import { defineMergeMethod } from '../method.ts';

/** What the definition scales by so that the result is as strong as training would have made it. */
const STRENGTH = 1.8;

export default defineMergeMethod({
  id: 'train-difference',
  title: 'Train difference',
  description:
    'Adds to model A what set model B apart from model C, the less of it the nearer A is to B already, as if A had been trained the same way.',
  source:
    'sd-webui-supermerger, "trainDifference": A + 1.8 alpha s (B - C), s = |B - A| / (|B - A| + |B - C|)',
  models: { min: 3, max: 3 },
  base: 'none',
  weighted: false,
  params: {
    alpha: { default: 1, min: -2, max: 2, tooltip: 'How much of the difference is added: 0 is A.' },
  },
  version: 1,
  reach: 'tile',

  merge({ params: { alpha }, write }) {
    write(({ models: [a, b, c], length }, out) => {
      if (alpha === 0) return;
      for (let i = 0; i < length; i++) {
        const x = a?.[i] ?? 0;
        const y = b?.[i] ?? 0;
        const toA = Math.abs(y - x);
        const difference = y - (c?.[i] ?? 0);
        if (toA === 0 || difference === 0) continue;
        out[i] = x + ((STRENGTH * alpha * toA) / (toA + Math.abs(difference))) * difference;
      }
    });
  },
});
