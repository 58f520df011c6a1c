import { type AdapterModule, type AdapterTensors, needTensor } from '../adapter-module.ts';
import { rotationOf, skewBlocks } from '../linear-algebra/cayley.ts';
import type { Matrix } from '../linear-algebra/matrix.ts';
import { asMatrix, shapeError, type Tensor } from '../tensor.ts';
import { boundOf, rescaleRows } from './oft.ts';

/**
 * W' of BOFT: factors, one after the other, each turning blocks of rows that lie the further apart the later the
 * factor; then rows times `rescale`. α bounds as in OFT. `[out, in · kernel]`.
 * @see https://arxiv.org/abs/2311.06243; LyCORIS lycoris/modules/boft.py
 */
export function turnByBoft(
  adapter: Pick<AdapterModule, 'alpha'>,
  tensors: AdapterTensors,
  weight: Tensor,
): Matrix {
  const blocks = needTensor(tensors, 'blocks');
  const [factors = 0, count = 0, size = 0] = blocks.shape;
  const matrix = asMatrix(weight);
  const { rows } = matrix;
  const largestStep = 2 ** factors * Math.floor(size / 2);
  if (count * size !== rows || size % 2 !== 0 || rows % largestStep !== 0) {
    throw shapeError(`${factors} factors of blocks for ${rows} rows`, blocks.shape);
  }
  const skews = skewBlocks(blocks.data, size, boundOf(adapter, tensors, rows));
  for (let factor = 0; factor < factors; factor++) {
    for (let block = 0; block < count; block++) {
      const skew = skews[factor * count + block];
      if (skew) turnRows(matrix, rotationOf(skew), butterflyRows(2 ** factor * (size / 2), block, size));
    }
  }
  return rescaleRows(matrix, tensors);
}

/**
 * The rows of a block: the rows, two runs of `stride` at a time, are dealt out alternately (row 0, row `stride`,
 * row 1, ...), and the block takes its share of what comes.
 */
function butterflyRows(stride: number, block: number, size: number): number[] {
  return Array.from({ length: size }, (_, i) => {
    const dealt = block * size + i;
    const pair = Math.floor(dealt / 2);
    return Math.floor(pair / stride) * 2 * stride + (dealt % 2) * stride + (pair % stride);
  });
}

/** Rows that lie apart, times a rotation from the left, in place. */
function turnRows({ columns, data }: Matrix, rotation: Matrix, rows: readonly number[]): void {
  const kept = rows.map((row) => data.slice(row * columns, (row + 1) * columns));
  for (const [i, row] of rows.entries()) {
    const out = data.subarray(row * columns, (row + 1) * columns);
    out.fill(0);
    for (const [j, part] of kept.entries()) {
      const factor = rotation.data[i * rotation.columns + j] ?? 0;
      for (let at = 0; at < columns; at++) out[at] = (out[at] ?? 0) + factor * (part[at] ?? 0);
    }
  }
}
