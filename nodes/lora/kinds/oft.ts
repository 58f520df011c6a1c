import { type AdapterModule, type AdapterTensors, alphaOf, needTensor } from '../adapter-module.ts';
import { rotationOf, skewBlocks } from '../linear-algebra/cayley.ts';
import { createMatrix, type Matrix, transpose } from '../linear-algebra/matrix.ts';
import { multiply } from '../linear-algebra/multiply.ts';
import { asMatrix, shapeError, type Tensor } from '../tensor.ts';

/**
 * W' of OFT: block k of the rows is turned, W'ₖ = Rₖᵀ Wₖ, where R is the rotation of Q = X - Xᵀ; then rows times
 * `rescale`. α · out bounds the norm of all Q together, as trainers have it (kohya, LyCORIS); ComfyUI takes α
 * itself as the bound and leaves `rescale` out. `[out, in · kernel]`.
 * @see https://arxiv.org/abs/2306.07280; LyCORIS lycoris/modules/diag_oft.py
 */
export function turnByOft(
  adapter: Pick<AdapterModule, 'alpha'>,
  tensors: AdapterTensors,
  weight: Tensor,
): Matrix {
  const blocks = needTensor(tensors, 'blocks');
  const [count = 0, size = 0] = blocks.shape;
  const { rows, columns, data } = asMatrix(weight);
  if (count * size !== rows) throw shapeError(`blocks for ${rows} rows`, blocks.shape);
  const out = createMatrix(rows, columns);
  for (const [k, skew] of skewBlocks(blocks.data, size, boundOf(adapter, tensors, rows)).entries()) {
    const start = k * size * columns;
    const part = { rows: size, columns, data: data.subarray(start, start + size * columns) };
    out.data.set(multiply(transpose(rotationOf(skew)), part).data, start);
  }
  return rescaleRows(out, tensors);
}

/** The bound of ‖Q‖; none without α or with 0. */
export function boundOf(
  adapter: Pick<AdapterModule, 'alpha'>,
  tensors: AdapterTensors,
  rows: number,
): number | undefined {
  const alpha = alphaOf(adapter, tensors);
  return alpha === undefined || alpha <= 0 ? undefined : alpha * rows;
}

/** Rows times `rescale`, where there is one; `[out, 1...]`. In place. */
export function rescaleRows(matrix: Matrix, { rescale }: AdapterTensors): Matrix {
  if (!rescale) return matrix;
  const { rows, columns, data } = matrix;
  if (rescale.data.length !== rows) throw shapeError(`a factor for each of ${rows} rows`, rescale.shape);
  for (let at = 0; at < data.length; at++) {
    data[at] = (data[at] ?? 0) * (rescale.data[Math.floor(at / columns)] ?? 0);
  }
  return matrix;
}
