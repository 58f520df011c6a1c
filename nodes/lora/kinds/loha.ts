import {
  type AdapterModule,
  type AdapterTensors,
  alphaOf,
  needTensor,
  type Role,
} from '../adapter-module.ts';
import { type Matrix, transpose } from '../linear-algebra/matrix.ts';
import { asMatrix, shapeError } from '../tensor.ts';
import { contractCore, multiplyFactors } from './core.ts';

/** A matrix as a product. */
export type Side = { readonly up: Matrix; readonly down: Matrix };

/** The two sides of a LoHa: the difference is `scale` times their elementwise product. */
type LohaSides = { readonly first: Side; readonly second: Side; readonly scale: number };

/**
 * ΔW = (α / r) (w1a · w1b) ⊙ (w2a · w2b); with cores each side is Σ t[i, j, ...] a[i, out] b[j, in].
 * `[out, in · kernel]`.
 * @see https://arxiv.org/abs/2108.06098; LyCORIS lycoris/functional/loha.py
 */
export function lohaDelta(adapter: Pick<AdapterModule, 'alpha'>, tensors: AdapterTensors): Matrix {
  const sides = lohaSides(adapter, tensors);
  const first = multiplyFactors(sides.first.up, sides.first.down);
  const second = multiplyFactors(sides.second.up, sides.second.down);
  if (first.rows !== second.rows || first.columns !== second.columns) {
    throw shapeError(`two sides of [${first.rows},${first.columns}]`, [second.rows, second.columns]);
  }
  const { scale } = sides;
  return { ...first, data: first.data.map((value, i) => scale * value * (second.data[i] ?? 0)) };
}

/** The sides, a core counted into the lower factor: `[out, r]`, `[r, in · kernel]`. */
function lohaSides(adapter: Pick<AdapterModule, 'alpha'>, tensors: AdapterTensors): LohaSides {
  const rank = needTensor(tensors, 'w1b').shape[0] ?? 1;
  return {
    first: sideOf(tensors, 'w1a', 'w1b', 't1'),
    second: sideOf(tensors, 'w2a', 'w2b', 't2'),
    scale: (alphaOf(adapter, tensors) ?? rank) / rank,
  };
}

function sideOf(tensors: AdapterTensors, a: Role, b: Role, t: Role): Side {
  const [left, right, core] = [needTensor(tensors, a), needTensor(tensors, b), tensors[t]];
  return core
    ? { up: transpose(asMatrix(left)), down: contractCore(core, right) }
    : { up: asMatrix(left), down: asMatrix(right) };
}
