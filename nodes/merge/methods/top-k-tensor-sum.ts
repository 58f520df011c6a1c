import { argsort, rankValues } from '../argsort.ts';
import { defineMergeMethod } from '../method.ts';

export default defineMergeMethod({
  id: 'top-k-tensor-sum',
  title: 'Top-k tensor sum',
  description:
    "Rearranges the first model's values, within a band of their magnitudes, in the order of the second's.",
  source: 'sd-meh, top_k_tensor_sum',
  version: 1,
  models: { min: 2, max: 2 },
  base: 'none',
  weighted: false,
  reach: 'tensor',
  params: {
    width: { default: 0.5, min: 0, max: 1, tooltip: 'Share of the values that the band holds.' },
    offset: {
      default: 0,
      min: 0,
      max: 1,
      tooltip:
        'Share of smaller values below the band; a band that leaves at the top comes in at the bottom.',
    },
  },

  merge(tensor) {
    const { size } = tensor;
    const { width, offset } = tensor.params;
    tensor.write(({ models: [a, b] }, out) => {
      if (!a || !b) throw new Error('expected two models');
      const order = argsort(a);
      const magnitudes = a.map(Math.abs).sort();
      const ranks = rankValues(b);
      const isInBand = bandOf(magnitudes, width, offset);
      for (let i = 0; i < size; i++) {
        const value = a[order[ranks[i] ?? 0] ?? 0] ?? 0;
        if (isInBand(Math.abs(value))) out[i] = value;
      }
    });
  },
});

/** The band from the magnitude of one rank, exclusive, to that of another. */
function bandOf(magnitudes: Float32Array, width: number, offset: number): (magnitude: number) => boolean {
  const size = magnitudes.length;
  const from = offset % 1;
  const isWrapped = width + from > 1;
  const start = roundHalfToEven((isWrapped ? width + from - 1 : from) * size);
  const end = roundHalfToEven((isWrapped ? from : width + from) * size);
  const at = (rank: number): number => (rank <= 0 ? -1 : (magnitudes[rank - 1] ?? Infinity));
  const low = at(start);
  const high = at(end);
  return (magnitude) => (low < magnitude && magnitude <= high) !== isWrapped;
}

function roundHalfToEven(value: number): number {
  const floor = Math.floor(value);
  if (value - floor !== 0.5) return Math.round(value);
  return floor % 2 === 0 ? floor : floor + 1;
}
