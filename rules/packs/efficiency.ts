import { defineRules, type NodeRule, type Stream } from '../define.ts';

/**
 * Efficiency Nodes: loaders that also encode, samplers that also decode, and scripts that a sampler runs afterwards.
 *
 * What the words can't say, and is left out: the second run of a HighRes-Fix or Tiled Upscaler script, which takes its
 * sampler's name from the node that the script is plugged into. What the script does to the size is told.
 */

const PICTURE: readonly Stream[] = ['latent', 'image'];
const LOADED: readonly Stream[] = ['model', 'clip'];
/** The text encoder of a loader that encodes itself is reached by its conditioning too. */
const ENCODED: readonly Stream[] = ['clip', 'positive', 'negative'];

/** Known, and nothing in it or behind it made the picture. */
const NOTHING: NodeRule = { role: 'value', gives: [[]] };

const VAE = {
  VAE_NAME: { input: 'vae_name', on: 'vae', if: { input: 'vae_name', not: 'Baked VAE' } },
} satisfies NodeRule['reads'];
const SIZE = {
  IMAGE_WIDTH: { input: 'empty_latent_width', on: PICTURE },
  IMAGE_HEIGHT: { input: 'empty_latent_height', on: PICTURE },
  BATCH_SIZE: { input: 'batch_size', on: PICTURE },
} satisfies NodeRule['reads'];

const HANDED_ON: readonly Stream[] = ['model', 'positive', 'negative', 'latent', 'vae', 'image'];
const SAMPLED = ['script', 'latent_image', 'model', 'positive', 'negative'];
/** Samples, then runs the script, then decodes. A script comes first: it is nearer to the picture than the latent. */
const SAMPLER = {
  role: 'sampler',
  takes: {
    script: 'latent',
    latent_image: 'latent',
    model: 'model',
    positive: 'positive',
    negative: 'negative',
    optional_vae: 'vae',
  },
  gives: [['model'], ['positive'], ['negative'], SAMPLED, ['optional_vae'], [...SAMPLED, 'optional_vae']],
  puts: HANDED_ON,
} satisfies NodeRule;
const SETTINGS = {
  STEPS: { input: 'steps' },
  CFG: { input: 'cfg' },
  SAMPLER_NAME: { input: 'sampler_name' },
  SCHEDULER: { input: 'scheduler' },
} satisfies NodeRule['reads'];

/** Keys of the SDXL tuple, in its order. */
const TUPLE = [
  'base_model',
  'base_clip',
  'base_positive',
  'base_negative',
  'refiner_model',
  'refiner_clip',
  'refiner_positive',
  'refiner_negative',
];
const REFINES = { input: 'refine_at_step', not: -1 } as const;
const SAMPLED_SDXL = [
  'script',
  'latent_image',
  'base_model',
  'base_positive',
  'base_negative',
  'refiner_model',
  'refiner_positive',
  'refiner_negative',
];

const SCRIPT = { role: 'patch', takes: { script: 'same' } } satisfies NodeRule;

