/**
 * The element types of safetensors and the bits of one element, in the order of the format's own enumeration: a
 * writer puts tensors of a later row first. Names are exact, upper case.
 *
 * @see https://github.com/huggingface/safetensors/blob/main/safetensors/src/tensor.rs
 */
const BITS = {
  BOOL: 8,
  F4: 4,
  F6_E2M3: 6,
  F6_E3M2: 6,
  U8: 8,
  I8: 8,
  F8_E5M2: 8,
  F8_E4M3: 8,
  F8_E8M0: 8,
  F8_E4M3FNUZ: 8,
  F8_E5M2FNUZ: 8,
  I16: 16,
  U16: 16,
  F16: 16,
  BF16: 16,
  I32: 32,
  U32: 32,
  F32: 32,
  C64: 64,
  F64: 64,
  I64: 64,
  U64: 64,
} as const;

/** The name of an element type, as a safetensors header spells it. `F8_E4M3` is the "fn" variant, without Inf. */
export type Dtype = keyof typeof BITS;

const RANK_OF: ReadonlyMap<string, number> = new Map(Object.keys(BITS).map((name, rank) => [name, rank]));

/** Whether a text is the exact name of an element type. */
export function isDtype(name: string): name is Dtype {
  return RANK_OF.has(name);
}

/** Bits of one element: 4 to 64. */
export function bitsOf(dtype: Dtype): number {
  return BITS[dtype];
}

/** The place in the enumeration, from 0: what orders tensors in a file, the highest first. */
export function rankOf(dtype: Dtype): number {
  return RANK_OF.get(dtype) ?? -1;
}

/** The product of the sides; 1 for a lone number. */
export function countElements(shape: readonly number[]): number {
  return shape.reduce((product, side) => product * side, 1);
}
