import type { AdapterModule, AdapterTensors } from '../adapter-module.ts';
import { needTensor } from '../adapter-module.ts';
import { createMatrix, type Matrix } from '../linear-algebra/matrix.ts';
import { shapeError } from '../tensor.ts';

/** ComfyUI keeps a zero norm from dividing so. */
const SINGLE_EPSILON = 2 ** -23;

/**
 * W' of DoRA: m ⊙ (W + ΔW) / ‖W + ΔW‖, the norm of each output row, or of each input column (over rows and kernel)
 * where the magnitudes say so. On the output axis ComfyUI divides by ‖W‖; the paper, PEFT and LyCORIS don't.
 * @param changed W + ΔW, `[out, in · kernel]`, ΔW at full strength.
 * @param inner the weight's second side, `in`.
 * @see https://arxiv.org/abs/2402.09353 (5)
 */
export function decomposeWeight(
  changed: Matrix,
  inner: number,
  axis: NonNullable<AdapterModule['dora']>['axis'],
  tensors: AdapterTensors,
): Matrix {
  const magnitude = needTensor(tensors, 'magnitude');
  const { rows, columns, data } = changed;
  const isByRow = axis === 'output' || (magnitude.shape[0] === rows && magnitude.data.length === rows);
  const kernel = columns / inner;
  const count = isByRow ? rows : inner;
  if (magnitude.data.length !== count) throw shapeError(`${count} magnitudes`, magnitude.shape);
  const groupOf = (at: number): number =>
    isByRow ? Math.floor(at / columns) : Math.floor((at % columns) / kernel);
  const squares = new Float64Array(count);
  for (let at = 0; at < data.length; at++) {
    const group = groupOf(at);
    squares[group] = (squares[group] ?? 0) + (data[at] ?? 0) ** 2;
  }
  const factors = squares.map((sum, i) => (magnitude.data[i] ?? 0) / (Math.sqrt(sum) + SINGLE_EPSILON));
  const out = createMatrix(rows, columns);
  for (let at = 0; at < data.length; at++) out.data[at] = (data[at] ?? 0) * (factors[groupOf(at)] ?? 0);
  return out;
}
