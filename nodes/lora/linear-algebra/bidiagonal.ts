import { createMatrix, identity, type Matrix } from './matrix.ts';
import { dotColumns, makeReflector, reflectRows, reflectRowsTwice, subtractOuter } from './reflector.ts';

/** A square matrix as U B Vᵀ, with B upper bidiagonal. */
export type Bidiagonal = {
  readonly diagonal: Float64Array;
  /** Beside the diagonal: element i stands in row i, column i + 1; as long as the diagonal, the last one 0. */
  readonly beside: Float64Array;
  /** Uᵀ and Vᵀ: their rows are the vectors. */
  readonly left: Matrix;
  readonly right: Matrix;
};

/** At a time: four thousand columns of them fit into the second cache. */
const ROWS = 4;

/**
 * Householder bidiagonalisation of a square matrix, in double precision.
 * @see Golub, Van Loan: Matrix Computations, 4th edition, 5.4.8
 */
export function bidiagonalise(matrix: Matrix): Bidiagonal {
  const size = matrix.rows;
  const work: Matrix = { ...matrix, data: matrix.data.slice() };
  const [lefts, rights] = [createMatrix(size, size), createMatrix(size, size)];
  const diagonal = new Float64Array(size);
  const beside = new Float64Array(size);
  for (let k = 0; k < size; k++) {
    const down = lefts.data.subarray(k * size, (k + 1) * size);
    for (let i = k; i < size; i++) down[i] = work.data[i * size + k] ?? 0;
    diagonal[k] = makeReflector(down, k);
    if (k + 1 === size) break;
    const dots = dotColumns(work, down, k, k + 1);
    subtractOuter(work, down, dots, k + 1, k, k + 1);
    const across = rights.data.subarray(k * size, (k + 1) * size);
    across.set(work.data.subarray(k * size + k + 1, (k + 1) * size), k + 1);
    beside[k] = makeReflector(across, k + 1);
    // Both reflections of a few rows while they are in the cache: the matrix passes through memory twice a step.
    for (let row = k + 1; row < size; row += ROWS) {
      const end = Math.min(row + ROWS, size);
      subtractOuter(work, down, dots, k + 1, row, end);
      reflectRows(work, across, k + 1, row, end);
    }
  }
  return { diagonal, beside, left: gather(lefts, 0), right: gather(rights, 1) };
}

/** The transposed product of reflectors, of which vector k is zero before element k + `shift`. */
function gather(vectors: Matrix, shift: number): Matrix {
  const size = vectors.rows;
  const out = identity(size);
  const vectorOf = (k: number): Float64Array => vectors.data.subarray(k * size, (k + 1) * size);
  // Rows before k + shift are still those of the identity, and orthogonal to vector k and all behind it.
  let k = size - 1 - shift;
  for (; k > 0; k -= 2) {
    reflectRowsTwice(out, vectorOf(k), vectorOf(k - 1), k - 1 + shift, k - 1 + shift, size);
  }
  if (k === 0) reflectRows(out, vectorOf(0), shift, shift, size);
  return out;
}
