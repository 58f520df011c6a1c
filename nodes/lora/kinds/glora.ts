import { type AdapterModule, type AdapterTensors, alphaOf, needTensor } from '../adapter-module.ts';
import { createMatrix, type Matrix, scaleMatrix } from '../linear-algebra/matrix.ts';
import { asMatrix, shapeError, type Tensor } from '../tensor.ts';
import { multiplyFactors } from './core.ts';

/**
 * ΔW = (α / r) (W a1 a2 + b1 b2), `[out, in · kernel]`. Files of LyCORIS before 2.0 hold the transposed order:
 * W a2 a1 + b2 b1, with the rank first in a1 and b1; where both orders would do, the older is meant only if
 * W is square and of the side of a2.
 * @see https://arxiv.org/abs/2306.07967; LyCORIS lycoris/modules/glora.py
 */
export function gloraDelta(
  adapter: Pick<AdapterModule, 'alpha'>,
  tensors: AdapterTensors,
  weight: Tensor,
): Matrix {
  const [a1, a2] = [needTensor(tensors, 'a1'), needTensor(tensors, 'a2')];
  const [b1, b2] = [needTensor(tensors, 'b1'), needTensor(tensors, 'b2')];
  const [outer, inner] = [weight.shape[0] ?? 1, weight.shape[1] ?? 1];
  const olderRank = oneRank(a1.shape[0], a2.shape[1], b1.shape[0], b2.shape[1]);
  const newerRank = oneRank(a1.shape[1], a2.shape[0], b1.shape[1], b2.shape[0]);
  const isOlder =
    olderRank !== undefined && (newerRank === undefined || (a2.shape[0] === outer && outer === inner));
  const rank = isOlder ? olderRank : newerRank;
  if (rank === undefined) throw shapeError('a1, a2, b1 and b2 of one rank', [...a1.shape, ...a2.shape]);
  const scale = (alphaOf(adapter, tensors) ?? rank) / rank;
  const through = isOlder
    ? multiplyFactors(multiplyFactors(asMatrix(weight), asMatrix(a2)), asMatrix(a1))
    : inputsSecond(multiplyFactors(multiplyFactors(inputsLast(weight), asMatrix(a1)), asMatrix(a2)), outer);
  const added = isOlder
    ? multiplyFactors(asMatrix(b2), asMatrix(b1))
    : multiplyFactors(asMatrix(b1), asMatrix(b2));
  if (through.rows !== added.rows || through.columns !== added.columns) {
    throw shapeError(`b1 and b2 of a product [${through.rows},${through.columns}]`, [
      added.rows,
      added.columns,
    ]);
  }
  const sum = through.data.map((value, i) => value + (added.data[i] ?? 0));
  return scaleMatrix({ ...through, data: sum }, scale);
}

/** `[out, in, ...kernel]` as `[out · kernel, in]`. */
function inputsLast(weight: Tensor): Matrix {
  const [outer = 1, inner = 1] = weight.shape;
  const kernel = weight.data.length / (outer * inner);
  const lying = createMatrix(outer * kernel, inner);
  for (let o = 0; o < outer; o++) {
    for (let i = 0; i < inner; i++) {
      for (let k = 0; k < kernel; k++) {
        lying.data[(o * kernel + k) * inner + i] = weight.data[(o * inner + i) * kernel + k] ?? 0;
      }
    }
  }
  return lying;
}

/** The way back: `[out · kernel, in]` as `[out, in · kernel]`. */
function inputsSecond({ rows, columns, data }: Matrix, outer: number): Matrix {
  const kernel = rows / outer;
  const out = createMatrix(outer, columns * kernel);
  for (let o = 0; o < outer; o++) {
    for (let k = 0; k < kernel; k++) {
      for (let i = 0; i < columns; i++) {
        out.data[(o * columns + i) * kernel + k] = data[(o * kernel + k) * columns + i] ?? 0;
      }
    }
  }
  return out;
}

function oneRank(first: number | undefined, ...others: readonly (number | undefined)[]): number | undefined {
  return others.every((other) => other === first) ? first : undefined;
}
