import { baseOf, createDiffer, type DeltaTensor } from '../deltas.ts';
import { defineMergeMethod } from '../method.ts';
import { type Cut, createSieve, KEEP_ALL, selectLargest } from '../select-magnitude.ts';

export default defineMergeMethod({
  id: 'sce',
  title: 'SCE',
  description:
    'Selects the elements whose differences vary most between models, weighs models by the energy of theirs, erases minority signs.',
  source: 'Wan et al. 2024, "FuseChat", arXiv:2408.07990, section 3.3',
  version: 1,
  models: { min: 1 },
  base: 'required',
  weighted: false,
  reach: 'tile',
  params: {
    select: {
      default: 1,
      min: 0,
      max: 1,
      tooltip: 'Share of the elements kept, of those whose differences vary at all; the most varying first.',
    },
    floor: {
      default: 0,
      min: 0,
      max: 1,
      tooltip: 'Energies that sum to less weigh all models the same, and no divisor is smaller.',
    },
  },
  presets: { mergekit: { floor: 1e-6 } },

  merge(tensor) {
    const { select, floor } = tensor.params;
    const cut = select < 1 ? cutByVariance(tensor, select) : KEEP_ALL;
    const weights = weighByEnergy(tensor, cut, floor);
    const selected = createSelector(tensor, cut);
    tensor.write((tile, out) => {
      const base = baseOf(tile);
      const deltas = selected(tile);
      for (let i = 0; i < tile.length; i++) {
        let mass = 0;
        for (const delta of deltas) mass += delta[i] ?? 0;
        let sum = 0;
        let divisor = 0;
        for (let model = 0; model < deltas.length; model++) {
          const value = deltas[model]?.[i] ?? 0;
          const weight = weights[model] ?? 0;
          if (value === 0 || value > 0 !== mass >= 0) continue;
          sum += weight * value;
          divisor += weight;
        }
        out[i] = (base[i] ?? 0) + (sum === 0 ? 0 : sum / Math.max(divisor, floor));
      }
    });
  },
});

/** Population variance of each element over the models, rounded to float32. */
function varyOver(deltas: readonly Float32Array[], into: Float32Array): Float32Array {
  for (let i = 0; i < into.length; i++) {
    let mean = 0;
    for (const delta of deltas) mean += (delta[i] ?? 0) / deltas.length;
    let sum = 0;
    for (const delta of deltas) sum += ((delta[i] ?? 0) - mean) ** 2;
    into[i] = sum / deltas.length;
  }
  return into;
}

function cutByVariance(tensor: DeltaTensor, share: number): Cut {
  const differ = createDiffer(tensor.arithmetic);
  let varied = 0;
  tensor.visit((tile) => {
    for (const value of varyOver(differ(tile), new Float32Array(tile.length))) if (value !== 0) varied++;
  });
  const [cut = KEEP_ALL] = selectLargest(
    (look) => tensor.visit((tile) => look([varyOver(differ(tile), new Float32Array(tile.length))])),
    tensor.size,
    [{ column: 0, keep: Math.floor(share * varied) }],
  );
  return cut;
}

/** The differences, zero where the cut does not select them. */
function createSelector(
  { arithmetic }: Pick<DeltaTensor, 'arithmetic'>,
  cut: Cut,
): ReturnType<typeof createDiffer> {
  const differ = createDiffer(arithmetic);
  if (cut === KEEP_ALL) return differ;
  const sieve = createSieve(cut);
  return (tile) => {
    const deltas = differ(tile);
    const kept = new Uint8Array(tile.length);
    sieve(varyOver(deltas, new Float32Array(tile.length)), kept);
    for (const delta of deltas) for (let i = 0; i < delta.length; i++) if (!kept[i]) delta[i] = 0;
    return deltas;
  };
}

/** The share of each model in the sum of squares of what was selected. */
function weighByEnergy(tensor: DeltaTensor, cut: Cut, floor: number): number[] {
  const selected = createSelector(tensor, cut);
  const energies = tensor.weights.map(() => 0);
  tensor.visit((tile) => {
    selected(tile).forEach((delta, model) => {
      let sum = energies[model] ?? 0;
      for (const value of delta) sum += value * value;
      energies[model] = sum;
    });
  });
  const whole = energies.reduce((sum, energy) => sum + energy, 0);
  const isEven = whole === 0 || whole / tensor.size < floor;
  return energies.map((energy) => (isEven ? 1 / energies.length : energy / whole));
}
