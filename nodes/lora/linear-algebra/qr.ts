import { createMatrix, type Matrix, transpose } from './matrix.ts';
import { makeReflector, reflectRows, reflectRowsTwice } from './reflector.ts';

/** A = Q R, with Q as the reflectors whose product it is: `multiplyQ` applies it. */
export type QrFactors = {
  /** Rows of A. */
  readonly rows: number;
  /** `[min(rows, columns), columns]`, upper triangular (trapezoidal where A is wide). */
  readonly r: Matrix;
  /** Reflector k is row k, from element k on; `[min(rows, columns), rows]`. */
  readonly vectors: Matrix;
};

/**
 * QR factors by Householder reflections, in double precision.
 * @param matrix `[m, n]`; not modified.
 * @see Golub, Van Loan: Matrix Computations, 4th edition, 5.2.2
 */
export function factorQr(matrix: Matrix): QrFactors {
  const { rows, columns } = matrix;
  const count = Math.min(rows, columns);
  // Columns lie one after the other, so that every inner product runs along memory.
  const work = transpose(matrix);
  const vectors = createMatrix(count, rows);
  const r = createMatrix(count, columns);
  const vectorOf = (k: number): Float64Array => vectors.data.subarray(k * rows, (k + 1) * rows);
  /** Makes reflector k of what reflections have left of column k. */
  const take = (k: number): Float64Array => {
    const vector = vectorOf(k);
    vector.set(work.data.subarray(k * rows + k, (k + 1) * rows), k);
    work.data[k * rows + k] = makeReflector(vector, k);
    return vector;
  };
  // By pairs: the columns behind are then loaded half as often.
  for (let k = 0; k < count; k += 2) {
    const vector = take(k);
    if (k + 1 === count) {
      reflectRows(work, vector, k, k + 1, columns);
      break;
    }
    reflectRows(work, vector, k, k + 1, k + 2);
    reflectRowsTwice(work, vector, take(k + 1), k, k + 2, columns);
  }
  for (let i = 0; i < count; i++) {
    for (let j = i; j < columns; j++) r.data[i * columns + j] = work.data[j * rows + i] ?? 0;
  }
  return { rows, r, vectors };
}

/**
 * Q times a matrix.
 * @param right `[min(rows, columns) of A, p]`; not modified.
 * @returns `[rows of A, p]`.
 */
export function multiplyQ({ rows, vectors }: QrFactors, right: Matrix): Matrix {
  const work = createMatrix(right.columns, rows);
  const lying = transpose(right);
  for (let j = 0; j < right.columns; j++) {
    work.data.set(lying.data.subarray(j * right.rows, (j + 1) * right.rows), j * rows);
  }
  const vectorOf = (k: number): Float64Array => vectors.data.subarray(k * rows, (k + 1) * rows);
  let k = vectors.rows - 1;
  for (; k > 0; k -= 2) reflectRowsTwice(work, vectorOf(k), vectorOf(k - 1), k - 1, 0, work.rows);
  if (k === 0) reflectRows(work, vectorOf(0), 0, 0, work.rows);
  return transpose(work);
}
