import { floatBytes } from '../../formats/floats.ts';
import type { KernelOperand } from './kernels.ts';

/** The same operand, some elements on. */
export function advance({ dtype, at }: KernelOperand, elements: number): KernelOperand {
  return { dtype, at: at + elements * floatBytes(dtype) };
}

/** The input that a term names: `BASE` is the last one. */
export function inputOf(inputs: readonly KernelOperand[], index: number): KernelOperand {
  const input = inputs.at(index);
  if (!input) throw new Error(`a term names input ${index} of ${inputs.length}`);
  return input;
}
