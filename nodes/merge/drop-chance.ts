import { createDiffer, type DeltaTensor } from './deltas.ts';
import type { Sparsify } from './elect-sign.ts';
import type { ParamValues } from './method.ts';
import { drawKey, fillDraws } from './philox.ts';
import { type DROP_PARAMS, matchMagnitudes } from './sparsify.ts';

type Drop = ParamValues<typeof DROP_PARAMS>;
/** What a 16-bit draw is below with a chance of 1. */
export const CHANCES = 65_536;

/**
 * Drops elements of each difference by chance and scales those that stay by 1 / the chance that they had, a multiple of
 * 1/65,536, so that the mean is kept.
 *
 * @see Yu et al. 2023, "DARE", arXiv:2311.03099
 */
export function dropByChance(tensor: DeltaTensor, { density, rescale, seed }: Drop): Sparsify {
  const chance = Math.round(density * CHANCES);
  const scale = rescale === 'density' && chance > 0 ? CHANCES / chance : 1;
  const keys = tensor.weights.map((_, model) => drawKey(seed, tensor.name, model));
  const sparsify: Sparsify = () => {
    const differ = createDiffer();
    return (tile) => {
      const draws = new Uint16Array(tile.length);
      return differ(tile).map((delta, model) => {
        const sparse = new Float64Array(tile.length);
        fillDraws(keys[model] ?? [0, 0], tile.start, draws);
        for (let i = 0; i < sparse.length; i++) {
          if ((draws[i] ?? 0) < chance) sparse[i] = scale * (delta[i] ?? 0);
        }
        return sparse;
      });
    };
  };
  return rescale === 'l1' ? matchMagnitudes(tensor, sparsify) : sparsify;
}
