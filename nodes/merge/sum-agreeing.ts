/**
 * The election of signs on the elements of a tile, and the sums of what agrees with it, in float64, without branches on
 * the data. Tried on random signs: a branch on agreement 12.9 ns an element of each model, comparisons as numbers 3.1;
 * two models at once with their mean: products with such numbers 15.7 ns an element, a table by their codes 4.3.
 */

/** Differences of a tile of which most are zero, to be multiplied with a scale in float64. */
export type Sparse = { readonly values: Float32Array | Float64Array; readonly scale: number };

/** What the voting is asked. */
type Rules = {
  readonly sign: 'mass' | 'count';
  readonly sign_weighted: boolean;
  readonly normalize: 'weights' | 'count' | 'none';
};

/** What a model brings to the election of a sign, and to the mean of what agrees with it. */
export type Voter = Readonly<Record<'weight' | 'vote' | 'voice' | 'share', number>>;

export function votersOf(weights: readonly number[], rules: Rules): Voter[] {
  const { normalize, sign_weighted: isWeighted } = rules;
  return weights.map((weight) => ({
    weight,
    vote: isWeighted ? weight : 1,
    // A model of negative weight votes for the opposite of its difference.
    voice: isWeighted ? Math.sign(weight) : 1,
    share: normalize === 'weights' ? weight : Number(normalize === 'count'),
  }));
}

/** Sums the votes for each element: the sign of the sum is the one elected, zero is a draw. */
export function sumVotes(
  deltas: readonly Sparse[],
  voters: readonly Voter[],
  sign: Rules['sign'],
  votes: Float64Array,
): void {
  const add = sign === 'mass' ? addTimes : addSigns;
  votes.fill(0);
  deltas.forEach((delta, model) => {
    add(voters[model]?.vote ?? 1, delta, votes);
  });
}

function addTimes(weight: number, { values, scale }: Sparse, sums: Float64Array): void {
  const { length } = sums;
  for (let i = 0; i < length; i++) sums[i] = (sums[i] ?? 0) + weight * (scale * (values[i] ?? 0));
}

function addSigns(weight: number, { values, scale }: Sparse, sums: Float64Array): void {
  const { length } = sums;
  for (let i = 0; i < length; i++) sums[i] = (sums[i] ?? 0) + signOf(weight * (scale * (values[i] ?? 0)));
}

