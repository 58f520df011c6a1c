import { baseOf, type DeltaTensor } from './deltas.ts';
import type { Params, ParamValues, Tile } from './method.ts';

/**
 * The second half of every method on sparse differences: elect a sign for each element, keep the models that agree
 * with it and take their mean; or, plainly, sum all. Sums are float64, rounded once with the base.
 * @see Yadav et al. 2023, "TIES-merging", arXiv:2306.01708, section 4
 */

/** Each model's sparse and rescaled differences of one tile; the arrays are valid until the next call. */
type SparseDeltas = (tile: Tile) => readonly Float64Array[];
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
/** Divisors nearer to zero are taken for 1. */
const SMALLEST_DIVISOR = 1e-8;

/** −1, 0, 1 or NaN. Math.sign branches, and the signs of differences are noise to a branch predictor. */
function signOf(value: number): number {
  return Number.isNaN(value) ? value : Number(value > 0) - Number(value < 0);
}

/** Sums the votes for each element of the tile; the sign of the sum is the one elected, zero is a draw. */
function sumVotes(
  deltas: readonly Float64Array[],
  weights: readonly number[],
  { sign, sign_weighted: isWeighted }: Pick<Election, 'sign' | 'sign_weighted'>,
  votes: Float64Array,
): void {
  votes.fill(0);
  deltas.forEach((delta, model) => {
    const weight = isWeighted ? (weights[model] ?? 1) : 1;
    if (sign === 'mass') addTimes(weight, delta, votes);
    else addSigns(weight, delta, votes);
  });
}

function addTimes(weight: number, delta: Float64Array, sums: Float64Array): void {
  const { length } = sums;
  for (let i = 0; i < length; i++) sums[i] = (sums[i] ?? 0) + weight * (delta[i] ?? 0);
}

function addSigns(weight: number, delta: Float64Array, sums: Float64Array): void {
  const { length } = sums;
  for (let i = 0; i < length; i++) sums[i] = (sums[i] ?? 0) + signOf(weight * (delta[i] ?? 0));
}

/** The sum of the elected signs over the elements of a tensor, for `zero_sign: majority`. */
export function sumElected(
  tensor: Pick<DeltaTensor, 'weights' | 'visit'>,
  sparsify: Sparsify,
  election: Election,
): number {
  const sparse = sparsify();
  const scratch = createScratch();
  let sum = 0;
  tensor.visit((tile) => {
    const { votes } = scratch(tile.length);
    sumVotes(sparse(tile), tensor.weights, election, votes);
    const { length } = votes;
    for (let i = 0; i < length; i++) sum += signOf(votes[i] ?? 0);
  });
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
  const { weights } = tensor;
  const { zero_sign: zeroSign, normalize, lambda, sign, sign_weighted: isWeighted } = election;
  const total = zeroSign === 'majority' ? (majority ?? sumElected(tensor, sparsify, election)) : 0;
  const draw = signOfDraw(zeroSign, total);
  const voters = weights.map((weight) => ({
    weight,
    vote: isWeighted ? weight : 1,
    // A model of negative weight votes for the opposite of its difference.
    voice: isWeighted ? Math.sign(weight) : 1,
    share: SHARES[normalize] ?? weight,
  }));
  const sparse = sparsify();
  const scratch = createScratch();
  tensor.write((tile, out) => {
    const base = baseOf(tile);
    const deltas = sparse(tile);
    const { votes, sums, divisors } = scratch(tile.length);
    if (sign === 'mass' && deltas.length <= AT_ONCE) {
      votes.fill(0);
      mergeAtOnce(base, deltas, voters, votes, { draw, lambda }, out);
      return;
    }
    sumVotes(deltas, weights, election, votes);
    sums.fill(0);
    divisors.fill(0);
    voters.forEach((voter, index) => {
      const delta = deltas[index];
      if (delta) addAgreeing(delta, voter, draw, votes, sums, divisors);
    });
    const { length } = out;
    for (let i = 0; i < length; i++) {
      const sum = sums[i] ?? 0;
      const change = Number.isFinite(sum)
        ? divide(lambda * sum, divisors[i] ?? 0)
        : mergeAt(i, deltas, voters, electOr(draw, votes[i] ?? 0), lambda);
      out[i] = (base[i] ?? 0) + change;
    }
  });
}

/** What an agreeing model adds to the divisor, where that is not its weight. A divisor of zero is taken for 1. */
const SHARES: Readonly<Partial<Record<Election['normalize'], number>>> = { count: 1, none: 0 };
type Voter = Readonly<Record<'weight' | 'vote' | 'voice' | 'share', number>>;
/** The model that is not there. */
const NOBODY: Voter = { weight: 0, vote: 0, voice: 0, share: 0 };

