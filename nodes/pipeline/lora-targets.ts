import type { Architecture } from '../merge/architectures/define.ts';
import type { KeyMap } from '../merge/architectures/key-spaces.ts';
import { partOf } from '../merge/architectures/parts.ts';

/** A module of a LoRA and what it changes of a weight. */
export type LoraTarget = {
  /** As kohya spells it: `lora_unet_input_blocks_4_1_proj_in`, `lora_te1_text_model_encoder_layers_0_mlp_fc1`. */
  readonly target: string;
  readonly part: 'denoiser' | 'text-encoder';
  /** Of a fused weight: the first row, and the one after the last. */
  readonly rows?: readonly [number, number];
};

/** kohya's LoRAs change these of a text encoder, and nothing else. */
const ENCODER_MODULE = /\.(self_attn|mlp)\./;
const WEIGHT = /\.weight$/;

/**
 * The modules that kohya's scripts give a weight: of SD 1 and 2 in diffusers' names, of all others in the
 * checkpoint's own, q, k and v of a text encoder apart. None for what no adapter's name leads to.
 *
 * @param name canonical.
 * @param keys of the architecture, with the widths of the model.
 */
export function listLoraTargets(
  name: string,
  architecture: Architecture,
  keys: KeyMap,
): readonly LoraTarget[] {
  const part = partOf(name, architecture);
  const { structure, encoders = [] } = architecture;
  const found: LoraTarget[] = [];
  const put = (prefix: string, layer: string, target: Omit<LoraTarget, 'target'>): void => {
    const spelled = `${prefix}${layer.replace(WEIGHT, '').replaceAll('.', '_')}`;
    const back = keys.ofModule(spelled);
    if (back?.name === name && String(back.rows) === String(target.rows) && back.turn === undefined)
      found.push({ target: spelled, ...target });
  };
  if (part.kind === 'denoiser' && WEIGHT.test(name)) {
    const isDiffusers = structure?.kind === 'unet' && !structure.labels;
    const [elsewhere] = isDiffusers ? keys.fromCanonical(name, 'diffusers') : [];
    put('lora_unet_', elsewhere?.name ?? part.bare, { part: 'denoiser' });
  }
  if (part.kind === 'text-encoder') {
    const clip = encoders.find(({ id }) => id === part.encoder)?.clip;
    for (const { name: other, place } of clip ? keys.fromCanonical(name, 'diffusers') : []) {
      const layer = other.slice((clip?.pipeline.length ?? 0) + 1);
      if (!ENCODER_MODULE.test(layer) || !WEIGHT.test(layer)) continue;
      put(clip?.kohya ?? '', layer, { part: 'text-encoder', ...(place.rows && { rows: place.rows }) });
    }
  }
  return found;
}