/** Math.sign branches, and the signs of differences are noise to a branch predictor. */
export function signOf(value: number): number {
  return Number.isNaN(value) ? value : Number(value > 0) - Number(value < 0);
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
  { values, scale }: Sparse,
  { weights, shares }: Table,
  votes: Float64Array,
  sums: Float64Array,
  divisors: Float64Array,
): void {
  const { length } = sums;
  for (let i = 0; i < length; i++) {
    const value = scale * (values[i] ?? 0);
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

/** Votes by mass and sums what agrees, in one loop instead of one for each model and step. */
function sumTriple(
  deltas: readonly Sparse[],
  voters: readonly Voter[],
  triple: Triple,
  sums: Float64Array,
  divisors: Float64Array,
): void {
  const { length } = sums;
  const [{ values: a, scale: scaleA }, { values: b, scale: scaleB }, { values: c, scale: scaleC }] = [
    deltas[0] ?? NOTHING,
    deltas[1] ?? NOTHING,
    deltas[2] ?? NOTHING,
  ];
  const [voteA = 0, voteB = 0, voteC = 0] = voters.map(({ vote }) => vote);
  const { a: weightsA, b: weightsB, c: weightsC, divisors: divisorsOf } = triple;
  // An absent model is read at its first element only.
  const stepB = Number(deltas.length > 1);
  const stepC = Number(deltas.length > 2);
  for (let i = 0; i < length; i++) {
    const valueA = scaleA * (a[i] ?? 0);
    const valueB = scaleB * (b[i * stepB] ?? 0);
    const valueC = scaleC * (c[i * stepC] ?? 0);
    const vote = codeOf(voteA * valueA + voteB * valueB + voteC * valueC);
    const code = codeOf(valueA) | (codeOf(valueB) << 2) | (codeOf(valueC) << 4) | (vote << 6);
    // From +0 on, so that no sum is -0.
    sums[i] =
      0 + (weightsA[code] ?? 0) * valueA + (weightsB[code] ?? 0) * valueB + (weightsC[code] ?? 0) * valueC;
    divisors[i] = divisorsOf[code] ?? 0;
  }
}

const NOTHING: Sparse = { values: new Float64Array(1), scale: 1 };

/** Where a sum is not finite, takes it again over the models that agree and no others: zero times infinity is NaN. */
function mendSums(
  deltas: readonly Sparse[],
  voters: readonly Voter[],
  sign: Rules['sign'],
  draw: number,
  sums: Float64Array,
  divisors: Float64Array,
): void {
  const { length } = sums;
  for (let i = 0; i < length; i++) {
    if (Number.isFinite(sums[i])) continue;
    const { sum, divisor } = sumElement(takeElement(deltas, i), voters, sign, draw);
    sums[i] = sum;
    divisors[i] = divisor;
  }
}

function takeElement(deltas: readonly Sparse[], i: number): Sparse[] {
  return deltas.map(({ values, scale }) => ({ values: values.slice(i, i + 1), scale }));
}

/** The definition, for one element. */
function sumElement(
  deltas: readonly Sparse[],
  voters: readonly Voter[],
  sign: Rules['sign'],
  draw: number,
): { sum: number; divisor: number } {
  const votes = new Float64Array(1);
  sumVotes(deltas, voters, sign, votes);
  const elected = signOf(votes[0] ?? 0) || draw;
  let sum = 0;
  let divisor = 0;
  voters.forEach(({ weight, voice, share }, model) => {
    const { values, scale } = deltas[model] ?? NOTHING;
    const value = scale * (values[0] ?? 0);
    if (!isAgreeing(signOf(value), voice, elected)) return;
    sum += weight * value;
    divisor += share;
  });
  return { sum, divisor };
}

/** How signs are elected, and what is made of what agrees with them. */
export type Election = {
  readonly voters: readonly Voter[];
  readonly sign: Rules['sign'];
  /** The sign where votes end in a draw; 0: none. */
  readonly draw: number;
  readonly lambda: number;
};

/** Merges the differences of one tile with its base. */
export type MergeSparse = (deltas: readonly Sparse[], base: Float32Array, out: Float32Array) => void;

/** Divisors nearer to zero are taken for 1. */
export const SMALLEST_DIVISOR = 1e-8;

/**
 * Makes a function that writes base + λ · Σ weight · difference / divisor, over the models that agree with the sign
 * elected.
 */
export function createElector({ voters, sign, draw, lambda }: Election): MergeSparse {
  const tables = voters.map((voter) => tabulate(voter, draw));
  const triple = tables.length <= 3 && sign === 'mass' ? tabulateTriple(tables) : undefined;
  const scratch = createScratch();
  return (deltas, base, out) => {
    const { votes, sums, divisors } = scratch(out.length);
    if (triple) sumTriple(deltas, voters, triple, sums, divisors);
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
    writeMeans(base, sums, divisors, lambda, out);
  };
}

/** Makes a function that writes base + scale · Σ weight · difference. */
export function createAdder(weights: readonly number[], scale: number): MergeSparse {
  const scratch = createScratch();
  return (deltas, base, out) => {
    const { sums } = scratch(out.length);
    sums.fill(0);
    deltas.forEach((delta, model) => {
      addTimes(weights[model] ?? 1, delta, sums);
    });
    addScaled(base, scale, sums, out);
  };
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

function addScaled(base: Float32Array, scale: number, sums: Float64Array, out: Float32Array): void {
  const { length } = out;
  for (let i = 0; i < length; i++) out[i] = (base[i] ?? 0) + scale * (sums[i] ?? 0);
}

/** What a tile is summed in. */
type Arrays = Record<'votes' | 'sums' | 'divisors', Float64Array>;

/** Gives arrays of a length, the same ones as long as it is asked for the same. */
export function createScratch(): (length: number) => Arrays {
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
