import { filterFrequencies } from '../fourier.ts';
import { defineMergeMethod } from '../method.ts';

export default defineMergeMethod({
  id: 'fft-crossover',
  title: 'Frequency crossover',
  description:
    'Takes the low frequencies of a tensor from the first model and the high ones from the second.',
  source: 'sd-mecha, crossover',
  version: 1,
  models: { min: 2, max: 2 },
  base: 'none',
  weighted: false,
  reach: 'tensor',
  params: {
    alpha: {
      default: 0.5,
      min: 0,
      max: 1,
      tooltip: 'Share of the second model: 0 takes the first, 1 the second.',
    },
    tilt: {
      default: 0,
      min: 0,
      max: 1,
      tooltip: 'From a sharp cut between frequencies (0) to a weighted sum that knows no frequencies (1).',
    },
  },

  merge(tensor) {
    const { shape, size } = tensor;
    const { alpha, tilt } = tensor.params;
    const share = shareAt(alpha, tilt);
    const radius = radiusOf(shape);
    tensor.write((tile, out) => {
      const [first, second] = tile.models;
      if (!first || !second) throw new Error('expected two models');
      if (alpha === 1) out.set(second);
      if (alpha === 0 || alpha === 1) return;
      // A + filtered (B − A): the transform is linear, and equal models stay as they are.
      const isFlat = tilt === 1 || shape.length === 0;
      const scale = isFlat ? alpha : 1;
      const re = new Float64Array(size).map((_, i) => scale * ((second[i] ?? 0) - (first[i] ?? 0)));
      if (!isFlat) {
        filterFrequencies({ re, im: new Float64Array(size) }, shape, (at) => share(radius(at)));
      }
      for (let i = 0; i < size; i++) out[i] = (first[i] ?? 0) + (re[i] ?? 0);
    });
  },
});

/**
 * The share of the second model at a radius: a line over (radius, share) through (1 − α, 0) at tilt 0, upright, that
 * tilts to the level α at tilt 1, cut off at 0 and 1.
 */
function shareAt(alpha: number, tilt: number): (radius: number) => number {
  const slope = 1 / Math.tan((Math.PI * tilt) / 2);
  // Also of a tilt that is too small for a slope.
  if (slope === Number.POSITIVE_INFINITY) return (radius) => (radius > 1 - alpha ? 1 : 0);
  return (radius) => Math.min(1, Math.max(0, slope * (radius + alpha - 1) + alpha));
}

/** Root mean square over the axes of |frequency| / the largest of its axis; axes of one element have frequency 0. */
function radiusOf(shape: readonly number[]): (at: number) => number {
  return (at) => {
    let rest = at;
    let sum = 0;
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      const side = shape[axis] ?? 1;
      const k = rest % side;
      rest = Math.floor(rest / side);
      if (side > 1) sum += (Math.min(k, side - k) / Math.floor(side / 2)) ** 2;
    }
    return Math.sqrt(sum / shape.length);
  };
}
