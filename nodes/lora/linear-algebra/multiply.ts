import { createMatrix, type Matrix } from './matrix.ts';

/** Of the shared dimension and of the columns, at a time: a panel of the right side of 128 KiB. */
const DEPTH = 64;
const WIDTH = 256;

/**
 * The product of two matrices; sums are double, in ascending order of the shared dimension within blocks of
 * 64, so equal inputs give equal bits. Four rows are taken at a time: each element of the right side that is
 * loaded then counts four times.
 * @param left `[m, k]`; `right` is `[k, n]`.
 * @returns `[m, n]`, the caller's own.
 */
export function multiply(left: Matrix, right: Matrix): Matrix {
  const out = createMatrix(left.rows, right.columns);
  for (let from = 0; from < left.columns; from += DEPTH) {
    const to = Math.min(from + DEPTH, left.columns);
    for (let start = 0; start < right.columns; start += WIDTH) {
      const end = Math.min(start + WIDTH, right.columns);
      let row = 0;
      for (; row + 4 <= left.rows; row += 4) addFourRows(left, right, out, row, from, to, start, end);
      for (; row < left.rows; row++) addRow(left, right, out, row, from, to, start, end);
    }
  }
  return out;
}

function addFourRows(
  left: Matrix,
  right: Matrix,
  out: Matrix,
  row: number,
  from: number,
  to: number,
  start: number,
  end: number,
): void {
  const { data: a, columns: depth } = left;
  const { data: b, columns: width } = right;
  const c = out.data;
  const row0 = row * depth;
  const [row1, row2, row3] = [row0 + depth, row0 + 2 * depth, row0 + 3 * depth];
  // Two of the shared dimension at a time: each sum is then loaded and stored half as often.
  let k = from;
  for (; k + 2 <= to; k += 2) {
    const p0 = a[row0 + k] ?? 0;
    const p1 = a[row1 + k] ?? 0;
    const p2 = a[row2 + k] ?? 0;
    const p3 = a[row3 + k] ?? 0;
    const q0 = a[row0 + k + 1] ?? 0;
    const q1 = a[row1 + k + 1] ?? 0;
    const q2 = a[row2 + k + 1] ?? 0;
    const q3 = a[row3 + k + 1] ?? 0;
    let at = row * width + start;
    let from0 = k * width + start;
    for (const stop = k * width + end; from0 < stop; from0++, at++) {
      const x = b[from0] ?? 0;
      const y = b[from0 + width] ?? 0;
      c[at] = (c[at] ?? 0) + p0 * x + q0 * y;
      c[at + width] = (c[at + width] ?? 0) + p1 * x + q1 * y;
      c[at + 2 * width] = (c[at + 2 * width] ?? 0) + p2 * x + q2 * y;
      c[at + 3 * width] = (c[at + 3 * width] ?? 0) + p3 * x + q3 * y;
    }
  }
  for (let i = 0; k < to && i < 4; i++) addRow(left, right, out, row + i, k, to, start, end);
}

function addRow(
  { data: a, columns: depth }: Matrix,
  { data: b, columns: width }: Matrix,
  { data: c }: Matrix,
  row: number,
  from: number,
  to: number,
  start: number,
  end: number,
): void {
  for (let k = from; k < to; k++) {
    const p = a[row * depth + k] ?? 0;
    const below = k * width;
    for (let j = start; j < end; j++) {
      const at = row * width + j;
      c[at] = (c[at] ?? 0) + p * (b[below + j] ?? 0);
    }
  }
}
