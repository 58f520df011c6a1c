/**
 * The words a capture rule may use. A rule is data: it says where a class type keeps a fact and how
 * links run through it, and it can neither throw nor execute. The tracer in `nodes/metadata/` gives
 * the words their meaning.
 */

/**
 * Every fact a rule can name. The order and the spelling are promises: names are only ever added at the
 * end. The first thirty are the field set of earlier ComfyUI metadata savers; START_STEP on are ours.
 */
export const META_FIELDS = [
  'MODEL_NAME',
  'MODEL_HASH',
  'VAE_NAME',
  'VAE_HASH',
  'POSITIVE_PROMPT',
  'NEGATIVE_PROMPT',
  'CLIP_SKIP',
  'SEED',
  'STEPS',
  'CFG',
  'SAMPLER_NAME',
  'SCHEDULER',
  'GUIDANCE',
  'DENOISE',
  'CLIP_MODEL_NAME',
  'WEIGHT_DTYPE',
  'IMAGE_WIDTH',
  'IMAGE_HEIGHT',
  'MAX_SHIFT',
  'BASE_SHIFT',
  'T5_PROMPT',
  'CLIP_PROMPT',
  'SHIFT',
  'EMBEDDING_NAME',
  'EMBEDDING_HASH',
  'LORA_MODEL_NAME',
  'LORA_MODEL_HASH',
  'LORA_STRENGTH_MODEL',
  'LORA_STRENGTH_CLIP',
  'END_STEP',
  'START_STEP',
  'CONTROLNET_NAME',
  'CONTROLNET_STRENGTH',
  'UPSCALE_MODEL_NAME',
  'SCALE_BY',
  'CLIP_VISION_NAME',
  'STYLE_MODEL_NAME',
  'HYPERNETWORK_NAME',
  'HYPERNETWORK_STRENGTH',
  'BATCH_SIZE',
  'FRAME_COUNT',
  'FRAME_RATE',
  'SOURCE_IMAGE',
] as const;

export type MetaField = (typeof META_FIELDS)[number];

/**
 * What runs along a link. A walk upstream from a sampler is always *on* one stream, so a prompt met on
 * `negative` is the negative prompt and a checkpoint met on `clip` does not name the model.
 *
 * - `model clip vae latent image noise sampler sigmas guider`: ComfyUI's sockets of those names;
 * - `positive negative`: conditioning, by the side it ends on;
 * - `control`: a ControlNet or adapter model; `upscale`: an upscale model;
 * - `reference`: a picture (or an encoding of one) that only guides; a sampler behind it did not make the
 *   saved picture. A walk on `reference` stays on it, whatever stream the inputs it passes are named for;
 * - `value`: a number, a string or a list.
 */
export const STREAMS = [
  'model',
  'clip',
  'vae',
  'positive',
  'negative',
  'latent',
  'image',
  'noise',
  'sampler',
  'sigmas',
  'guider',
  'control',
  'upscale',
  'reference',
  'value',
] as const;

export type Stream = (typeof STREAMS)[number];

/**
 * What a node is for. `sampler` makes a class type a Tier A sampler; `saver` writes files and starts a
 * trace; `preview` writes nothing that lasts; `source` brings a finished picture in.
 */
export const ROLES = [
  'sampler',
  'guider',
  'scheduler',
  'loader',
  'encoder',
  'combiner',
  'switch',
  'passthrough',
  'pipe',
  'string',
  'value',
  'latent',
  'image',
  'patch',
  'source',
  'saver',
  'preview',
] as const;

type Role = (typeof ROLES)[number];

/** How a raw value becomes the fact. Names only; `nodes/metadata/normalise.ts` holds the meaning. */
export const NORMALISERS = [
  /** CLIP's last layers, counted from the end: `stop_at_clip_layer` -2 is a clip skip of 2. */
  'clip-skip',
  /** The width in a text that holds a size: "1344 x 768 (landscape)" or "1344x768" is 1344. */
  'width-of',
  /** The height in such a text: "1344 x 768 (landscape)" is 768. */
  'height-of',
  /** Sigmas, typed as text or given as a list, as the number of steps between them: "14.6, 3.1, 0.5, 0" is 3. */
  'sigma-count',
  /**
   * For START_STEP and END_STEP: the share of the steps that the second half of a split list runs, as the step of
   * the split. 0.25 of 20 steps is step 15. Unknown while the number of steps is.
   */
  'split-at-denoise',
  /** A prompt without the tags that load LoRAs: "a cat <lora:fur:0.8>" is "a cat ". */
  'without-lora-tags',
] as const;

export type Normaliser = (typeof NORMALISERS)[number];

type Scalar = string | number | boolean;

/** What an input's value is held against: `default` is what counts where the graph leaves the input out. */
type Test =
  | { readonly is: Scalar | readonly Scalar[]; readonly default?: Scalar }
  /** Also true where only a run knows the value. */
  | { readonly not: Scalar | readonly Scalar[]; readonly default?: Scalar }
  /** Whether a link leads in. */
  | { readonly linked: boolean };

