import type { LoraFactors } from './kinds/lora.ts';
import { scaleMatrix } from './linear-algebra/matrix.ts';

/** A tensor to be written, rounded to its dtype by who writes it. */
export type NamedTensor = {
  readonly name: string;
  readonly dtype: 'F32' | 'F16' | 'BF16';
  readonly shape: readonly number[];
  readonly data: Float32Array;
};

/** A LoRA and the module it is for, named in the spelling that is to be written. */
export type TargetedLora = { readonly target: string; readonly lora: LoraFactors };

/** kohya's names with α; or PEFT's, which diffusers reads too, with the scale in the upper factor: α is the rank. */
export type WrittenDialect = 'kohya' | 'peft';

const NAMES = {
  kohya: { up: 'lora_up.weight', down: 'lora_down.weight' },
  peft: { up: 'lora_B.weight', down: 'lora_A.weight' },
} as const satisfies Record<WrittenDialect, unknown>;

/**
 * The tensors of a LoRA file: `[out, r]` and `[r, in]`, of convolutions `[out, r, 1, 1]` and `[r, in, ...kernel]`,
 * α a scalar that is always F32.
 */
export function writeLora(
  loras: readonly TargetedLora[],
  dialect: WrittenDialect,
  dtype: NamedTensor['dtype'],
): NamedTensor[] {
  return loras.flatMap(({ target, lora: { up, down, scale, shape } }) => {
    const [, inner = 1, ...kernel] = shape;
    const rank = down.rows;
    const names = NAMES[dialect];
    const upper = dialect === 'peft' ? scaleMatrix(up, scale) : up;
    const factors: NamedTensor[] = [
      {
        name: `${target}.${names.down}`,
        dtype,
        shape: [rank, inner, ...kernel],
        data: Float32Array.from(down.data),
      },
      {
        name: `${target}.${names.up}`,
        dtype,
        shape: [up.rows, rank, ...kernel.map(() => 1)],
        data: Float32Array.from(upper.data),
      },
    ];
    if (dialect === 'peft') return factors;
    const alpha = Float32Array.of(scale * rank);
    return [...factors, { name: `${target}.alpha`, dtype: 'F32' as const, shape: [], data: alpha }];
  });
}
