import { defineMergeMethod } from '../method.ts';

/** Differences are taken to be at least this. */
const LEAST_DIFFERENCE = 1e-6;

export default defineMergeMethod({
  id: 'nearswap',
  title: 'NearSwap',
  description: 'Takes over from model B where it is near to model A, the more the nearer.',
  source:
    'alchemonaut, https://huggingface.co/alchemonaut/QuartetAnemoi-70B-t0.0001: A + w (B - A), w = t / |A - B|, at most 1',
  models: { min: 2, max: 2 },
  base: 'none',
  weighted: false,
  params: {
    t: {
      default: 0.0001,
      min: 0,
      max: 10,
      tooltip: 'Difference up to which an element is taken from B; beyond, its share falls off. 0 is A.',
    },
  },
  version: 1,
  reach: 'tile',

  merge({ params: { t }, write }) {
    write(({ models: [a, b], length }, out) => {
      for (let i = 0; i < length; i++) {
        const x = a?.[i] ?? 0;
        const y = b?.[i] ?? 0;
        const share = t / Math.max(LEAST_DIFFERENCE, Math.abs(x - y));
        if (share >= 1) out[i] = y;
        else if (share > 0) out[i] = x + share * (y - x);
      }
    });
  },
});
