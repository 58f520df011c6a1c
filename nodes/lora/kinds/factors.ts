import { countElements } from '../../formats/safetensors/dtypes.ts';
import { LineageError } from '../../kit/errors.ts';
import type { AdapterModule, AdapterTensors } from '../adapter-module.ts';
import { createMatrix, type Matrix, transpose } from '../linear-algebra/matrix.ts';
import { shapeError } from '../tensor.ts';
import { lohaSides } from './loha.ts';
import { lokrSides, multiplyKronecker, splitSide } from './lokr.ts';
import { factorsOfLora, type LoraFactors } from './lora.ts';

/**
 * A low-rank adapter as a LoRA, exactly: LoHa has the product of its sides' ranks, and so has LoKr, where a whole
 * side's rank is its smaller side.
 * @param shape the weight's, `[out, in, ...kernel]`.
 * @throws LineageError `lora/not-low-rank` for other kinds, DoRA, and biases; `lora/incomplete`, `lora/shape`
 */
export function factorsOf(
  adapter: AdapterModule,
  tensors: AdapterTensors,
  shape: readonly number[],
): LoraFactors {
  const { up, down, scale } = uprightFactors(adapter, tensors);
  const [rows, columns] = adapter.isTransposed ? [down.columns, up.rows] : [up.rows, down.columns];
  if (rows !== shape[0] || rows * columns !== countElements(shape) || up.columns !== down.rows) {
    throw shapeError(`a weight of [${rows},${columns}] for ${adapter.target}`, shape);
  }
  if (!adapter.isTransposed) return { up, down, scale, shape };
  return { up: transpose(down), down: transpose(up), scale, shape };
}

function uprightFactors(adapter: AdapterModule, tensors: AdapterTensors): Omit<LoraFactors, 'shape'> {
  const { kind, part, dora, target } = adapter;
  if (!dora && part === 'weight') {
    if (kind === 'lora') return factorsOfLora(adapter, tensors);
    if (kind === 'loha') {
      const { first, second, scale } = lohaSides(adapter, tensors);
      // The elementwise product of two products: rows of the upper factors, columns of the lower, each with each.
      const down = multiplyRows(transpose(first.down), transpose(second.down));
      return { up: multiplyRows(first.up, second.up), down: transpose(down), scale };
    }
    if (kind === 'lokr') {
      const sides = lokrSides(adapter, tensors);
      const [first, second] = [splitSide(sides.first), splitSide(sides.second)];
      return {
        up: multiplyKronecker(first.up, second.up),
        down: multiplyKronecker(first.down, second.down),
        scale: sides.scale,
      };
    }
  }
  const what = `${kind}${dora ? ' with DoRA' : ''} of a ${part}`;
  throw new LineageError('lora/not-low-rank', `expected a low-rank adapter, got ${what}: ${target}`);
}

/** The row-wise Kronecker product: `[n, p]` and `[n, q]` give `[n, p · q]`. */
function multiplyRows(first: Matrix, second: Matrix): Matrix {
  if (first.rows !== second.rows) throw shapeError(`sides of ${first.rows}`, [second.rows]);
  const out = createMatrix(first.rows, first.columns * second.columns);
  let at = 0;
  for (let i = 0; i < first.rows; i++) {
    for (let p = 0; p < first.columns; p++) {
      const factor = first.data[i * first.columns + p] ?? 0;
      for (let q = 0; q < second.columns; q++) {
        out.data[at++] = factor * (second.data[i * second.columns + q] ?? 0);
      }
    }
  }
  return out;
}
