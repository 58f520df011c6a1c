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

/** What a model brings to the election of a sign, and to the mean of what agrees with it. */
type Voter = Readonly<Record<'weight' | 'vote' | 'voice' | 'share', number>>;

function votersOf(weights: readonly number[], election: Election): Voter[] {
  const { normalize, sign_weighted: isWeighted } = election;
  return weights.map((weight) => ({
    weight,
    vote: isWeighted ? weight : 1,
    // A model of negative weight votes for the opposite of its difference.
    voice: isWeighted ? Math.sign(weight) : 1,
    share: normalize === 'weights' ? weight : Number(normalize === 'count'),
  }));
}

/** Sums the votes for each element: the sign of the sum is the one elected, zero is a draw. */
function sumVotes(
  deltas: readonly Float64Array[],
  voters: readonly Voter[],
  sign: Election['sign'],
  votes: Float64Array,
): void {
  const add = sign === 'mass' ? addTimes : addSigns;
  votes.fill(0);
  deltas.forEach((delta, model) => {
    add(voters[model]?.vote ?? 1, delta, votes);
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

/** Math.sign branches, and the signs of differences are noise to a branch predictor. */
function signOf(value: number): number {
  return Number.isNaN(value) ? value : Number(value > 0) - Number(value < 0);
}

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
    const { votes } = scratch(tile.length);
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
  const tables = voters.map((voter) => tabulate(voter, draw));
  const triple = tables.length <= 3 ? tabulateTriple(tables) : undefined;
  const sparse = sparsify();
  const scratch = createScratch();
  tensor.write((tile, out) => {
    const deltas = sparse(tile);
    const { votes, sums, divisors } = scratch(tile.length);
    if (triple && sign === 'mass') sumTriple(deltas, voters, triple, sums, divisors);
    else {
      sumVotes(deltas, voters, sign, votes);
      sums.fill(0);
      divisors.fill(0);
      tables.forEach((table, model) => {
        const delta = deltas[model];
        if (delta) addAgreeing(delta, table, votes, sums, divisors);
      });
    }
    mendSums(deltas, voters, sign, draw, sums, divisors);
    writeMeans(baseOf(tile), sums, divisors, lambda, out);
  });
}

/** Whether a difference of some sign is of the sign that was elected. */
function isAgreeing(sign: number, voice: number, elected: number): boolean {
  return sign !== 0 && sign * voice === elected;
}

/** What a model adds, by the codes of its difference (two bits) and of the votes: a table instead of branches. */
type Table = { readonly weights: Float64Array; readonly shares: Float64Array };
/** Signs by their codes. */
const SIGNS = [0, 1, -1, 0] as const;

function codeOf(value: number): number {
  return Number(value > 0) | (Number(value < 0) << 1);
}

function tabulate({ weight, voice, share }: Voter, draw: number): Table {
  const agrees = Array.from({ length: 16 }, (_, code) =>
    Number(isAgreeing(SIGNS[code & 3] ?? 0, voice, (SIGNS[code >> 2] ?? 0) || draw)),
  );
  return {
    weights: Float64Array.from(agrees, (is) => (is ? weight : 0)),
    shares: Float64Array.from(agrees, (is) => (is ? share : 0)),
  };
}

/** Adds weight · difference, and the share, where the model agrees. What is not finite leaves a sum that is not. */
function addAgreeing(
  delta: Float64Array,
  { weights, shares }: Table,
  votes: Float64Array,
  sums: Float64Array,
  divisors: Float64Array,
): void {
  const { length } = sums;
  for (let i = 0; i < length; i++) {
    const value = delta[i] ?? 0;
    const code = codeOf(value) | (codeOf(votes[i] ?? 0) << 2);
    sums[i] = (sums[i] ?? 0) + (weights[code] ?? 0) * value;
    divisors[i] = (divisors[i] ?? 0) + (shares[code] ?? 0);
  }
}

/** The tables of up to three models, by the codes of all of them and of the votes. */
type Triple = Readonly<Record<'a' | 'b' | 'c' | 'divisors', Float64Array>>;

function tabulateTriple(tables: readonly Table[]): Triple {
  const of = (model: number, kind: keyof Table): Float64Array =>
    new Float64Array(256).map(
      (_, code) => tables[model]?.[kind][((code >> (2 * model)) & 3) | ((code >> 6) << 2)] ?? 0,
    );
  const [a, b, c] = [of(0, 'shares'), of(1, 'shares'), of(2, 'shares')];
  return {
    a: of(0, 'weights'),
    b: of(1, 'weights'),
    c: of(2, 'weights'),
    divisors: a.map((share, code) => share + (b[code] ?? 0) + (c[code] ?? 0)),
  };
}

/** Votes by mass and sums what agrees in one loop: half the time of a loop for each. */
function sumTriple(
  deltas: readonly Float64Array[],
  voters: readonly Voter[],
  triple: Triple,
  sums: Float64Array,
  divisors: Float64Array,
): void {
  const { length } = sums;
  const [a = NOTHING, b = NOTHING, c = NOTHING] = deltas;
  const [voteA = 0, voteB = 0, voteC = 0] = voters.map(({ vote }) => vote);
  const { a: weightsA, b: weightsB, c: weightsC, divisors: divisorsOf } = triple;
  // An absent model is read at its first element only.
  const stepB = Number(b !== NOTHING);
  const stepC = Number(c !== NOTHING);
  for (let i = 0; i < length; i++) {
    const valueA = a[i] ?? 0;
    const valueB = b[i * stepB] ?? 0;
    const valueC = c[i * stepC] ?? 0;
    const vote = codeOf(voteA * valueA + voteB * valueB + voteC * valueC);
    const code = codeOf(valueA) | (codeOf(valueB) << 2) | (codeOf(valueC) << 4) | (vote << 6);
    // From +0 on, so that no sum is -0.
    sums[i] =
      0 + (weightsA[code] ?? 0) * valueA + (weightsB[code] ?? 0) * valueB + (weightsC[code] ?? 0) * valueC;
    divisors[i] = divisorsOf[code] ?? 0;
  }
}

const NOTHING = new Float64Array(1);

/** Where a sum is not finite, takes it again over the models that agree and no others: zero times infinity is NaN. */
function mendSums(
  deltas: readonly Float64Array[],
  voters: readonly Voter[],
  sign: Election['sign'],
  draw: number,
  sums: Float64Array,
  divisors: Float64Array,
): void {
  const { length } = sums;
  for (let i = 0; i < length; i++) {
    if (Number.isFinite(sums[i])) continue;
    const { sum, divisor } = sumAgreeing(takeElement(deltas, i), voters, sign, draw);
    sums[i] = sum;
    divisors[i] = divisor;
  }
}

function takeElement(deltas: readonly Float64Array[], i: number): Float64Array[] {
  return deltas.map((delta) => delta.slice(i, i + 1));
}

/** The definition, for one element. */
function sumAgreeing(
  values: readonly Float64Array[],
  voters: readonly Voter[],
  sign: Election['sign'],
  draw: number,
): { sum: number; divisor: number } {
  const votes = new Float64Array(1);
  sumVotes(values, voters, sign, votes);
  const elected = signOf(votes[0] ?? 0) || draw;
  let sum = 0;
  let divisor = 0;
  voters.forEach(({ weight, voice, share }, model) => {
    const value = values[model]?.[0] ?? 0;
    if (!isAgreeing(signOf(value), voice, elected)) return;
    sum += weight * value;
    divisor += share;
  });
  return { sum, divisor };
}

/** Writes base + λ · sum / divisor. */
function writeMeans(
  base: Float32Array,
  sums: Float64Array,
  divisors: Float64Array,
  lambda: number,
  out: Float32Array,
): void {
  const { length } = out;
  for (let i = 0; i < length; i++) {
    const divisor = divisors[i] ?? 0;
    const isOne = Number(Math.abs(divisor) < SMALLEST_DIVISOR);
    // Times 1 and plus 0 are exact.
    out[i] = (base[i] ?? 0) + (lambda * (sums[i] ?? 0)) / (divisor * (1 - isOne) + isOne);
  }
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
    addScaled(base, scale, sums, out);
  });
}

function addScaled(base: Float32Array, scale: number, sums: Float64Array, out: Float32Array): void {
  const { length } = out;
  for (let i = 0; i < length; i++) out[i] = (base[i] ?? 0) + scale * (sums[i] ?? 0);
}
