import { countElements } from '../formats/safetensors/dtypes.ts';
import { LineageError } from '../kit/errors.ts';
import { type Matrix, matrixOf } from './linear-algebra/matrix.ts';

/** Values in row-major order, widened to single precision. A scalar has the shape []. */
export type Tensor = { readonly shape: readonly number[]; readonly data: Float32Array };

/**
 * Elements of one row: the product of all sides but the first. A vector's rows have one element, and a scalar has
 * one row.
 */
export function rowLength(shape: readonly number[]): number {
  return countElements(shape.slice(1));
}

/** The tensor as a matrix in double precision, all sides but the first taken together. */
export function asMatrix({ shape, data }: Tensor): Matrix {
  return matrixOf(shape[0] ?? 1, rowLength(shape), data);
}

/** The shape comes from a file: 4 GiB are more than any weight that is filled up. */
const MAX_PADDED = 2 ** 30;

/** Zeros around the end of each axis, as for weights that an adapter widens. A new tensor. */
export function padTensor({ shape, data }: Tensor, wanted: readonly number[]): Tensor {
  const isFitting = wanted.every((side, axis) => Number.isInteger(side) && side >= (shape[axis] ?? 0));
  if (wanted.length !== shape.length || !isFitting || countElements(wanted) > MAX_PADDED) {
    throw shapeError(`a shape of at least [${shape}]`, wanted);
  }
  const out = new Float32Array(countElements(wanted));
  const last = shape.length - 1;
  const run = shape[last] ?? 1;
  for (let from = 0; from < data.length; from += run) {
    let to = 0;
    let stride = 1;
    let rest = Math.floor(from / run);
    for (let axis = last; axis >= 0; axis--) {
      const side = axis === last ? 1 : (shape[axis] ?? 1);
      to += (rest % side) * stride;
      rest = Math.floor(rest / side);
      stride *= wanted[axis] ?? 1;
    }
    out.set(data.subarray(from, from + run), to);
  }
  return { shape: wanted, data: out };
}

/** What to throw where shapes don't fit. */
export function shapeError(expected: string, got: readonly number[]): LineageError {
  return new LineageError('lora/shape', `expected ${expected}, got [${got}]`);
}
