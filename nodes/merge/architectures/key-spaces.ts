import { listHfClipTensors, listOpenClipTensors } from './clip-names.ts';
import type { Architecture, Encoder, EncoderId } from './define.ts';
import { listFluxTensors } from './flux-names.ts';
import { partOf } from './parts.ts';
import { type NamedTensor, type Placement, sameParameters } from './placement.ts';
import { listUnetModules } from './unet-names.ts';

/**
 * Names of one family's tensors, into the canonical ones and back. Canonical is what a checkpoint of the family has:
 * the authors' names with q, k and v as the authors fused them, everything under the checkpoint's prefixes.
 */
export type KeyMap = {
  /**
   * The canonical place of a tensor named in any key space: as it is, without prefix, as diffusers has it (also below
   * `unet.`, `transformer.`, `text_encoder_2.`), CLIP as transformers has it, or CLIP as early NovelAI files have it
   * (without `text_model.`). Undefined: none of the family's names. Tensors of the VAE, markers and leftovers of
   * training keep their names.
   */
  toCanonical(name: string): Placement | undefined;
  /**
   * What a canonical tensor is called elsewhere; several where it is fused, each with its rows of the canonical one.
   * `diffusers`: the denoiser without prefix, encoders below their name in a pipeline.
   */
  fromCanonical(name: string, space: 'comfy-bare' | 'diffusers'): readonly NamedTensor[];
  /**
   * The weight that an adapter's module changes: `lora_unet_down_blocks_1_attentions_0_proj_in`,
   * `lora_te2_text_model_encoder_layers_0_mlp_fc1` (kohya), `unet.down_blocks.1.attentions.0.proj_in` (PEFT).
   */
  ofModule(layer: string): Placement | undefined;
};

/** Rows that q, k and v have where a model's width is not the published one (of the transformer, of encoders). */
export type Widths = { readonly denoiser?: number } & { readonly [encoder in EncoderId]?: number };

/** Before the denoiser's names, besides the checkpoint's own; the longer first where one ends as another. */
const DENOISER_PREFIXES = ['base_model.model.', 'diffusion_model.', 'net.', 'unet.', 'transformer.', ''];
/** Before kohya's names of modules of the denoiser: kohya, OneTrainer, LyCORIS. */
const KOHYA_PREFIXES = ['lora_unet_', 'lora_transformer_', 'lycoris_'];
/** What early NovelAI checkpoints have without `text_model.` before it. */
const NAI = /^(embeddings|encoder|final_layer_norm)\./;

/** Before the names of encoders in diffusers' pipelines. */
const PIPELINE = /^text_encoder(_\d)?\.$/;

type Tables = {
  readonly byName: ReadonlyMap<string, Placement>;
  readonly byCanonical: ReadonlyMap<string, readonly NamedTensor[]>;
};

