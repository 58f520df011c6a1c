import type { Architecture, TensorShapes } from './define.ts';
import type { Widths } from './key-spaces.ts';

/** Where q, k and v are one tensor: its rows are three times the width. */
const FUSED = {
  encoder: 'transformer.resblocks.0.attn.in_proj_weight',
  flux: 'double_blocks.0.img_attn.qkv.weight',
};

/**
 * The widths of a model's fused tensors, as it is; what it does not have fused is left out.
 *
 * @param tensors under canonical names, or of a denoiser without its prefix
 */
export function widthsOf({ encoders = [], structure, prefix }: Architecture, tensors: TensorShapes): Widths {
  const third = (name: string): number | undefined => {
    const rows = tensors.get(name)?.shape[0];
    return rows !== undefined && rows % 3 === 0 ? rows / 3 : undefined;
  };
  const denoiser = structure?.kind === 'flux' ? (third(prefix + FUSED.flux) ?? third(FUSED.flux)) : undefined;
  const widths = encoders.flatMap(({ id, prefixes, clip }) => {
    if (clip?.layout !== 'openclip') return [];
    const found = prefixes.map((start) => third(start + FUSED.encoder)).find((width) => width !== undefined);
    return found === undefined ? [] : [[id, found] as const];
  });
  return { ...Object.fromEntries(widths), ...(denoiser !== undefined && { denoiser }) };
}
