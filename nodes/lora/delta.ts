import { countElements } from '../formats/safetensors/dtypes.ts';
import { type AdapterModule, type AdapterTensors, needTensor } from './adapter-module.ts';
import { turnByBoft } from './kinds/boft.ts';
import { decomposeWeight } from './kinds/dora.ts';
import { gloraDelta } from './kinds/glora.ts';
import { lohaDelta } from './kinds/loha.ts';
import { lokrDelta } from './kinds/lokr.ts';
import { loraBiasDelta, loraDelta } from './kinds/lora.ts';
import { turnByOft } from './kinds/oft.ts';
import { type Matrix, transpose } from './linear-algebra/matrix.ts';
import { asMatrix, padTensor, rowLength, shapeError, type Tensor } from './tensor.ts';

/** How much of an adapter, and of which rows. */
export type Application = {
  readonly strength: number;
  /** Of a weight that holds several modules one below the other: the first row, and the row after the last. */
  readonly rows?: readonly [number, number];
};

/**
 * The weight under an adapter: W + s (W' - W), where W' is the weight at strength 1, for every kind. That is
 * ComfyUI's meaning of strength for DoRA; for OFT and BOFT ComfyUI's grows with its square. `set` has no strength:
 * it replaces the weight, as in ComfyUI.
 * @param weight not modified.
 * @returns a new tensor, of the weight's shape or of the one that the adapter widens it to.
 * @throws LineageError `lora/incomplete`, `lora/shape`, `lora/not-finite`
 */
export function applyAdapter(
  weight: Tensor,
  adapter: AdapterModule,
  tensors: AdapterTensors,
  { strength, rows }: Application,
): Tensor {
  if (rows) {
    const length = rowLength(weight.shape);
    const [first, end] = rows;
    if (!(first >= 0 && first < end && end <= (weight.shape[0] ?? 0))) {
      throw shapeError(`rows of a weight [${weight.shape}]`, rows);
    }
    const shape = [end - first, ...weight.shape.slice(1)];
    const part = { shape, data: weight.data.subarray(first * length, end * length) };
    const changed = applyAdapter(part, adapter, tensors, { strength });
    if (changed.data.length !== part.data.length) throw shapeError(`[${shape}]`, changed.shape);
    const data = weight.data.slice();
    data.set(changed.data, first * length);
    return { shape: weight.shape, data };
  }
  const wanted = adapter.reshape ?? (tensors.reshape && Array.from(tensors.reshape.data));
  const base = wanted ? padTensor(weight, wanted) : weight;
  if (adapter.kind === 'set') {
    const { data } = orient(asMatrix(needTensor(tensors, 'full')), adapter, base.shape);
    return { shape: base.shape, data: Float32Array.from(data) };
  }
  const delta = changeOf(base, adapter, tensors);
  return {
    shape: base.shape,
    data: base.data.map((value, i) => value + strength * (delta.data[i] ?? 0)),
  };
}

/** W' - W. */
function changeOf(weight: Tensor, adapter: AdapterModule, tensors: AdapterTensors): Matrix {
  const { kind, dora, isTransposed } = adapter;
  const isTurn = kind === 'oft' || kind === 'boft';
  let delta: Matrix;
  if (isTurn) {
    const turned = (kind === 'oft' ? turnByOft : turnByBoft)(adapter, tensors, weight);
    delta = combine(turned, weight, -1);
  } else if (kind === 'glora') delta = gloraDelta(adapter, tensors, weight);
  else delta = orient(deltaOf(adapter, tensors), adapter, weight.shape);
  if (!dora) return delta;
  const changed = combine(delta, weight, 1);
  if (!isTransposed) {
    return combine(decomposeWeight(changed, weight.shape[1] ?? 1, dora.axis, tensors), weight, -1);
  }
  // The magnitudes are those of the module's own orientation.
  const upright = transpose(changed);
  return combine(transpose(decomposeWeight(upright, upright.columns, dora.axis, tensors)), weight, -1);
}

/** ΔW as the module's own tensors have it. */
function deltaOf(adapter: AdapterModule, tensors: AdapterTensors): Matrix {
  if (adapter.kind === 'loha') return lohaDelta(adapter, tensors);
  if (adapter.kind === 'lokr') return lokrDelta(adapter, tensors);
  if (adapter.kind === 'lora' && adapter.part === 'bias') return loraBiasDelta(adapter, tensors);
  if (adapter.kind === 'lora') return loraDelta(adapter, tensors);
  return asMatrix(needTensor(tensors, 'full'));
}

/** A difference in the weight's own orientation. */
function orient(delta: Matrix, adapter: AdapterModule, shape: readonly number[]): Matrix {
  const fitting = adapter.isTransposed ? transpose(delta) : delta;
  if (fitting.rows !== (shape[0] ?? 1) || fitting.data.length !== countElements(shape)) {
    throw shapeError(`a weight of [${fitting.rows},${fitting.columns}] for ${nameOf(adapter)}`, shape);
  }
  return fitting;
}

/** The matrix plus `factor` times the weight. */
function combine(matrix: Matrix, weight: Tensor, factor: number): Matrix {
  return { ...matrix, data: matrix.data.map((value, i) => value + factor * (weight.data[i] ?? 0)) };
}

function nameOf({ kind, dora, target }: AdapterModule): string {
  return `${kind}${dora ? ' with DoRA' : ''} of ${target}`;
}