export default defineRules({
  pack: 'efficiency',
  source: 'https://github.com/jags111/efficiency-nodes-comfyui/tree/4579b7d6076b2870998a08f5d37883fbc8261ff2',
  nodes: {
    // Loaders. A stack is loaded into model and text encoder at once, whichever of them is asked for.
    'Efficient Loader': {
      role: 'loader',
      takes: { lora_stack: ['model', 'clip'], cnet_stack: 'same' },
      gives: [['lora_stack'], ['cnet_stack'], ['cnet_stack'], [], [], ['lora_stack'], []],
      reads: {
        ...VAE,
        ...SIZE,
        MODEL_NAME: { input: 'ckpt_name', on: 'model' },
        CLIP_SKIP: { input: 'clip_skip', on: ENCODED, normalise: 'clip-skip' },
        LORA_MODEL_NAME: { input: 'lora_name', on: LOADED },
        LORA_STRENGTH_MODEL: { input: 'lora_model_strength', on: LOADED },
        LORA_STRENGTH_CLIP: { input: 'lora_clip_strength', on: LOADED },
        POSITIVE_PROMPT: { input: 'positive', on: 'positive', slot: 1 },
        NEGATIVE_PROMPT: { input: 'negative', on: 'negative', slot: 2 },
      },
    },
    // The tuple has no outputs of its own: its keys are the slots from 4 on.
    'Eff. Loader SDXL': {
      role: 'loader',
      pipe: {
        from: [],
        slots: ['', null, null, null],
        makes: {
          base_model: 4,
          base_clip: 5,
          base_positive: 6,
          base_negative: 7,
          refiner_model: 8,
          refiner_clip: 9,
          refiner_positive: 10,
          refiner_negative: 11,
        },
      },
      takes: { lora_stack: ['model', 'clip'], cnet_stack: 'same' },
      gives: [[], [], [], [], ['lora_stack'], ['lora_stack'], ['cnet_stack'], ['cnet_stack'], [], [], [], []],
      reads: {
        ...VAE,
        ...SIZE,
        MODEL_NAME: [
          { input: 'base_ckpt_name', on: 'model', slot: 4 },
          { input: 'refiner_ckpt_name', on: 'model', slot: 8 },
        ],
        CLIP_SKIP: [
          { input: 'base_clip_skip', on: 'clip', slot: 5, normalise: 'clip-skip' },
          { input: 'base_clip_skip', on: 'positive', slot: 6, normalise: 'clip-skip' },
        ],
        POSITIVE_PROMPT: [
          { input: 'positive', on: 'positive', slot: 6 },
          { input: 'positive', on: 'positive', slot: 10 },
        ],
        NEGATIVE_PROMPT: [
          { input: 'negative', on: 'negative', slot: 7 },
          { input: 'negative', on: 'negative', slot: 11 },
        ],
      },
    },
    'Unpack SDXL Tuple': { role: 'pipe', pipe: { from: ['sdxl_tuple'], slots: TUPLE } },
    'Pack SDXL Tuple': { role: 'pipe', pipe: { from: [], slots: [''] } },

    // Stacks. Slots beyond the count are hidden, and keep what was chosen in them.
    'LoRA Stacker': {
      role: 'loader',
      takes: { lora_stack: 'same' },
      reads: {
        LORA_MODEL_NAME: { prefix: 'lora_name_', count: 'lora_count', on: LOADED },
        LORA_STRENGTH_MODEL: [
          {
            prefix: 'lora_wt_',
            count: 'lora_count',
            on: 'model',
            if: { input: 'input_mode', is: 'simple' },
          },
          {
            prefix: 'model_str_',
            count: 'lora_count',
            on: 'model',
            if: { input: 'input_mode', is: 'advanced' },
          },
        ],
        LORA_STRENGTH_CLIP: [
          {
            prefix: 'lora_wt_',
            count: 'lora_count',
            on: 'clip',
            if: { input: 'input_mode', is: 'simple' },
          },
          {
            prefix: 'clip_str_',
            count: 'lora_count',
            on: 'clip',
            if: { input: 'input_mode', is: 'advanced' },
          },
        ],
      },
    },
    'Control Net Stacker': {
      role: 'passthrough',
      takes: { cnet_stack: 'same', control_net: 'control', image: 'reference' },
      reads: { CONTROLNET_STRENGTH: { input: 'strength', on: ['positive', 'negative'] } },
    },
    'Apply ControlNet Stack': {
      role: 'passthrough',
      takes: { positive: 'same', negative: 'same', cnet_stack: 'same' },
      gives: [
        ['positive', 'cnet_stack'],
        ['negative', 'cnet_stack'],
      ],
    },
    'LoRA Stack to String converter': { role: 'string' },

    // Samplers.
    'KSampler (Efficient)': {
      ...SAMPLER,
      reads: { ...SETTINGS, SEED: { input: 'seed' }, DENOISE: { input: 'denoise' } },
    },
    'KSampler Adv. (Efficient)': {
      ...SAMPLER,
      reads: {
        ...SETTINGS,
        SEED: { input: 'noise_seed' },
        START_STEP: { input: 'start_at_step' },
        END_STEP: { input: 'end_at_step' },
      },
    },
    // Base and refiner in one run of all steps: refine_at_step is where the model changes.
    'KSampler SDXL (Eff.)': {
      role: 'sampler',
      pipe: { from: ['sdxl_tuple'], slots: ['', null, null, null] },
      takes: { script: 'latent', latent_image: 'latent', optional_vae: 'vae' },
      uses: {
        base_model: 'model',
        base_positive: 'positive',
        base_negative: 'negative',
        refiner_model: 'model',
        refiner_positive: 'positive',
        refiner_negative: 'negative',
      },
      only: { refiner_model: REFINES, refiner_positive: REFINES, refiner_negative: REFINES },
      gives: [[], SAMPLED_SDXL, ['optional_vae'], [...SAMPLED_SDXL, 'optional_vae']],
      puts: ['value', 'latent', 'vae', 'image'],
      reads: { ...SETTINGS, SEED: { input: 'noise_seed' } },
    },

    // Scripts. By pixels, the picture becomes as large as the upscale model makes it, scaled by upscale_by / 4.
    'HighRes-Fix Script': {
      ...SCRIPT,
      reads: {
        SCALE_BY: {
          input: 'upscale_by',
          on: PICTURE,
          if: [
            { input: 'upscale_type', is: 'latent' },
            { input: 'iterations', is: 1 },
          ],
        },
        UPSCALE_MODEL_NAME: {
          input: 'pixel_upscaler',
          on: PICTURE,
          if: [
            { input: 'upscale_type', is: ['pixel', 'both'] },
            { input: 'iterations', not: 0 },
          ],
        },
      },
      resizes: { input: 'iterations', not: [0, 1] },
    },
    'Tiled Upscaler Script': {
      ...SCRIPT,
      reads: {
        SCALE_BY: { input: 'upscale_by', on: PICTURE, if: { input: 'tiling_strategy', not: 'none' } },
      },
    },
    'Noise Control Script': SCRIPT,
    'XY Plot': NOTHING,
    'XY Input: Seeds++ Batch': NOTHING,
    'XY Input: Add/Return Noise': NOTHING,
    'XY Input: Steps': NOTHING,
    'XY Input: CFG Scale': NOTHING,
    'XY Input: Sampler/Scheduler': NOTHING,
    'XY Input: Denoise': NOTHING,
    'XY Input: VAE': NOTHING,
    'XY Input: Prompt S/R': NOTHING,
    'XY Input: Aesthetic Score': NOTHING,
    'XY Input: Refiner On/Off': NOTHING,
    'XY Input: Checkpoint': NOTHING,
    'XY Input: Clip Skip': NOTHING,
    'XY Input: LoRA': NOTHING,
    'XY Input: LoRA Plot': NOTHING,
    'XY Input: LoRA Stacks': NOTHING,
    'XY Input: Control Net': NOTHING,
    'XY Input: Control Net Plot': NOTHING,
    'XY Input: Manual XY Entry': NOTHING,
    'Join XY Inputs of Same Type': NOTHING,

    // Values that only the run computes, and pictures.
    'Evaluate Integers': { role: 'value', gives: [[], [], []] },
    'Evaluate Floats': { role: 'value', gives: [[], [], []] },
    'Evaluate Strings': { role: 'string' },
    'Image Overlay': { role: 'image', takes: { base_image: 'same', overlay_image: 'same' } },
  },
});
