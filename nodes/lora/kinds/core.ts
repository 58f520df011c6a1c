import { createMatrix, type Matrix } from '../linear-algebra/matrix.ts';
import { multiply } from '../linear-algebra/multiply.ts';
import { asMatrix, rowLength, shapeError, type Tensor } from '../tensor.ts';

/**
 * Σⱼ core[i, j, ...] right[j, c], the kernel's sides last: half of a Tucker decomposition.
 * @param core `[m, n, ...]`; `right` is `[n, c]`, or `[n, c, 1...]`.
 * @returns `[m, c · kernel]`.
 */
export function contractCore(core: Tensor, right: Tensor): Matrix {
  const [m = 1, n = 1, ...kernel] = core.shape;
  const depth = kernel.reduce((product, side) => product * side, 1);
  if (right.shape[0] !== n) throw shapeError(`${n} rows beside a core of [${core.shape}]`, right.shape);
  const columns = rowLength(right.shape);
  // [m, n, k] to [m · k, n]: then one product does.
  const lying = createMatrix(m * depth, n);
  for (let i = 0; i < m; i++) {
    for (let j = 0; j < n; j++) {
      for (let k = 0; k < depth; k++) {
        lying.data[(i * depth + k) * n + j] = core.data[(i * n + j) * depth + k] ?? 0;
      }
    }
  }
  const product = multiply(lying, asMatrix(right));
  const out = createMatrix(m, columns * depth);
  for (let i = 0; i < m; i++) {
    for (let k = 0; k < depth; k++) {
      for (let c = 0; c < columns; c++) {
        out.data[i * columns * depth + c * depth + k] = product.data[(i * depth + k) * columns + c] ?? 0;
      }
    }
  }
  return out;
}

/** A product whose inner sides must be equal. */
export function multiplyFactors(left: Matrix, right: Matrix): Matrix {
  if (left.columns !== right.rows) {
    throw shapeError(`factors with one rank, as ${left.columns}`, [right.rows, right.columns]);
  }
  return multiply(left, right);
}
