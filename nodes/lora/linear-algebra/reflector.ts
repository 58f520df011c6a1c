import type { Matrix } from './matrix.ts';

/**
 * Makes of a vector x, in place, a v with (I - v vᵀ) x = β e, where vᵀv = 2, or v = 0 where x is zero.
 * @param vector elements before `from` are zero and stay so.
 * @returns β, of the opposite sign of x's first element.
 */
export function makeReflector(vector: Float64Array, from: number): number {
  let largest = 0;
  for (let i = from; i < vector.length; i++) largest = Math.max(largest, Math.abs(vector[i] ?? 0));
  if (largest === 0) return 0;
  let squares = 0;
  for (let i = from; i < vector.length; i++) squares += ((vector[i] ?? 0) / largest) ** 2;
  const norm = Math.sqrt(squares);
  const first = (vector[from] ?? 0) / largest;
  const beta = first > 0 ? -norm : norm;
  // |x - βe|² = 2 norm (norm + |first|): scaled to have the square length 2.
  const scale = 1 / Math.sqrt(norm * (norm + Math.abs(first)));
  for (let i = from; i < vector.length; i++) vector[i] = ((vector[i] ?? 0) / largest) * scale;
  vector[from] = (first - beta) * scale;
  return beta * largest;
}

/** Rows `first` to `last` (excluded), each times I - v vᵀ, in place; v is zero before `from`. Four rows at a time. */
export function reflectRows(
  { columns, data }: Matrix,
  vector: Float64Array,
  from: number,
  first: number,
  last: number,
): void {
  let row = first;
  for (; row + 4 <= last; row += 4) {
    const at0 = row * columns;
    const [at1, at2, at3] = [at0 + columns, at0 + 2 * columns, at0 + 3 * columns];
    let [dot0, dot1, dot2, dot3] = [0, 0, 0, 0];
    for (let i = from; i < columns; i++) {
      const v = vector[i] ?? 0;
      dot0 += v * (data[at0 + i] ?? 0);
      dot1 += v * (data[at1 + i] ?? 0);
      dot2 += v * (data[at2 + i] ?? 0);
      dot3 += v * (data[at3 + i] ?? 0);
    }
    for (let i = from; i < columns; i++) {
      const v = vector[i] ?? 0;
      data[at0 + i] = (data[at0 + i] ?? 0) - dot0 * v;
      data[at1 + i] = (data[at1 + i] ?? 0) - dot1 * v;
      data[at2 + i] = (data[at2 + i] ?? 0) - dot2 * v;
      data[at3 + i] = (data[at3 + i] ?? 0) - dot3 * v;
    }
  }
  for (; row < last; row++) {
    const at = row * columns;
    let dot = 0;
    for (let i = from; i < columns; i++) dot += (vector[i] ?? 0) * (data[at + i] ?? 0);
    for (let i = from; i < columns; i++) data[at + i] = (data[at + i] ?? 0) - dot * (vector[i] ?? 0);
  }
}

/**
 * Rows `first` to `last` (excluded), each times two reflections, u's before v's, in place; both vectors are zero before
 * `from`. Each element that is loaded counts for both, and each of the vectors for four rows.
 */
export function reflectRowsTwice(
  matrix: Matrix,
  u: Float64Array,
  v: Float64Array,
  from: number,
  first: number,
  last: number,
): void {
  const { columns, data } = matrix;
  let both = 0;
  for (let i = from; i < columns; i++) both += (u[i] ?? 0) * (v[i] ?? 0);
  let row = first;
  for (; row + 4 <= last; row += 4) {
    const at0 = row * columns;
    const [at1, at2, at3] = [at0 + columns, at0 + 2 * columns, at0 + 3 * columns];
    let [u0, u1, u2, u3] = [0, 0, 0, 0];
    let [v0, v1, v2, v3] = [0, 0, 0, 0];
    for (let i = from; i < columns; i++) {
      const p = u[i] ?? 0;
      const q = v[i] ?? 0;
      const x0 = data[at0 + i] ?? 0;
      const x1 = data[at1 + i] ?? 0;
      const x2 = data[at2 + i] ?? 0;
      const x3 = data[at3 + i] ?? 0;
      u0 += p * x0;
      v0 += q * x0;
      u1 += p * x1;
      v1 += q * x1;
      u2 += p * x2;
      v2 += q * x2;
      u3 += p * x3;
      v3 += q * x3;
    }
    v0 -= u0 * both;
    v1 -= u1 * both;
    v2 -= u2 * both;
    v3 -= u3 * both;
    for (let i = from; i < columns; i++) {
      const p = u[i] ?? 0;
      const q = v[i] ?? 0;
      data[at0 + i] = (data[at0 + i] ?? 0) - u0 * p - v0 * q;
      data[at1 + i] = (data[at1 + i] ?? 0) - u1 * p - v1 * q;
      data[at2 + i] = (data[at2 + i] ?? 0) - u2 * p - v2 * q;
      data[at3 + i] = (data[at3 + i] ?? 0) - u3 * p - v3 * q;
    }
  }
  reflectRows(matrix, u, from, row, last);
  reflectRows(matrix, v, from, row, last);
}

/** vᵀ times the matrix, of columns from `left` on; v is zero before row `from`. Four rows at a time. */
export function dotColumns(
  { rows, columns, data }: Matrix,
  vector: Float64Array,
  from: number,
  left: number,
): Float64Array {
  const dots = new Float64Array(columns);
  let row = from;
  for (; row + 4 <= rows; row += 4) {
    const at = row * columns;
    const v0 = vector[row] ?? 0;
    const v1 = vector[row + 1] ?? 0;
    const v2 = vector[row + 2] ?? 0;
    const v3 = vector[row + 3] ?? 0;
    for (let j = left; j < columns; j++) {
      dots[j] =
        (dots[j] ?? 0) +
        v0 * (data[at + j] ?? 0) +
        v1 * (data[at + columns + j] ?? 0) +
        v2 * (data[at + 2 * columns + j] ?? 0) +
        v3 * (data[at + 3 * columns + j] ?? 0);
    }
  }
  for (; row < rows; row++) {
    const v = vector[row] ?? 0;
    for (let j = left; j < columns; j++) dots[j] = (dots[j] ?? 0) + v * (data[row * columns + j] ?? 0);
  }
  return dots;
}

/** Takes v times `dots` off rows `first` to `last` (excluded), in place: I - v vᵀ from the left, of columns from `left` on. */
export function subtractOuter(
  { columns, data }: Matrix,
  vector: Float64Array,
  dots: Float64Array,
  left: number,
  first: number,
  last: number,
): void {
  for (let row = first; row < last; row++) {
    const v = vector[row] ?? 0;
    const at = row * columns;
    for (let j = left; j < columns; j++) data[at + j] = (data[at + j] ?? 0) - v * (dots[j] ?? 0);
  }
}
