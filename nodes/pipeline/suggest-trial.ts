import type { OptimizeStep } from './manifest.ts';

/** A trial that has run: the values it had, in the order of `tune`, and the score it reached. */
export type TriedValues = { readonly values: readonly number[]; readonly score: number };

/** The search closes in this often: a stage looks at a box half as wide as the stage before, around the best so far. */
const STAGES = 4;

/**
 * The values of the next trial. The first stage spreads its trials evenly over all ranges, beginning in their middle;
 * each later one does so in a box around the best. Only the history counts: the same one gives the same values.
 *
 * @param tried in the order they ran; a score that is no number counts as the worst.
 * @see M. Roberts 2018, "The unreasonable effectiveness of quasirandom sequences": the R sequence
 */
export function suggestTrial(
  { tune, trials, goal }: Pick<OptimizeStep, 'tune' | 'trials' | 'goal'>,
  tried: readonly TriedValues[],
): readonly number[] {
  const perStage = Math.max(1, Math.ceil(trials / STAGES));
  const stage = Math.floor(tried.length / perStage);
  const best = bestOf(tried, goal);
  const ratio = spread(tune.length);
  return tune.map(({ min, max }, axis) => {
    const share = (0.5 + tried.length * ratio ** -(axis + 1)) % 1;
    if (stage === 0 || !best) return min + share * (max - min);
    const half = (max - min) / 2 ** (stage + 1);
    const middle = best.values[axis] ?? (min + max) / 2;
    const [low, high] = [Math.max(min, middle - half), Math.min(max, middle + half)];
    return low + share * (high - low);
  });
}

/** The first of the best. */
function bestOf(tried: readonly TriedValues[], goal: OptimizeStep['goal']): TriedValues | undefined {
  const sign = goal === 'maximise' ? 1 : -1;
  return tried.reduce<TriedValues | undefined>((best, each) => {
    if (Number.isNaN(each.score)) return best;
    return !best || sign * each.score > sign * best.score ? each : best;
  }, undefined);
}

/** The root above 1 of x^(d+1) = x + 1: for one axis the golden ratio. */
function spread(axes: number): number {
  let x = 2;
  for (let round = 0; round < 64; round++) x = (1 + x) ** (1 / (axes + 1));
  return x;
}
