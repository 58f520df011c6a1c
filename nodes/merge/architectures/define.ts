/**
 * The words in which an architecture is told. A family is data: the tensors it is known by, its parts, its blocks for
 * block merges, and how other programs name the same tensors. What the words do is in the files beside this one.
 */

/** A tensor as the header of its file declares it: `dtype` as safetensors spells it (`F16`), `shape` in elements. */
export type TensorShape = { readonly dtype: string; readonly shape: readonly number[] };

/** What a file holds, by name. */
export type TensorShapes = ReadonlyMap<string, TensorShape>;

/**
 * A tensor that gives a family away. `name` may hold one `*` for anything; a side that is null may have any length.
 * Another number of sides is never this tensor; another length can be: a model made wider or narrower.
 */
export type Sign = { readonly name: string; readonly shape?: readonly (number | null)[] };

/**
 * Whose names the file uses. `original`: those of the model's authors, which checkpoints and ComfyUI keep; `kohya`
 * and `peft` are of adapters only.
 */
export type Layout = {
  readonly space: 'original' | 'diffusers' | 'transformers' | 'kohya' | 'peft';
  readonly has: readonly Sign[];
  /** Names, `*` allowed, that other families have and this one never. */
  readonly lacks?: readonly string[];
};

/** A kind within a family; the first that fits is meant. One of `any` must be there, in its shape. */
export type Variant = {
  readonly name: string;
  readonly any: readonly Sign[];
};

/** Text encoders as merges name them. */
export type EncoderId = 'clip_l' | 'clip_g' | 'clip_h' | 't5xxl' | 'umt5xxl' | 'llm';

/** A text encoder and where a checkpoint keeps it. */
export type Encoder = {
  readonly id: EncoderId;
  /** Beginnings of names; the first is what a checkpoint of this family has. */
  readonly prefixes: readonly string[];
  /** A CLIP text tower, whose other names are known. */
  readonly clip?: {
    /** `openclip`: q, k and v in one tensor `in_proj`. `hf`: as transformers has it. */
    readonly layout: 'hf' | 'openclip';
    readonly layers: number;
    readonly width: number;
    /** What stands before kohya's module names: `lora_te1_`. */
    readonly kohya: string;
    /** The encoder's name in a diffusers pipeline, as PEFT's names have it. */
    readonly pipeline: string;
  };
};

/** A block of a block merge, or with `count` a stack of them: `IN` of 9 is IN00 to IN08. */
export type Slot = {
  readonly block: string;
  /** Beginnings of names in the denoiser; of a stack, what stands before the number. */
  readonly denoiser?: readonly string[];
  readonly encoders?: readonly EncoderId[];
  readonly vae?: true;
  readonly count?: number;
};

/** Blocks in the order of a list of weights, and beginnings of names that go into a block of a stack. */
export type BlockPlan = {
  readonly slots: readonly Slot[];
  readonly also?: Readonly<Record<string, readonly string[]>>;
};

/**
 * The two ways of counting blocks that differ for Stable Diffusion. `supermerger`: time and label embeddings go with
 * IN00, the VAE with BASE. `mecha` (sd-mecha): embeddings go with BASE; the VAE of SDXL is a block of its own.
 */
export type Convention = 'supermerger' | 'mecha';

/** The shape of a Stable Diffusion UNet: blocks a level, and per level how deep its transformers are (0: none). */
export type UnetStructure = {
  readonly kind: 'unet';
  readonly residuals: number;
  readonly depths: readonly number[];
  readonly middleDepth: number;
  readonly labels: boolean;
};

/** The shape of a Flux transformer; rows of fused tensors follow from `width`. */
export type FluxStructure = {
  readonly kind: 'flux';
  readonly double: number;
  readonly single: number;
  readonly width: number;
};

/** Everything that is known of a family. */
export type Architecture = {
  readonly family: string;
  /** As users write it in a manifest. */
  readonly title: string;
  /** ModelSpec's name, for families where the tensors tell which one it is. */
  readonly modelspec?: string;
  /** Before the denoiser's names in a checkpoint; '' for language models. */
  readonly prefix: string;
  readonly layouts: readonly Layout[];
  readonly variants?: readonly Variant[];
  readonly encoders?: readonly Encoder[];
  readonly vae?: readonly string[];
  readonly blocks: BlockPlan | Readonly<Record<Convention, BlockPlan>>;
  readonly structure?: UnetStructure | FluxStructure;
};

/** Declares an architecture; the file's name is its family. */
export function defineArchitecture(architecture: Architecture): Architecture {
  return architecture;
}

/** Whether a text begins and ends as a name with one `*` does, or is it. */
export function matchesName(name: string, pattern: string): boolean {
  const star = pattern.indexOf('*');
  if (star < 0) return name === pattern;
  const [head, tail] = [pattern.slice(0, star), pattern.slice(star + 1)];
  return name.length >= head.length + tail.length && name.startsWith(head) && name.endsWith(tail);
}