/** Holds or fails by the value of another input. Values are compared by their text: 1 is "1", true is "true". */
export type Condition = { readonly input: string } & Test;

/** For a source of several items: the input of this prefix whose name ends as the item's does. */
export type ItemCondition = { readonly prefix: string } & Test;

/** Where a value lies on the node. Several-valued sources give each value an item key, so that the third
 * LoRA's name and the third strength find each other. */
type Source =
  /** One input, literal or linked. */
  | { readonly input: string }
  /** Several inputs, joined in order by `join` (default: each its own item, keyed by position). */
  | { readonly inputs: readonly string[]; readonly join?: string }
  /**
   * Every input whose name starts so, and ends in `suffix`; the rest of the name is the item key. With `count`, an
   * input, only items 1 to its value.
   */
  | { readonly prefix: string; readonly suffix?: string; readonly count?: string }
  /** What the node itself put out at this slot; known only of a node that has run. */
  | { readonly output: number }
  /** A constant. */
  | { readonly value: string | number | boolean }
  /** A list (or stack) in one input; `at` picks a member of each entry, by index or key, where its member `when` is true. */
  | { readonly list: string; readonly at?: number | string; readonly when?: string }
  /** Dictionary inputs, e.g. rgthree's `lora_1 {on, lora, strength}`: `key` is read where `when` is true. */
  | { readonly entries: string; readonly key: string; readonly when?: string }
  /** The LoRAs that the text in an input, or in several, loads by tags, `<lora:name:model:clip>`: one part of each. */
  | { readonly tags: string | readonly string[]; readonly part: 'name' | 'model' | 'clip' }
  /** What the bundle that comes in holds under this key: settings that travel in a pipe. */
  | { readonly key: string };

/** One place to read a field, and when it counts. */
export type Place = Source & {
  /** Only when the node was reached on this stream (or one of these). */
  readonly on?: Stream | readonly Stream[];
  /** Only when the node was reached through this output slot. */
  readonly slot?: number;
  /** Only when all of these hold. */
  readonly if?: Condition | ItemCondition | readonly (Condition | ItemCondition)[];
  readonly normalise?: Normaliser;
  /** For END_STEP: whether the step it names still runs. ComfyUI's ends do not, so `exclusive` is the default. */
  readonly ends?: 'exclusive' | 'inclusive';
};

/**
 * An operand of a string operation: an input of the node, with what counts where a graph leaves it out, a constant, or
 * what another operation gives.
 */
export type Operand =
  | { readonly input: string; readonly default?: Scalar }
  | { readonly value: Scalar }
  | Operation;

/** How an output's value follows from the inputs, for a tracer that runs nothing. */
export type Operation =
  | {
      readonly op: 'join';
      readonly parts: readonly Operand[] | { readonly prefix: string };
      readonly separator: Operand;
      readonly skipEmpty?: boolean;
    }
  | { readonly op: 'replace'; readonly text: Operand; readonly find: Operand; readonly with: Operand }
  | {
      readonly op: 'regex-replace';
      readonly text: Operand;
      readonly find: Operand;
      readonly with: Operand;
      /** Python's flags; one that the rule does not name is off. */
      readonly ignoreCase?: Operand;
      readonly multiline?: Operand;
      readonly dotAll?: Operand;
      /** How many matches, 0 for all. */
      readonly count?: Operand;
    }
  /** `mode`: "Both", "Left" or "Right" (any case). */
  | { readonly op: 'trim'; readonly text: Operand; readonly mode?: Operand }
  /** `mode`: "UPPERCASE", "lowercase", "Capitalize" or "Title Case" (any case). */
  | { readonly op: 'case'; readonly text: Operand; readonly mode: Operand }
  /** Python's slice `text[start:end]`. */
  | { readonly op: 'slice'; readonly text: Operand; readonly start: Operand; readonly end: Operand }
  | { readonly op: 'length'; readonly text: Operand }
  | {
      readonly op: 'contains';
      readonly text: Operand;
      readonly find: Operand;
      readonly caseSensitive?: Operand;
    }
  /** `mode`: "Equal", "Starts With" or "Ends With". */
  | {
      readonly op: 'compare';
      readonly a: Operand;
      readonly b: Operand;
      readonly mode: Operand;
      readonly caseSensitive?: Operand;
    }
  /** The operand that `cases` has for the text of `by`, else `otherwise`. */
  | {
      readonly op: 'pick';
      readonly by: Operand;
      readonly cases: Readonly<Record<string, Operand>>;
      readonly otherwise?: Operand;
    }
  /** Truncated to an integer, or read as a float or text. */
  | { readonly op: 'cast'; readonly of: Operand; readonly to: 'int' | 'float' | 'string' | 'boolean' };

/** Which input a switch hands on, at these output slots (default: at all); the other slots follow `gives`. */
export type Switch = Choice & { readonly slots?: readonly number[] };

