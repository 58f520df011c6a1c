import { LineageError } from '../kit/errors.ts';
import type { Tensor } from './tensor.ts';

/** What a file's header says of a tensor. */
export type TensorInfo = { readonly dtype: string; readonly shape: readonly number[] };

/** How an adapter changes a weight. */
export type AdapterKind = 'lora' | 'loha' | 'lokr' | 'oft' | 'boft' | 'glora' | 'diff' | 'set';

/** What a tensor is for. Shapes as the files have them, `...` the sides of a convolution's kernel. */
export type Role =
  /** LoRA: `[out, r, 1...]`, `[r, in, ...]`; with a core `[r, r, ...]`, down is `[r, in, 1...]`. */
  | 'up'
  | 'down'
  | 'mid'
  /** LoRA: the weight's shape after it is filled up with zeros. */
  | 'reshape'
  /** LoHa: `[out, r]`, `[r, in...]`; with cores `t1`, `t2` of `[r, r, ...]`: `[r, out]`, `[r, in]`. */
  | 'w1a'
  | 'w1b'
  | 'w2a'
  | 'w2b'
  | 't1'
  | 't2'
  /** LoKr: a side of the Kronecker product, whole; or its factors, under LoHa's names. */
  | 'w1'
  | 'w2'
  /** OFT: `[blocks, size, size]`; BOFT: `[factors, blocks, size, size]`. */
  | 'blocks'
  | 'rescale'
  /** GLoRA. */
  | 'a1'
  | 'a2'
  | 'b1'
  | 'b2'
  /** A full difference, or the weight itself, of the weight's shape. */
  | 'full'
  /** Of LoRA's upper side: `[out]`, scaled as the product is. */
  | 'bias'
  /** A number. */
  | 'alpha'
  /** DoRA's magnitudes: `[out, 1...]` or `[1, in, 1...]`; PEFT's: `[out]` or `[1, out, 1, 1]`. */
  | 'magnitude';

/** One change of one weight, as a file has it, whatever spelling it uses. */
export type AdapterModule = {
  /** The module's name as the file spells it, with prefixes. */
  readonly target: string;
  readonly part: 'weight' | 'bias';
  readonly kind: AdapterKind;
  /** The spelling: a dialect's id. */
  readonly dialect: string;
  /** Roles to names of tensors in the file. */
  readonly tensors: Readonly<Partial<Record<Role, string>>>;
  /** Where a configuration beside the file gives it; one of a file counts before it. rsLoRA's root is in it. */
  readonly alpha?: number;
  /** The weight's shape after it is filled up with zeros; else a tensor may say it. */
  readonly reshape?: readonly number[];
  /** The weight is `[in, out]` (PEFT's `fan_in_fan_out`, and embeddings): the difference is to be transposed. */
  readonly isTransposed?: true;
  /** DoRA: its magnitudes count rows whatever their shape (PEFT), or it shows in the shape. */
  readonly dora?: { readonly axis: 'output' | 'by shape' };
};

/** The tensors of a module, by role, widened to single precision. */
export type AdapterTensors = Readonly<Partial<Record<Role, Tensor>>>;

/** A tensor that must be there. */
export function needTensor(tensors: AdapterTensors, role: Role): Tensor {
  const tensor = tensors[role];
  if (!tensor) throw new LineageError('lora/incomplete', `expected a tensor for ${role}, got none`);
  return tensor;
}

/** α, of the file or of the configuration beside it. */
export function alphaOf(adapter: Pick<AdapterModule, 'alpha'>, tensors: AdapterTensors): number | undefined {
  const alpha = tensors.alpha ? tensors.alpha.data[0] : adapter.alpha;
  if (alpha !== undefined && !Number.isFinite(alpha)) {
    throw new LineageError('lora/not-finite', `expected a number for alpha, got ${alpha}`);
  }
  return alpha;
}
