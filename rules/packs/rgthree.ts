import { type Condition, defineRules, type NodeRule, type Place, type Stream } from '../define.ts';

/**
 * rgthree's nodes. Reroutes, muters, bookmarks and labels live in the browser only and never reach a prompt.
 *
 * What the words can't say, and is left out:
 * - The text that a Power Prompt hands on has its LoRA tags taken out; here they are still in it.
 * - Power Puter runs Python of its own: its outputs are known to nobody but the run.
 * - The two Dynamic Context nodes are off unless a configuration file turns them on, and number their outputs
 *   by an input.
 */

const PICTURE: readonly Stream[] = ['latent', 'image'];
const LOADED: readonly Stream[] = ['model', 'clip'];

/** Output slots of the contexts, in the order of the source; '' is the context itself. */
const CONTEXT_SLOTS = ['', 'model', 'clip', 'vae', 'positive', 'negative', 'latent', 'images', 'seed'];
const BIG_CONTEXT_SLOTS = [
  ...CONTEXT_SLOTS,
  'steps',
  'step_refiner',
  'cfg',
  'ckpt_name',
  'sampler',
  'scheduler',
  'clip_width',
  'clip_height',
  'text_pos_g',
  'text_pos_l',
  'text_neg_g',
  'text_neg_l',
  'mask',
  'control_net',
];

/** A Power Prompt loads what its tags name, unless it is told not to. */
const LOADS: readonly Condition[] = [
  { input: 'insert_lora', not: 'DISABLE LORAS' },
  { input: 'opt_model', linked: true },
  { input: 'opt_clip', linked: true },
];
/** Its prompt counts where the LoRA is loaded into what encodes it. */
const TEXT_LOADED: readonly Stream[] = ['clip', 'positive', 'negative'];

/** The tags are taken out where they load something, and where they are told not to. */
function withoutTags(inputs: readonly string[], on: Stream): readonly Place[] {
  return [
    { inputs, on, normalise: 'without-lora-tags', if: { input: 'opt_model', linked: true } },
    { inputs, on, normalise: 'without-lora-tags', if: { input: 'insert_lora', is: 'DISABLE LORAS' } },
    { inputs, on },
  ];
}

function loraTags(tags: readonly string[]): NonNullable<NodeRule['reads']> {
  return {
    LORA_MODEL_NAME: { tags, part: 'name', on: ['model', ...TEXT_LOADED], if: LOADS },
    LORA_STRENGTH_MODEL: { tags, part: 'model', on: 'model', if: LOADS },
    LORA_STRENGTH_CLIP: { tags, part: 'clip', on: TEXT_LOADED, if: LOADS },
  };
}

/** The first context that has anything, whole: what it lacks is not looked for in the others. */
const FIRST_CONTEXT = { first: 'ctx_' } satisfies NodeRule['switch'];

