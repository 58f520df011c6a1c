import { baseOf } from '../deltas.ts';
import { defineMergeMethod } from '../method.ts';
import { filterGaussian, filterMedian3 } from '../smooth.ts';

const SIGMA = 1;

export default defineMergeMethod({
  id: 'smooth-add',
  title: 'Smooth add',
  description:
    'Adds to the first model the difference of the second from the base, smoothed by a median and a Gaussian.',
  source: 'sd-webui-supermerger, smoothAdd: A + α · gaussian(median(B − C)); filters as in scipy.ndimage',
  version: 1,
  models: { min: 2, max: 2 },
  base: 'required',
  weighted: false,
  reach: 'tensor',
  params: {
    alpha: { default: 1, min: -10, max: 10, tooltip: 'How much of the smoothed difference is added.' },
  },

  merge(tensor) {
    const { shape, params } = tensor;
    tensor.write((tile, out) => {
      const base = baseOf(tile);
      const [first, second] = tile.models;
      const difference = new Float64Array(tile.length).map((_, i) => (second?.[i] ?? 0) - (base[i] ?? 0));
      const smooth = filterGaussian(filterMedian3(difference, shape), shape, SIGMA);
      for (let i = 0; i < tile.length; i++) out[i] = (first?.[i] ?? 0) + params.alpha * (smooth[i] ?? 0);
    });
  },
});
