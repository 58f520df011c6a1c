import { identity, type Matrix, scaleMatrix } from './matrix.ts';

/**
 * The rotation (I + Q)(I - Q)⁻¹ of a skew-symmetric Q, by elimination with partial pivoting: I - Q is never singular.
 * @param skew `[n, n]`, not modified.
 */
export function rotationOf(skew: Matrix): Matrix {
  const size = skew.rows;
  const system = scaleMatrix(skew, -1);
  // Both factors commute, so (I - Q) R = I + Q.
  const out: Matrix = { ...skew, data: skew.data.slice() };
  for (let i = 0; i < size; i++) {
    system.data[i * size + i] = 1 + (system.data[i * size + i] ?? 0);
    out.data[i * size + i] = 1 + (out.data[i * size + i] ?? 0);
  }
  for (let k = 0; k < size; k++) {
    let pivot = k;
    for (let i = k + 1; i < size; i++) {
      if (Math.abs(system.data[i * size + k] ?? 0) > Math.abs(system.data[pivot * size + k] ?? 0)) pivot = i;
    }
    swapRows(system, k, pivot);
    swapRows(out, k, pivot);
    for (let i = 0; i < size; i++) {
      if (i === k) continue;
      const factor = (system.data[i * size + k] ?? 0) / (system.data[k * size + k] ?? 1);
      subtractRow(system, i, k, factor);
      subtractRow(out, i, k, factor);
    }
  }
  for (let i = 0; i < size; i++) {
    const divisor = system.data[i * size + i] ?? 1;
    for (let at = i * size; at < (i + 1) * size; at++) out.data[at] = (out.data[at] ?? 0) / divisor;
  }
  return out;
}

/** Q = X - Xᵀ of each block of `[..., n, n]`, all shrunk so that their common Frobenius norm is at most `limit`. */
export function skewBlocks(blocks: Float32Array, size: number, limit: number | undefined): Matrix[] {
  const skews: Matrix[] = [];
  let squares = 0;
  for (let start = 0; start < blocks.length; start += size * size) {
    const skew = identity(size);
    for (let i = 0; i < size; i++) {
      for (let j = 0; j < size; j++) {
        const value = (blocks[start + i * size + j] ?? 0) - (blocks[start + j * size + i] ?? 0);
        skew.data[i * size + j] = value;
        squares += value * value;
      }
    }
    skews.push(skew);
  }
  const norm = Math.sqrt(squares);
  if (limit === undefined || limit <= 0 || norm <= limit) return skews;
  return skews.map((skew) => scaleMatrix(skew, limit / norm));
}

function swapRows({ columns, data }: Matrix, i: number, j: number): void {
  if (i === j) return;
  const kept = data.slice(i * columns, (i + 1) * columns);
  data.copyWithin(i * columns, j * columns, (j + 1) * columns);
  data.set(kept, j * columns);
}

function subtractRow({ columns, data }: Matrix, from: number, row: number, factor: number): void {
  for (let j = 0; j < columns; j++) {
    data[from * columns + j] = (data[from * columns + j] ?? 0) - factor * (data[row * columns + j] ?? 0);
  }
}
