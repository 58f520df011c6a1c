import { baseOf, type DeltaTensor } from './deltas.ts';
import type { Params, ParamValues, Tile } from './method.ts';
import { createScratch, SMALLEST_DIVISOR, type Sparse, signOf, sumVotes, votersOf } from './sum-agreeing.ts';

/**
 * The second half of every method on sparse differences: elect a sign for each element, keep the models that agree
 * with it and take their mean; or, plainly, sum all. Sums are float64, rounded once with the base.
 * @see Yadav et al. 2023, "TIES-merging", arXiv:2306.01708, section 4
 */

/** Each model's sparse differences of one tile; the arrays are valid until the next call. */
type SparseDeltas = (tile: Tile) => readonly Sparse[];
/** Starts over at the first element: what is kept may depend on how many were kept before. */
export type Sparsify = () => SparseDeltas;

export const LAMBDA = {
  default: 1,
  min: -10,
  max: 10,
  tooltip: 'Scale of the merged difference before it is added to the base.',
} as const;

/** What the election is asked; every method with one spreads these. */
export const ELECTION_PARAMS = {
  sign: {
    default: 'mass',
    choices: ['mass', 'count'],
    tooltip:
      'An element takes the sign of the sum of its differences (mass), or the one more models have (count).',
  },
  sign_weighted: {
    default: true,
    tooltip: 'Whether differences are multiplied with the weights of their models before signs are elected.',
  },
  zero_sign: {
    default: 'positive',
    choices: ['positive', 'majority', 'drop'],
    tooltip:
      'Where the election ends in a draw: positive, the sign that won most elements, or leave the base as it is.',
  },
  normalize: {
    default: 'weights',
    choices: ['weights', 'count', 'none'],
    tooltip:
      'Divide the sum of what agrees by the sum of its weights, by the number of models, or by nothing.',
  },
  lambda: LAMBDA,
} as const satisfies Params;

type Election = ParamValues<typeof ELECTION_PARAMS>;

/** The sum of the elected signs over the elements of a tensor, for `zero_sign: majority`. */
export function sumElected(
  tensor: Pick<DeltaTensor, 'weights' | 'visit'>,
  sparsify: Sparsify,
  election: Election,
): number {
  const voters = votersOf(tensor.weights, election);
  const sparse = sparsify();
  const scratch = createScratch();
  let sum = 0;
  tensor.visit((tile) => {
    const votes = scratch(tile.length);
    sumVotes(sparse(tile), voters, election.sign, votes);
    sum += sumSigns(votes);
  });
  return sum;
}

function sumSigns(votes: Float64Array): number {
  const { length } = votes;
  let sum = 0;
  for (let i = 0; i < length; i++) sum += signOf(votes[i] ?? 0);
  return sum;
}

/** The sign of a draw. A majority that is itself a draw is negative, as in the code of the paper. */
function signOfDraw(zeroSign: Election['zero_sign'], majority: number): number {
  if (zeroSign === 'positive') return 1;
  if (zeroSign === 'drop') return 0;
  return majority > 0 ? 1 : -1;
}

/**
 * Writes base + λ · mean of the differences whose sign was elected.
 *
 * @param majority the sum of elected signs where it was taken over more than this tensor.
 */
export function mergeByElection(
  tensor: DeltaTensor,
  sparsify: Sparsify,
  election: Election,
  majority?: number,
): void {
  const { zero_sign: zeroSign, sign, lambda } = election;
  const total = zeroSign === 'majority' ? (majority ?? sumElected(tensor, sparsify, election)) : 0;
  const draw = signOfDraw(zeroSign, total);
  const voters = votersOf(tensor.weights, election);
  const merge = tensor.arithmetic.createElector({ voters, sign, draw, lambda });
  const sparse = sparsify();
  tensor.write((tile, out) => merge(sparse(tile), baseOf(tile), out));
}

/** Writes base + λ · Σ weight · difference, divided by the sum of the weights where `normalize` says so. */
export function mergeBySum(
  tensor: DeltaTensor,
  sparsify: Sparsify,
  { normalize, lambda }: { readonly normalize: boolean; readonly lambda: number },
): void {
  const { weights } = tensor;
  const whole = weights.reduce((sum, weight) => sum + weight, 0);
  const scale = normalize && Math.abs(whole) >= SMALLEST_DIVISOR ? lambda / whole : lambda;
  const merge = tensor.arithmetic.createAdder(weights, scale);
  const sparse = sparsify();
  tensor.write((tile, out) => merge(sparse(tile), baseOf(tile), out));
}
