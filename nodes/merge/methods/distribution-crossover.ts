import { argsort } from '../argsort.ts';
import { baseOf } from '../deltas.ts';
import { filterFrequencies } from '../fourier.ts';
import { defineMergeMethod } from '../method.ts';

export default defineMergeMethod({
  id: 'distribution-crossover',
  title: 'Distribution crossover',
  description:
    'Sorts two models by the values of the base, takes the low frequencies of the first and the high ones of the second.',
  source: 'sd-meh, distribution_crossover',
  version: 1,
  models: { min: 2, max: 2 },
  base: 'required',
  weighted: false,
  reach: 'tensor',
  params: {
    alpha: {
      default: 0.5,
      min: 0,
      max: 1,
      tooltip: 'Where the crossover is: 1 takes all from the first model.',
    },
    smooth: { default: 0, min: 0, max: 1, tooltip: 'Width of the crossover, as a share of all frequencies.' },
  },

  merge(tensor) {
    const { size } = tensor;
    const { alpha, smooth } = tensor.params;
    const frequencies = Math.floor(size / 2) + 1;
    // Share of the second model at a frequency and at its negative.
    const share = (at: number): number => {
      if (size === 1) return 1 - alpha;
      const place = Math.min(at, size - at) / frequencies;
      if (smooth === 0) return place >= alpha ? 1 : 0;
      return Math.min(1, Math.max(0, (place - alpha) / smooth + 0.5));
    };
    tensor.write((tile, out) => {
      const [first, second] = tile.models;
      if (!first || !second) throw new Error('expected two models');
      if (share(0) === 1) {
        out.set(second);
        return;
      }
      // A + filtered (B − A): the transform is linear, and equal models stay as they are.
      const order = argsort(baseOf(tile));
      const re = new Float64Array(size);
      order.forEach((at, place) => {
        re[place] = (second[at] ?? 0) - (first[at] ?? 0);
      });
      filterFrequencies({ re, im: new Float64Array(size) }, [size], share);
      order.forEach((at, place) => {
        out[at] = (first[at] ?? 0) + (re[place] ?? 0);
      });
    });
  },
});
