import type { FloatDtype } from '../../nodes/formats/floats.ts';
import type { Dtype } from '../../nodes/formats/safetensors/dtypes.ts';
import { byteLength } from '../../nodes/formats/safetensors/header.ts';
import type { ConstantTensor, MergedTensor, Operand, StoredTensor } from '../../nodes/merge/job.ts';
import type { KernelDtype } from '../../nodes/merge/kernels/kernels.ts';
import type { Term } from '../../nodes/merge/method.ts';

/** A value whose elements each depend on the elements of the same place alone, so that any part can be made alone. */
export type Elementwise = Leaf | Sum;
export type Leaf = StoredTensor | ConstantTensor;
/** Terms name inputs by their place in `inputs`. */
export type Sum = {
  readonly kind: 'sum';
  readonly terms: readonly Term[];
  readonly inputs: readonly Elementwise[];
};

/** A sum of what is stored. */
export type StoredSum = Omit<Sum, 'inputs'> & { readonly inputs: readonly StoredTensor[] };

/** How the engine makes a tensor. Plain data, which is posted to threads. */
export type Recipe =
  /** Bytes as they are. */
  | { readonly way: 'copy'; readonly dtype: Dtype; readonly from: Leaf }
  /** A sum of inputs that all have the type of the output: one pass of the fused kernel. */
  | {
      readonly way: 'fused';
      readonly dtype: KernelDtype;
      readonly sum: StoredSum;
    }
  /** Any other elementwise value: summed in float32, whatever types its inputs have, and encoded. */
  | { readonly way: 'elementwise'; readonly dtype: FloatDtype; readonly value: Elementwise }
  /** What no part of can be made alone: a tensor at a time. */
  | { readonly way: 'whole'; readonly dtype: FloatDtype; readonly value: Operand };

export function isLeaf(value: { readonly kind: string }): value is Leaf {
  return value.kind === 'stored' || value.kind === 'constant';
}

/** The models, then the base. */
export function inputsOf({ models, base }: MergedTensor): readonly Operand[] {
  return base ? [...models, base] : models;
}

/** Bytes of a tensor whose type and shape were checked before. */
export function bytesOf(dtype: Dtype, shape: readonly number[]): number {
  const bytes = byteLength(dtype, shape);
  if (bytes === undefined) throw new Error(`a shape of no whole bytes: ${dtype} [${shape}]`);
  return bytes;
}

/** Buffers that hold what a sum is made of while it is made: one an input, and one an input of the inputs. */
export function buffersFor(value: Elementwise): number {
  if (value.kind !== 'sum') return 1;
  const inner = value.inputs.map((input) => (input.kind === 'sum' ? buffersFor(input) : 0));
  return value.inputs.length + Math.max(0, ...inner);
}