type Choice =
  /** By a value: `cases` maps its text ("true", "2", "name") to an input. */
  | { readonly by: string; readonly cases: Readonly<Record<string, string>> }
  /** By a number put behind a prefix: value 2 → `input2`. */
  | { readonly by: string; readonly prefix: string }
  /**
   * The first input with this prefix that has a value, by what follows the prefix, numbers as numbers (2 before 10).
   * A literal has one unless it is null or ''. A link has one, unless it is known to bring nothing: a bundle that
   * nobody gave that key or any, a switch with nothing to hand on.
   */
  | { readonly first: string };

/**
 * A bundle of named values that travels on one link. A key comes from the input that sets it; else from the bundles
 * in `from`, the first that has it (`prefer: 'last'`: the last). What the node itself makes of a bundle and hands on in
 * it stands in `makes`.
 */
type Pipe = {
  readonly from: readonly string[] | { readonly prefix: string };
  /** Output `slots[n]` hands out the key of that name; '' is the bundle itself, null an output that is no part of it. */
  readonly slots: readonly (string | null)[];
  readonly prefer?: 'first' | 'last';
  /** The input that sets a key, where it is not called as the key is. */
  readonly keys?: Readonly<Record<string, string>>;
  /**
   * Keys of the bundle handed on that are no input, and the output slot that is the same thing. Where the node has no
   * such output, a number beyond its last: the rest of the rule may speak of it as of any other.
   */
  readonly makes?: Readonly<Record<string, number>>;
};

/** All we know of one class type. */
export type NodeRule = {
  readonly role: Role;
  /** Linked inputs a walk follows, and the stream it is then on, or several; `same` keeps the one it came on. */
  readonly takes?: Readonly<Record<string, Stream | 'same' | readonly Stream[]>>;
  /** Keys that the node takes out of the bundle that comes in (see `pipe`), and the stream a walk is then on. */
  readonly uses?: Readonly<Record<string, Stream>>;
  /** Inputs of `takes` and keys of `uses` that are followed only on a condition. */
  readonly only?: Readonly<Record<string, Condition | readonly Condition[]>>;
  /**
   * For each output slot, the inputs and keys it carries on. Absent: every output carries all of `takes` and `uses`.
   * An empty list ends the walk. A slot with one input passes that input's value on unchanged.
   */
  readonly gives?: readonly (readonly string[])[];
  /**
   * What each output slot is, where that matters: a node that puts out a latent can be a Tier B sampler, and a sampler
   * has made a picture only where it was reached by its latent or image.
   */
  readonly puts?: readonly Stream[];
  readonly reads?: Readonly<Partial<Record<MetaField, Place | readonly Place[]>>>;
  /** For several texts that meet on one side: what stands between them. Default: a newline. */
  readonly joins?: string;
  readonly switch?: Switch;
  readonly pipe?: Pipe;
  /** How each output slot's value is computed from the inputs. */
  readonly computes?: readonly Operation[];
  /**
   * The picture's size changes here, and unless a size or factor is read from this very node, the graph does
   * not say to what: sizes farther up say nothing about it.
   */
  readonly resizes?: true | Condition | readonly Condition[];
};

export type RulePack = {
  /** Lower-case name of the pack, as in `rules/packs/<pack>.ts`. */
  readonly pack: string;
  /** Where the class types were read: repository and commit. */
  readonly source: string;
  readonly nodes: Readonly<Record<string, NodeRule>>;
};

/** Types a rule pack where it is written; gives back what it was given. */
export function defineRules<const P extends RulePack>(pack: P): P {
  return pack;
}

/**
 * The stream of an input by its conventional name, for class types that no pack knows: ComfyUI's nodes
 * call these inputs the same everywhere.
 */
export const CONVENTIONAL_INPUTS: Readonly<Record<string, Stream>> = {
  model: 'model',
  unet: 'model',
  clip: 'clip',
  vae: 'vae',
  positive: 'positive',
  negative: 'negative',
  conditioning: 'positive',
  latent: 'latent',
  latents: 'latent',
  latent_image: 'latent',
  samples: 'latent',
  image: 'image',
  images: 'image',
  pixels: 'image',
  noise: 'noise',
  sampler: 'sampler',
  sigmas: 'sigmas',
  guider: 'guider',
  control_net: 'control',
  upscale_model: 'upscale',
  clip_vision: 'reference',
  clip_vision_output: 'reference',
  reference_image: 'reference',
  control_image: 'reference',
  image_ref: 'reference',
  ref_image: 'reference',
  ref_images: 'reference',
  reference: 'reference',
  reference_images: 'reference',
  reference_latent: 'reference',
  style_image: 'reference',
  image_style: 'reference',
  image_composition: 'reference',
  image_negative: 'reference',
  ipadapter_image: 'reference',
  face_image: 'reference',
  image_kps: 'reference',
  pose_image: 'reference',
  depth_image: 'reference',
  color_reference: 'reference',
  control: 'control',
  controlnet: 'control',
  ipadapter: 'control',
  // A mask says where; the picture is never behind it.
  mask: 'reference',
  masks: 'reference',
  attn_mask: 'reference',
  mask_image: 'reference',
};
