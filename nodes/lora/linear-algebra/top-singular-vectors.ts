import { LineageError } from '../../kit/errors.ts';
import {
  createMatrix,
  firstColumns,
  firstRows,
  frobeniusNorm,
  identity,
  joinColumns,
  type Matrix,
  transpose,
} from './matrix.ts';
import { multiply } from './multiply.ts';
import { factorQr, multiplyQ } from './qr.ts';
import { decompose, type Svd, withSigns } from './svd.ts';

/** The largest singular values of a matrix with their vectors, and what is not in them. */
export type TopSvd = Svd & {
  /** ‖A - U diag(s) Vᵀ‖ in the Frobenius norm. */
  readonly error: number;
  /** ‖A‖ in the Frobenius norm. */
  readonly norm: number;
};

/** Beside the wanted directions: what lies close below them then settles as well. */
const SPARE = 8;
/** A space of this share of the matrix costs as much as the whole decomposition. */
const LARGEST_SHARE = 0.5;
/** The values are asked anew when the space has grown by so much. */
const GROWTH = 1.25;
/** Of each wanted value: how much it may still have risen in the last growth. */
const SETTLED = 1e-8;
/** Of the largest: below this a value is rounding. */
const NEGLIGIBLE = 1e-13;
/** Of the squared error: where the last growth took no more from it, wanted values lie in a crowd that makes no odds. */
const CROWDED = 1e-5;

/**
 * The largest singular values and their vectors, by the Krylov space of blocks V, AᵀA V, (AᵀA)² V ..., kept
 * orthonormal. Values only rise as the space grows; it is large enough when no wanted one has risen by more than 1e-8
 * of itself, which leaves them right to 1e-6 unless they crowd; where half the matrix would be taken up, all of it is
 * decomposed. Equal inputs give equal bits: the start vectors are always the same.
 *
 * @param matrix `[m, n]`; not modified.
 * @param count at least 1; more than there are gives all.
 * @throws LineageError `lora/not-finite`
 * @see Golub, Underwood 1977, doi:10.1016/B978-0-12-587260-7.50018-2; Musco, Musco 2015, arXiv:1504.05477
 */
export function findTopSingularVectors(matrix: Matrix, count: number): TopSvd {
  const size = Math.min(matrix.rows, matrix.columns);
  const norm = frobeniusNorm(matrix.data);
  if (!Number.isFinite(norm))
    throw new LineageError('lora/not-finite', `expected numbers, got a norm of ${norm}`);
  const wanted = Math.min(count, size);
  const top = growSpace(matrix, wanted, norm) ?? decompose(matrix, () => wanted);
  const s = top.s.slice(0, wanted);
  const kept = s.reduceRight((sum, value) => sum + value * value, 0);
  // Of all values the rest is summed; else it is what the norm has beyond the kept ones.
  const rest =
    top.s.length === size
      ? top.s.subarray(wanted).reduceRight((sum, value) => sum + value * value, 0)
      : norm * norm - kept;
  return {
    u: firstColumns(top.u, wanted),
    s,
    vt: firstRows(top.vt, wanted),
    error: Math.sqrt(Math.max(0, rest)),
    norm,
  };
}

/** Undefined where the space would grow too large. */
function growSpace(matrix: Matrix, wanted: number, norm: number): Svd | undefined {
  const { rows, columns } = matrix;
  const width = wanted + SPARE;
  const largest = LARGEST_SHARE * Math.min(rows, columns);
  if (2 * width > largest) return undefined;
  let block = orthonormalise(drawBlock(columns, width));
  let right = block;
  let image = multiply(matrix, block);
  let left = image;
  let known: Float64Array | undefined;
  let asked = width;
  while (right.columns + width <= largest) {
    block = orthonormalise(transpose(multiply(transpose(image), matrix)), right);
    image = multiply(matrix, block);
    right = joinColumns([right, block]);
    left = joinColumns([left, image]);
    if (known && right.columns < GROWTH * asked) continue;
    asked = right.columns;
    const { s } = decompose(multiply(transpose(left), left), () => 0);
    const values = s.subarray(0, wanted).map(Math.sqrt);
    if (known && (isSettled(known, values) || isCrowded(known, values, norm))) return liftSvd(left, right);
    known = values;
  }
  return undefined;
}

function isSettled(before: Float64Array, after: Float64Array): boolean {
  const floor = NEGLIGIBLE * (after[0] ?? 0);
  // The values are roots of those of a product, where rounding weighs more.
  const rounding = Number.EPSILON * 64 * (after[0] ?? 0) ** 2;
  return after.every((value, i) => {
    const risen = value - (before[i] ?? 0);
    return value <= floor || risen <= SETTLED * value || risen * value <= rounding;
  });
}

/** Whether larger values would take nothing from the error that is left. */
function isCrowded(before: Float64Array, after: Float64Array, norm: number): boolean {
  const kept = after.reduceRight((sum, value) => sum + value * value, 0);
  const risen = after.reduce((sum, value, i) => sum + value * value - (before[i] ?? 0) ** 2, 0);
  return risen <= CROWDED * (norm * norm - kept);
}

/** From A V = W: the decomposition of A within the space of V. */
function liftSvd(image: Matrix, right: Matrix): Svd {
  const factors = factorQr(image);
  const { u, s, vt } = decompose(factors.r);
  return withSigns({ u: multiplyQ(factors, u), s, vt: multiply(vt, transpose(right)) });
}

/** An orthonormal basis of the columns, all of them orthogonal to those of `others`; as many, whatever their rank. */
function orthonormalise(matrix: Matrix, others?: Matrix): Matrix {
  if (!others) return basisOf(matrix);
  // What is left of a column that lies in the space is rounding, which points anywhere: hence twice.
  return basisOf(subtractWithin(basisOf(subtractWithin(matrix, others)), others));
}

function subtractWithin(matrix: Matrix, others: Matrix): Matrix {
  const within = multiply(others, multiply(transpose(others), matrix));
  return { ...matrix, data: matrix.data.map((value, i) => value - (within.data[i] ?? 0)) };
}

function basisOf(matrix: Matrix): Matrix {
  return multiplyQ(factorQr(matrix), identity(matrix.columns));
}

/** Numbers without pattern between -1 and 1, always the same: a linear congruential generator's upper bits. */
function drawBlock(rows: number, columns: number): Matrix {
  const block = createMatrix(rows, columns);
  let state = 1;
  for (let i = 0; i < block.data.length; i++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    block.data[i] = state / 2 ** 31 - 1;
  }
  return block;
}