/** Makes the tables of a family, a few thousand names; families without a known structure have prefixes only. */
export function makeKeyMap(architecture: Architecture, widths: Widths = {}): KeyMap {
  const { prefix } = architecture;
  const denoiser = index(listDenoiser(architecture, widths), prefix);
  const encoders = (architecture.encoders ?? []).map((encoder) => ({
    encoder,
    tables: index(listEncoder(encoder, widths[encoder.id]), encoder.prefixes[0] ?? ''),
  }));
  const kohya = new Map([
    ...moduleNames(denoiser, prefix, KOHYA_PREFIXES),
    ...encoders.flatMap(({ encoder: { clip }, tables }) =>
      clip ? [...moduleNames(tables, undefined, [clip.kohya])] : [],
    ),
  ]);

  function toCanonical(name: string): Placement | undefined {
    if (prefix !== '' && name.startsWith(prefix)) return { name };
    for (const { encoder, tables } of encoders) {
      const start = encoder.prefixes.find((each) => name.startsWith(each));
      if (start !== undefined) return placeInEncoder(name, start, tables);
    }
    for (const start of DENOISER_PREFIXES) {
      if (!name.startsWith(start)) continue;
      const bare = name.slice(start.length);
      const place = denoiser.byName.get(bare);
      if (place !== undefined) return place;
      if (partOf(bare, architecture).kind === 'denoiser') return { name: prefix + bare };
    }
    return partOf(name, architecture).kind === 'other' ? undefined : { name };
  }

  function fromCanonical(name: string, space: 'comfy-bare' | 'diffusers'): readonly NamedTensor[] {
    const bare = name.startsWith(prefix) ? name.slice(prefix.length) : undefined;
    if (space === 'comfy-bare') return bare === undefined ? [] : [{ name: bare, place: { name } }];
    const ofDenoiser = denoiser.byCanonical.get(name);
    if (ofDenoiser !== undefined) return ofDenoiser;
    for (const { encoder, tables } of encoders) {
      const found = tables.byCanonical.get(name);
      const pipeline = encoder.clip?.pipeline;
      if (found && pipeline)
        return found.map((each) => ({ name: `${pipeline}.${each.name}`, place: each.place }));
    }
    return [];
  }

  function ofModule(layer: string): Placement | undefined {
    // Early diffusers adapters name the attention's processor, and its output without the number.
    const dotted = layer.replace('.processor.', '.').replace(/\.to_out$/, '.to_out.0');
    return kohya.get(layer) ?? toCanonical(`${dotted}.weight`);
  }

  return { toCanonical, fromCanonical, ofModule };
}

function listDenoiser({ structure }: Architecture, { denoiser }: Widths): readonly NamedTensor[] {
  if (structure === undefined) return [];
  if (structure.kind === 'flux') return listFluxTensors({ ...structure, width: denoiser ?? structure.width });
  return listUnetModules(structure).flatMap(({ original, diffusers }) => sameParameters(diffusers, original));
}

function listEncoder({ clip }: Encoder, width: number | undefined): readonly NamedTensor[] {
  if (clip === undefined) return [];
  return clip.layout === 'hf'
    ? listHfClipTensors(clip.layers)
    : listOpenClipTensors(clip.layers, width ?? clip.width);
}

/** Both directions, canonical names with their prefix. */
function index(tensors: readonly NamedTensor[], prefix: string): Tables {
  const byName = new Map<string, Placement>();
  const byCanonical = new Map<string, NamedTensor[]>();
  for (const tensor of tensors) {
    const place = { ...tensor.place, name: prefix + tensor.place.name };
    byName.set(tensor.name, place);
    const known = byCanonical.get(place.name) ?? [];
    known.push({ name: tensor.name, place });
    byCanonical.set(place.name, known);
  }
  return { byName, byCanonical };
}

/** An encoder's tensor below one of its prefixes. Names of a pipeline that no table has are not guessed at. */
function placeInEncoder(name: string, start: string, tables: Tables): Placement | undefined {
  const bare = name.slice(start.length);
  const place = tables.byName.get(NAI.test(bare) ? `text_model.${bare}` : bare);
  return place ?? (PIPELINE.test(start) ? undefined : { name });
}

/**
 * Modules with a weight as kohya spells them, dots as underscores: in the other names, and with `original` in the
 * canonical ones.
 */
function moduleNames(
  { byName }: Tables,
  original: string | undefined,
  prefixes: readonly string[],
): ReadonlyMap<string, Placement> {
  const modules = new Map<string, Placement>();
  const put = (name: string, place: Placement): void => {
    if (!name.endsWith('.weight')) return;
    const layer = name.slice(0, -'.weight'.length).replaceAll('.', '_');
    for (const prefix of prefixes) modules.set(prefix + layer, place);
  };
  for (const [name, place] of byName) {
    if (original !== undefined) put(place.name.slice(original.length), { name: place.name });
    put(name, place);
  }
  return modules;
}