/** Without a branch; multiplying with 1 and adding 0 is exact. */
function divide(sum: number, divisor: number): number {
  const isOne = Number(Math.abs(divisor) < SMALLEST_DIVISOR);
  return sum / (divisor * (1 - isOne) + isOne);
}

/**
 * Adds weight · difference, and the share, where the sign is the elected one, without a branch on it. A difference that
 * is not finite leaves a sum that is not.
 */
function addAgreeing(
  delta: Float64Array,
  { weight, voice, share }: Voter,
  draw: number,
  votes: Float64Array,
  sums: Float64Array,
  divisors: Float64Array,
): void {
  const { length } = delta;
  for (let i = 0; i < length; i++) {
    const wanted = electOr(draw, votes[i] ?? 0) * voice;
    const value = wanted * (delta[i] ?? 0);
    const agrees = Number(value > 0);
    sums[i] = (sums[i] ?? 0) + wanted * weight * (agrees * value);
    divisors[i] = (divisors[i] ?? 0) + share * agrees;
  }
}

function electOr(draw: number, vote: number): number {
  const elected = Number(vote > 0) - Number(vote < 0);
  return elected + (1 - Math.abs(elected)) * draw;
}

const AT_ONCE = 3;

/** Votes by mass, sums and writes in one loop: a third of the time that a loop for each takes. */
function mergeAtOnce(
  base: Float32Array,
  deltas: readonly Float64Array[],
  voters: readonly Voter[],
  zeros: Float64Array,
  { draw, lambda }: { readonly draw: number; readonly lambda: number },
  out: Float32Array,
): void {
  const [a = zeros, b = zeros, c = zeros] = deltas;
  const [ofA = NOBODY, ofB = NOBODY, ofC = NOBODY] = voters;
  const { vote: voteA, voice: voiceA, share: shareA } = ofA;
  const { vote: voteB, voice: voiceB, share: shareB } = ofB;
  const { vote: voteC, voice: voiceC, share: shareC } = ofC;
  const weightA = voiceA * ofA.weight;
  const weightB = voiceB * ofB.weight;
  const weightC = voiceC * ofC.weight;
  const { length } = out;
  for (let i = 0; i < length; i++) {
    const atA = a[i] ?? 0;
    const atB = b[i] ?? 0;
    const atC = c[i] ?? 0;
    const wanted = electOr(draw, voteA * atA + voteB * atB + voteC * atC);
    const valueA = wanted * voiceA * atA;
    const valueB = wanted * voiceB * atB;
    const valueC = wanted * voiceC * atC;
    const agreesA = Number(valueA > 0);
    const agreesB = Number(valueB > 0);
    const agreesC = Number(valueC > 0);
    const sumA = wanted * weightA * (agreesA * valueA);
    const sumB = wanted * weightB * (agreesB * valueB);
    const sumC = wanted * weightC * (agreesC * valueC);
    // From +0 on, as sums that start with nothing do.
    const sum = 0 + sumA + sumB + sumC;
    const change = Number.isFinite(sum)
      ? divide(lambda * sum, shareA * agreesA + shareB * agreesB + shareC * agreesC)
      : mergeAt(i, deltas, voters, electOr(draw, voteA * atA + voteB * atB + voteC * atC), lambda);
    out[i] = (base[i] ?? 0) + change;
  }
}

/** The change of one element, of any differences: the definition. */
function mergeAt(
  i: number,
  deltas: readonly Float64Array[],
  voters: readonly Voter[],
  elected: number,
  lambda: number,
): number {
  let sum = 0;
  let divisor = 0;
  voters.forEach(({ weight, voice, share }, index) => {
    const value = deltas[index]?.[i] ?? 0;
    if (value === 0 || Math.sign(value) * voice !== elected) return;
    sum += weight * value;
    divisor += share;
  });
  return divide(lambda * sum, divisor);
}

/** Gives arrays of a length, the same ones as long as it is asked for the same. */
function createScratch(): (length: number) => Record<'votes' | 'sums' | 'divisors', Float64Array> {
  const make = (length: number) => ({
    votes: new Float64Array(length),
    sums: new Float64Array(length),
    divisors: new Float64Array(length),
  });
  let arrays = make(0);
  return (length) => {
    if (arrays.votes.length !== length) arrays = make(length);
    return arrays;
  };
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
  const sparse = sparsify();
  const scratch = createScratch();
  tensor.write((tile, out) => {
    const base = baseOf(tile);
    const { sums } = scratch(tile.length);
    sums.fill(0);
    sparse(tile).forEach((delta, model) => {
      addTimes(weights[model] ?? 1, delta, sums);
    });
    const { length } = out;
    for (let i = 0; i < length; i++) out[i] = (base[i] ?? 0) + scale * (sums[i] ?? 0);
  });
}