export default defineRules({
  pack: 'rgthree',
  source: 'https://github.com/rgthree/rgthree-comfy/tree/13b4399c00b5ef5a97b1b6800fc1185874740f5d',
  nodes: {
    // Contexts.
    'Context (rgthree)': { role: 'pipe', pipe: { from: ['base_ctx'], slots: CONTEXT_SLOTS } },
    'Context Big (rgthree)': { role: 'pipe', pipe: { from: ['base_ctx'], slots: BIG_CONTEXT_SLOTS } },
    'Context Switch (rgthree)': {
      role: 'pipe',
      pipe: { from: { prefix: 'ctx_' }, slots: CONTEXT_SLOTS },
      switch: FIRST_CONTEXT,
    },
    'Context Switch Big (rgthree)': {
      role: 'pipe',
      pipe: { from: { prefix: 'ctx_' }, slots: BIG_CONTEXT_SLOTS },
      switch: FIRST_CONTEXT,
    },
    'Context Merge (rgthree)': {
      role: 'pipe',
      pipe: { from: { prefix: 'ctx_' }, slots: CONTEXT_SLOTS, prefer: 'last' },
    },
    'Context Merge Big (rgthree)': {
      role: 'pipe',
      pipe: { from: { prefix: 'ctx_' }, slots: BIG_CONTEXT_SLOTS, prefer: 'last' },
    },
    'Any Switch (rgthree)': { role: 'switch', switch: { first: 'any_' } },

    // LoRAs. One strength serves model and text encoder, unless there is a second.
    'Power Lora Loader (rgthree)': {
      role: 'patch',
      takes: { model: 'same', clip: 'same' },
      gives: [['model'], ['clip']],
      reads: {
        LORA_MODEL_NAME: { entries: 'lora_', key: 'lora', when: 'on', on: LOADED },
        LORA_STRENGTH_MODEL: { entries: 'lora_', key: 'strength', when: 'on', on: 'model' },
        LORA_STRENGTH_CLIP: [
          { entries: 'lora_', key: 'strengthTwo', when: 'on', on: 'clip' },
          { entries: 'lora_', key: 'strength', when: 'on', on: 'clip' },
        ],
      },
    },
    'Lora Loader Stack (rgthree)': {
      role: 'patch',
      takes: { model: 'same', clip: 'same' },
      gives: [['model'], ['clip']],
      reads: {
        LORA_MODEL_NAME: { prefix: 'lora_', on: LOADED },
        LORA_STRENGTH_MODEL: { prefix: 'strength_', on: 'model' },
        LORA_STRENGTH_CLIP: { prefix: 'strength_', on: 'clip' },
      },
    },

    // Prompts.
    'Power Prompt (rgthree)': {
      role: 'encoder',
      takes: { opt_model: 'same', opt_clip: 'clip', prompt: 'same' },
      gives: [['opt_clip'], ['opt_model'], ['opt_clip'], ['prompt']],
      reads: {
        POSITIVE_PROMPT: withoutTags(['prompt'], 'positive'),
        NEGATIVE_PROMPT: withoutTags(['prompt'], 'negative'),
        ...loraTags(['prompt']),
      },
    },
    'Power Prompt - Simple (rgthree)': {
      role: 'encoder',
      takes: { opt_clip: 'clip', prompt: 'same' },
      gives: [['opt_clip'], ['prompt']],
      reads: {
        POSITIVE_PROMPT: { input: 'prompt', on: 'positive' },
        NEGATIVE_PROMPT: { input: 'prompt', on: 'negative' },
      },
    },
    'SDXL Power Prompt - Positive (rgthree)': {
      role: 'encoder',
      takes: { opt_model: 'same', opt_clip: 'clip', prompt_g: 'same', prompt_l: 'same' },
      gives: [['opt_clip'], ['opt_model'], ['opt_clip'], ['prompt_g'], ['prompt_l']],
      reads: {
        POSITIVE_PROMPT: withoutTags(['prompt_g', 'prompt_l'], 'positive'),
        NEGATIVE_PROMPT: withoutTags(['prompt_g', 'prompt_l'], 'negative'),
        ...loraTags(['prompt_g', 'prompt_l']),
      },
    },
    'SDXL Power Prompt - Simple / Negative (rgthree)': {
      role: 'encoder',
      takes: { opt_clip: 'clip', prompt_g: 'same', prompt_l: 'same' },
      gives: [['opt_clip'], ['prompt_g'], ['prompt_l']],
      reads: {
        POSITIVE_PROMPT: { inputs: ['prompt_g', 'prompt_l'], on: 'positive' },
        NEGATIVE_PROMPT: { inputs: ['prompt_g', 'prompt_l'], on: 'negative' },
      },
    },

    // Values.
    'Seed (rgthree)': { role: 'value', takes: { seed: 'same' }, gives: [['seed']] },
    'KSampler Config (rgthree)': {
      role: 'value',
      takes: {
        steps_total: 'same',
        refiner_step: 'same',
        cfg: 'same',
        sampler_name: 'same',
        scheduler: 'same',
      },
      gives: [['steps_total'], ['refiner_step'], ['cfg'], ['sampler_name'], ['scheduler']],
    },
    'Power Primitive (rgthree)': { role: 'value', takes: { value: 'same' }, gives: [['value']] },
    'Power Puter (rgthree)': { role: 'value', gives: [[]] },

    // Sizes and pictures.
    'SDXL Empty Latent Image (rgthree)': {
      role: 'latent',
      gives: [[], [], []],
      reads: {
        IMAGE_WIDTH: { input: 'dimensions', on: PICTURE, normalise: 'width-of' },
        IMAGE_HEIGHT: { input: 'dimensions', on: PICTURE, normalise: 'height-of' },
        BATCH_SIZE: { input: 'batch_size', on: PICTURE },
      },
    },
    'Image Inset Crop (rgthree)': { role: 'image', takes: { image: 'same' }, resizes: true },
    'Image Resize (rgthree)': {
      role: 'image',
      takes: { image: 'same' },
      gives: [['image'], [], []],
      resizes: true,
    },
    'Image or Latent Size (rgthree)': { role: 'value', gives: [[], []] },
    'Image Comparer (rgthree)': { role: 'preview', takes: { image_a: 'image', image_b: 'image' } },
    'Display Any (rgthree)': { role: 'preview', takes: { source: 'value' } },
    'Display Int (rgthree)': { role: 'preview', takes: { input: 'value' } },
  },
});
