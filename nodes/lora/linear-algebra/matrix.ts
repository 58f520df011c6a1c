import { LineageError } from '../../kit/errors.ts';

/** A matrix in row-major order, in double precision: element (i, j) is `data[i * columns + j]`. */
export type Matrix = { readonly rows: number; readonly columns: number; readonly data: Float64Array };

/** 8 GiB: no weight of a picture model comes near, and a hostile file's small factors may ask for any size. */
const MAX_ELEMENTS = 2 ** 30;

/**
 * Zeros; the caller's own.
 * @throws LineageError `lora/shape` beyond 2^30 elements.
 */
export function createMatrix(rows: number, columns: number): Matrix {
  if (rows * columns > MAX_ELEMENTS) {
    throw new LineageError('lora/shape', `expected at most 2^30 elements, got [${rows},${columns}]`);
  }
  return { rows, columns, data: new Float64Array(rows * columns) };
}

/** A copy in double precision. */
export function matrixOf(rows: number, columns: number, data: ArrayLike<number>): Matrix {
  return { rows, columns, data: Float64Array.from(data) };
}

export function identity(size: number): Matrix {
  const out = createMatrix(size, size);
  for (let i = 0; i < size; i++) out.data[i * size + i] = 1;
  return out;
}

/** A new matrix; in tiles, so that neither side leaves the cache. */
export function transpose({ rows, columns, data }: Matrix): Matrix {
  const out = createMatrix(columns, rows);
  for (let top = 0; top < rows; top += TILE) {
    for (let left = 0; left < columns; left += TILE) {
      const bottom = Math.min(top + TILE, rows);
      const right = Math.min(left + TILE, columns);
      for (let i = top; i < bottom; i++) {
        for (let j = left; j < right; j++) out.data[j * rows + i] = data[i * columns + j] ?? 0;
      }
    }
  }
  return out;
}

const TILE = 32;

/** The first columns; a new matrix. */
export function firstColumns({ rows, columns, data }: Matrix, count: number): Matrix {
  const out = createMatrix(rows, count);
  for (let i = 0; i < rows; i++) out.data.set(data.subarray(i * columns, i * columns + count), i * count);
  return out;
}

/** The first rows; a new matrix. */
export function firstRows({ columns, data }: Matrix, count: number): Matrix {
  return { rows: count, columns, data: data.slice(0, count * columns) };
}

/** Side by side: `[A B ...]`; all of as many rows. */
export function joinColumns(parts: readonly Matrix[]): Matrix {
  const rows = parts[0]?.rows ?? 0;
  const out = createMatrix(
    rows,
    parts.reduce((sum, { columns }) => sum + columns, 0),
  );
  let left = 0;
  for (const { columns, data } of parts) {
    for (let i = 0; i < rows; i++) {
      out.data.set(data.subarray(i * columns, (i + 1) * columns), i * out.columns + left);
    }
    left += columns;
  }
  return out;
}

/** One below the other; all of as many columns. */
export function joinRows(parts: readonly Matrix[]): Matrix {
  const out = createMatrix(
    parts.reduce((sum, { rows }) => sum + rows, 0),
    parts[0]?.columns ?? 0,
  );
  let at = 0;
  for (const { data } of parts) {
    out.data.set(data, at);
    at += data.length;
  }
  return out;
}

/** Multiplies column j by `factors[j]`; a new matrix. */
export function scaleColumns({ rows, columns, data }: Matrix, factors: ArrayLike<number>): Matrix {
  const out = createMatrix(rows, columns);
  for (let i = 0; i < rows; i++) {
    for (let j = 0; j < columns; j++) {
      out.data[i * columns + j] = (data[i * columns + j] ?? 0) * (factors[j] ?? 0);
    }
  }
  return out;
}

/** Multiplies row i by `factors[i]`; a new matrix. */
export function scaleRows({ rows, columns, data }: Matrix, factors: ArrayLike<number>): Matrix {
  const out = createMatrix(rows, columns);
  for (let i = 0; i < rows; i++) {
    const factor = factors[i] ?? 0;
    for (let at = i * columns; at < (i + 1) * columns; at++) out.data[at] = (data[at] ?? 0) * factor;
  }
  return out;
}

/** Every element times a number; a new matrix. */
export function scaleMatrix({ rows, columns, data }: Matrix, factor: number): Matrix {
  return { rows, columns, data: data.map((value) => value * factor) };
}

/** The square root of the sum of squares. */
export function frobeniusNorm(data: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < data.length; i++) sum += (data[i] ?? 0) ** 2;
  return Math.sqrt(sum);
}
