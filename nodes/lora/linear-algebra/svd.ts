import { LineageError } from '../../kit/errors.ts';
import { bidiagonalise } from './bidiagonal.ts';
import { diagonalise } from './diagonalise.ts';
import { createMatrix, firstColumns, firstRows, type Matrix, transpose } from './matrix.ts';
import { factorQr, multiplyQ } from './qr.ts';

/** A = U diag(s) Vᵀ. */
export type Svd = {
  /** `[m, k]`, orthonormal columns; of each, the element of largest magnitude (the first of equals) is positive. */
  readonly u: Matrix;
  /** All of them, descending, none negative. */
  readonly s: Float64Array;
  /** `[k, n]`: the rows are the right vectors. */
  readonly vt: Matrix;
};

/** Given all singular values, how many vectors are wanted: the rest need not be formed. */
type CountVectors = (values: Float64Array) => number;

const countAll: CountVectors = (values) => values.length;

/**
 * The thin singular value decomposition of a dense matrix, in double precision: QR first where it is not square,
 * then Golub and Kahan's algorithm. Equal inputs give equal bits.
 * @param matrix `[m, n]`, not modified.
 * @returns min(m, n) singular values, and as many vectors as wanted.
 * @throws LineageError `lora/not-finite`
 */
export function decompose(matrix: Matrix, count: CountVectors = countAll): Svd {
  for (const value of matrix.data) {
    if (!Number.isFinite(value)) throw new LineageError('lora/not-finite', `expected numbers, got ${value}`);
  }
  if (matrix.rows < matrix.columns) {
    const { u, s, vt } = decomposeTall(transpose(matrix), count);
    return withSigns({ u: transpose(vt), s, vt: transpose(u) });
  }
  return withSigns(decomposeTall(matrix, count));
}

function decomposeTall(matrix: Matrix, count: CountVectors): Svd {
  const factors = matrix.rows > matrix.columns ? factorQr(matrix) : undefined;
  const { u, s, vt } = decomposeSquare(factors?.r ?? matrix);
  const wanted = count(s);
  const left = firstColumns(u, wanted);
  return { u: factors ? multiplyQ(factors, left) : left, s, vt: firstRows(vt, wanted) };
}

function decomposeSquare(matrix: Matrix): Svd {
  const size = matrix.rows;
  const form = bidiagonalise(matrix);
  diagonalise(form);
  const { diagonal, left, right } = form;
  const order = Array.from(diagonal.keys()).sort(
    (a, b) => Math.abs(diagonal[b] ?? 0) - Math.abs(diagonal[a] ?? 0),
  );
  const [ut, vt] = [createMatrix(size, size), createMatrix(size, size)];
  const s = new Float64Array(size);
  for (const [to, from] of order.entries()) {
    const value = diagonal[from] ?? 0;
    s[to] = Math.abs(value);
    ut.data.set(left.data.subarray(from * size, (from + 1) * size), to * size);
    const sign = value < 0 ? -1 : 1;
    for (let j = 0; j < size; j++) vt.data[to * size + j] = sign * (right.data[from * size + j] ?? 0);
  }
  return { u: transpose(ut), s, vt };
}

/**
 * Turns pairs of vectors, in place, so that signs do not depend on the way they were found: of each left vector the
 * element of largest magnitude is positive.
 */
export function withSigns({ u, s, vt }: Svd): Svd {
  for (let k = 0; k < u.columns; k++) {
    let largest = 0;
    for (let at = k; at < u.data.length; at += u.columns) {
      const value = u.data[at] ?? 0;
      if (Math.abs(value) > Math.abs(largest)) largest = value;
    }
    if (largest >= 0) continue;
    for (let at = k; at < u.data.length; at += u.columns) u.data[at] = -(u.data[at] ?? 0);
    for (let at = k * vt.columns; at < (k + 1) * vt.columns; at++) vt.data[at] = -(vt.data[at] ?? 0);
  }
  return { u, s, vt };
}
