import { patternsOf } from './count-level.ts';
import { createDiffer, type DeltaTensor, keepBuffers } from './deltas.ts';
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
    const differ = createDiffer(tensor.arithmetic);
    const take = keepBuffers(tensor.arithmetic);
    let draws = new Uint16Array();
    return (tile) => {
      if (draws.length !== tile.length) draws = new Uint16Array(tile.length);
      const kept = take(keys.length, tile.length);
      differ(tile).forEach((delta, model) => {
        const [key, into] = [keys[model], kept[model]];
        if (!key || !into) return;
        fillDraws(key, tile.start, draws);
        keepBelow(delta, draws, chance, into);
      });
      return kept.map((values) => ({ values, scale }));
    };
  };
  return rescale === 'l1' ? matchMagnitudes(tensor, sparsify) : sparsify;
}

/**
 * The elements whose draw is below the chance; zero elsewhere. By bits: draws are noise to a branch predictor, and zero
 * times infinity is no zero.
 */
function keepBelow(delta: Float32Array, draws: Uint16Array, chance: number, into: Float32Array): void {
  const from = patternsOf(delta);
  const to = patternsOf(into);
  const { length } = to;
  for (let i = 0; i < length; i++) to[i] = (from[i] ?? 0) & (((draws[i] ?? 0) - chance) >> 31);
}
