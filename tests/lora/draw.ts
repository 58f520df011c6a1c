import { countElements } from '../../nodes/formats/safetensors/dtypes.ts';
import { type Matrix, matrixOf } from '../../nodes/lora/linear-algebra/matrix.ts';
import type { Tensor } from '../../nodes/lora/tensor.ts';

/** The values that `fixtures/lora/generate.py` draws: single precision, in [-scale, scale). */
export function draw(seed: number, shape: readonly number[], scale = 1): Tensor {
  let state = seed;
  const data = Float32Array.from({ length: countElements(shape) }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return (state / 2 ** 31 - 1) * scale;
  });
  return { shape, data };
}

export function drawMatrix(seed: number, rows: number, columns: number): Matrix {
  return matrixOf(rows, columns, draw(seed, [rows, columns]).data);
}

/** ‖a - b‖ / ‖b‖, and ‖a‖ where b is zero. */
export function distance(a: ArrayLike<number>, b: ArrayLike<number>): number {
  if (a.length !== b.length) return Number.POSITIVE_INFINITY;
  let [difference, norm] = [0, 0];
  for (let i = 0; i < a.length; i++) {
    difference += (a[i]! - b[i]!) ** 2;
    norm += b[i]! ** 2;
  }
  return Math.sqrt(difference / (norm || 1));
}
