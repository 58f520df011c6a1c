import { type AdapterModule, type AdapterTensors, alphaOf, needTensor } from '../adapter-module.ts';
import { type Matrix, scaleMatrix } from '../linear-algebra/matrix.ts';
import { asMatrix } from '../tensor.ts';
import { contractCore, multiplyFactors } from './core.ts';

/** A LoRA without its spelling: the difference is `scale` · up · down. */
export type LoraFactors = {
  /** `[out, r]`. */
  readonly up: Matrix;
  /** `[r, in · kernel]`. */
  readonly down: Matrix;
  /** α / r, r being the rows of the stored down; 1 without α. */
  readonly scale: number;
  /** Shape of the difference: `[out, in, ...kernel]`, the stored one's. */
  readonly shape: readonly number[];
};

/**
 * The factors of a LoRA; a core (LoCon's `mid`) is counted into the lower one.
 * @throws LineageError `lora/incomplete`, `lora/shape`
 */
function factorsOfLora(adapter: Pick<AdapterModule, 'alpha'>, tensors: AdapterTensors): LoraFactors {
  const [up, down] = [needTensor(tensors, 'up'), needTensor(tensors, 'down')];
  const rank = down.shape[0] ?? 1;
  const { mid } = tensors;
  const kernel = (mid ?? down).shape.slice(2);
  return {
    up: asMatrix(up),
    down: mid ? contractCore(mid, down) : asMatrix(down),
    scale: (alphaOf(adapter, tensors) ?? rank) / rank,
    shape: [up.shape[0] ?? 1, down.shape[1] ?? 1, ...kernel],
  };
}

/** ΔW = (α / r) up · down, `[out, in · kernel]`. */
export function loraDelta(adapter: Pick<AdapterModule, 'alpha'>, tensors: AdapterTensors): Matrix {
  const { up, down, scale } = factorsOfLora(adapter, tensors);
  return scaleMatrix(multiplyFactors(up, down), scale);
}

/** The bias that B adds (PEFT's `lora_bias`), scaled as the product is; `[out, 1]`. */
export function loraBiasDelta(adapter: Pick<AdapterModule, 'alpha'>, tensors: AdapterTensors): Matrix {
  const rank = needTensor(tensors, 'down').shape[0] ?? 1;
  return scaleMatrix(asMatrix(needTensor(tensors, 'bias')), (alphaOf(adapter, tensors) ?? rank) / rank);
}
