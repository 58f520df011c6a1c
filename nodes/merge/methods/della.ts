import { rankValues } from '../argsort.ts';
import { createDiffer, type DeltaTensor, inRows, rowElements } from '../deltas.ts';
import { CHANCES } from '../drop-chance.ts';
import { ELECTION_PARAMS, mergeByElection, mergeBySum, type Sparsify } from '../elect-sign.ts';
import { defineMergeMethod, type ParamValues } from '../method.ts';
import { drawKey, fillDraws } from '../philox.ts';
import { DROP_PARAMS, matchMagnitudes } from '../sparsify.ts';

const PARAMS = {
  ...DROP_PARAMS,
  epsilon: {
    default: 0.15,
    min: 0,
    max: 1,
    tooltip: 'How far the chance to be kept rises from the smallest to the largest element of a row.',
  },
  elect: { default: true, tooltip: 'Elect signs as TIES does; off: add the weighted sum.' },
  ...ELECTION_PARAMS,
} as const;

export default defineMergeMethod({
  id: 'della',
  title: 'DELLA',
  description:
    'Drops elements of the differences by chance, small ones of a row rather than large ones, and merges what stays.',
  source: 'Deep et al. 2024, arXiv:2406.11617',
  version: 1,
  models: { min: 1 },
  base: 'required',
  weighted: true,
  reach: 'tensor',
  params: PARAMS,
  presets: {
    mergekit: { epsilon: 0.3, rescale: 'l1' },
    'mergekit-linear': { epsilon: 0.3, rescale: 'l1', elect: false, normalize: 'none' },
  },

  merge(tensor) {
    const { elect, normalize } = tensor.params;
    const rows = inRows(tensor);
    const dropped = dropByRank(rows, tensor.params);
    const sparsify = tensor.params.rescale === 'l1' ? matchMagnitudes(rows, dropped) : dropped;
    if (elect) mergeByElection(rows, sparsify, tensor.params);
    else mergeBySum(rows, sparsify, { ...tensor.params, normalize: normalize !== 'none' });
  },
});

/**
 * Keeps the element of rank r (0 smallest) in a row of n with a chance of d + ε (r / (n − 1) − ½), within 0 and 1 and
 * rounded to 1/65,536, and scales it by 1 / that chance. A row of one element has the chance d.
 */
function dropByRank(
  tensor: DeltaTensor,
  { density, epsilon, rescale, seed }: ParamValues<typeof PARAMS>,
): Sparsify {
  const length = rowElements(tensor);
  const keys = tensor.weights.map((_, model) => drawKey(seed, tensor.name, model));
  const chances = new Uint32Array(length).map((_, rank) => {
    const middle = length === 1 ? 0 : rank / (length - 1) - 0.5;
    return Math.round(Math.min(1, Math.max(0, density + epsilon * middle)) * CHANCES);
  });
  return () => {
    const differ = createDiffer(tensor.arithmetic);
    return (tile) => {
      const draws = new Uint16Array(tile.length);
      return differ(tile).map((delta, model) => {
        const values = new Float64Array(tile.length);
        fillDraws(keys[model] ?? [0, 0], tile.start, draws);
        for (let row = 0; row < tile.length; row += length) {
          const ranks = rankValues(delta.subarray(row, row + length).map(Math.abs));
          for (let i = 0; i < length; i++) {
            const chance = chances[ranks[i] ?? 0] ?? 0;
            if ((draws[row + i] ?? 0) >= chance) continue;
            values[row + i] = (rescale === 'density' ? CHANCES / chance : 1) * (delta[row + i] ?? 0);
          }
        }
        return { values, scale: 1 };
      });
    };
  };
}
