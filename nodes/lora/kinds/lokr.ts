import { type AdapterModule, type AdapterTensors, alphaOf, needTensor } from '../adapter-module.ts';
import { createMatrix, type Matrix, scaleMatrix, transpose } from '../linear-algebra/matrix.ts';
import { asMatrix, type Tensor } from '../tensor.ts';
import { contractCore, multiplyFactors } from './core.ts';
import type { Side } from './loha.ts';

/** The two sides of a LoKr: the difference is `scale` times their Kronecker product. */
type LokrSides = {
  readonly first: Side | Matrix;
  readonly second: Side | Matrix;
  readonly scale: number;
};

/**
 * ΔW = (α / r) w1 ⊗ w2, each side whole or a product, the second perhaps with a core; r is the rank of a side that
 * is a product (of the second where both are), and where none is, α counts for nothing. `[out, in · kernel]`.
 * @see LyCORIS lycoris/functional/lokr.py
 */
export function lokrDelta(adapter: Pick<AdapterModule, 'alpha'>, tensors: AdapterTensors): Matrix {
  const { first, second, scale } = lokrSides(adapter, tensors);
  return scaleMatrix(multiplyKronecker(wholeOf(first), wholeOf(second)), scale);
}

/** The sides as the file has them, a core counted into the lower factor. */
function lokrSides(adapter: Pick<AdapterModule, 'alpha'>, tensors: AdapterTensors): LokrSides {
  const { w1, w1b, w2, w2b, t2 } = tensors;
  const rank = (w2 ? undefined : w2b?.shape[0]) ?? (w1 ? undefined : w1b?.shape[0]);
  return {
    first: w1
      ? asMatrix(w1)
      : { up: asMatrix(needTensor(tensors, 'w1a')), down: asMatrix(needTensor(tensors, 'w1b')) },
    second: w2 ? asMatrix(w2) : secondOf(needTensor(tensors, 'w2a'), needTensor(tensors, 'w2b'), t2),
    scale: rank === undefined ? 1 : (alphaOf(adapter, tensors) ?? rank) / rank,
  };
}

function secondOf(a: Tensor, b: Tensor, core: Tensor | undefined): Side {
  return core
    ? { up: transpose(asMatrix(a)), down: contractCore(core, b) }
    : { up: asMatrix(a), down: asMatrix(b) };
}

function wholeOf(side: Side | Matrix): Matrix {
  return 'data' in side ? side : multiplyFactors(side.up, side.down);
}

/** The Kronecker product: each element of the first times all of the second. */
function multiplyKronecker(first: Matrix, second: Matrix): Matrix {
  const out = createMatrix(first.rows * second.rows, first.columns * second.columns);
  let at = 0;
  for (let i = 0; i < first.rows; i++) {
    for (let p = 0; p < second.rows; p++) {
      for (let j = 0; j < first.columns; j++) {
        const factor = first.data[i * first.columns + j] ?? 0;
        for (let q = 0; q < second.columns; q++) {
          out.data[at++] = factor * (second.data[p * second.columns + q] ?? 0);
        }
      }
    }
  }
  return out;
}
