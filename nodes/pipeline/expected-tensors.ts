import type { Architecture } from '../merge/architectures/define.ts';
import { partOf } from '../merge/architectures/parts.ts';
import { listUnetModules } from '../merge/architectures/unet-names.ts';

/** Tensors that every whole part of a family has, and those that it may have beside them; canonical names. */
export type ExpectedTensors = { readonly needed: ReadonlySet<string>; readonly allowed: ReadonlySet<string> };

/** Which part a tensor is of: `denoiser`, `vae`, or the id of a text encoder. */
export type PartName = string;

/** Projections of attentions have no bias. */
const NO_BIAS = /\.attn[12]\.to_[qkv]$/;
/** Only residual blocks that change the number of channels have one. */
const SKIP = /\.skip_connection$/;
/** Distilled and cut variants have fewer blocks than their family. */
const CUT_VARIANTS: ReadonlySet<string> = new Set(['ssd-1b', 'vega']);

/**
 * What each part of a model must hold, where the family's layout is known tensor by tensor: Stable Diffusion's UNets,
 * their VAE, CLIP's text towers. Parts of others are not in the answer.
 *
 * @see the constructors of `UNetModel`, `Encoder` and `Decoder` (CompVis/stable-diffusion), of open_clip's
 *   `TextTransformer` and of transformers' `CLIPTextModel`
 */
export function listExpectedTensors(
  architecture: Architecture,
  variant: string | undefined,
): ReadonlyMap<PartName, ExpectedTensors> {
  const { structure, encoders = [], prefix, vae } = architecture;
  const parts = new Map<PartName, ExpectedTensors>();
  if (structure?.kind === 'unet' && !CUT_VARIANTS.has(variant ?? '')) {
    const modules = listUnetModules(structure).map(({ original }) => prefix + original);
    const always = modules.filter((name) => !SKIP.test(name));
    parts.set('denoiser', {
      needed: new Set(
        always.flatMap((name) => [`${name}.weight`, ...(NO_BIAS.test(name) ? [] : [`${name}.bias`])]),
      ),
      allowed: new Set(
        modules.filter((name) => SKIP.test(name)).flatMap((name) => [`${name}.weight`, `${name}.bias`]),
      ),
    });
  }
  if (structure?.kind === 'unet' && vae?.[0] !== undefined)
    parts.set('vae', { needed: new Set(listVaeTensors(vae[0])), allowed: new Set() });
  for (const { id, clip, prefixes } of encoders) {
    const start = prefixes[0] ?? '';
    if (!clip) continue;
    const names = (clip.layout === 'hf' ? listHfClip : listOpenClip)(clip.layers).map((name) => start + name);
    const optional = ['text_projection', 'logit_scale', 'text_model.embeddings.position_ids', 'attn_mask'];
    parts.set(id, { needed: new Set(names), allowed: new Set(optional.map((name) => start + name)) });
  }
  return parts;
}

/** The part of a tensor, by its canonical name. */
export function partNameOf(name: string, architecture: Architecture): PartName | undefined {
  const part = partOf(name, architecture);
  if (part.kind === 'text-encoder') return part.encoder;
  return part.kind === 'denoiser' || part.kind === 'vae' ? part.kind : undefined;
}

function listHfClip(layers: number): readonly string[] {
  const inLayer = [
    'layer_norm1',
    'layer_norm2',
    'mlp.fc1',
    'mlp.fc2',
    ...['q_proj', 'k_proj', 'v_proj', 'out_proj'].map((name) => `self_attn.${name}`),
  ];
  return [
    'text_model.embeddings.token_embedding.weight',
    'text_model.embeddings.position_embedding.weight',
    ...withBiases([...numbered('text_model.encoder.layers', layers, inLayer), 'text_model.final_layer_norm']),
  ];
}

function listOpenClip(layers: number): readonly string[] {
  const inLayer = ['ln_1', 'ln_2', 'mlp.c_fc', 'mlp.c_proj', 'attn.out_proj'];
  return [
    'token_embedding.weight',
    'positional_embedding',
    ...numbered('transformer.resblocks', layers, ['attn.in_proj_weight', 'attn.in_proj_bias']),
    ...withBiases([...numbered('transformer.resblocks', layers, inLayer), 'ln_final']),
  ];
}

/** Of four levels, as all of Stable Diffusion's VAEs have. */
function listVaeTensors(start: string): readonly string[] {
  const residual = ['norm1', 'conv1', 'norm2', 'conv2'];
  const middle = [
    ...numbered('mid.block_', 2, residual, 1).map((name) => name.replace('block_.', 'block_')),
    ...['norm', 'q', 'k', 'v', 'proj_out'].map((name) => `mid.attn_1.${name}`),
  ];
  const levels = (side: string, blocks: number): readonly string[] =>
    [0, 1, 2, 3].flatMap((level) => numbered(`${side}.${level}.block`, blocks, residual));
  const ends = ['conv_in', 'norm_out', 'conv_out'];
  const encoder = [
    ...ends,
    ...middle,
    ...levels('down', 2),
    // Where a level has twice the channels of the one above.
    ...[1, 2].map((level) => `down.${level}.block.0.nin_shortcut`),
    ...[0, 1, 2].map((level) => `down.${level}.downsample.conv`),
  ];
  const decoder = [
    ...ends,
    ...middle,
    ...levels('up', 3),
    ...[0, 1].map((level) => `up.${level}.block.0.nin_shortcut`),
    ...[1, 2, 3].map((level) => `up.${level}.upsample.conv`),
  ];
  const modules = [
    ...encoder.map((name) => `encoder.${name}`),
    ...decoder.map((name) => `decoder.${name}`),
    'quant_conv',
    'post_quant_conv',
  ];
  return withBiases(modules.map((name) => start + name));
}

function numbered(stack: string, count: number, names: readonly string[], from = 0): readonly string[] {
  return Array.from({ length: count }, (_, index) =>
    names.map((name) => `${stack}.${index + from}.${name}`),
  ).flat();
}

function withBiases(modules: readonly string[]): readonly string[] {
  return modules.flatMap((name) => [`${name}.weight`, `${name}.bias`]);
}
