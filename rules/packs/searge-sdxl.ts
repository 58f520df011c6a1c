import { defineRules, type NodeRule, type Stream } from '../define.ts';

/**
 * Searge's SDXL nodes up to version 3, which sample with base and refiner in one node. The facts of a picture
 * are the base's: it runs first and longest, and one set of steps, CFG scale and names serves both. The
 * refiner's model and prompts are not followed, or the nearer of two models would stand for both.
 *
 * Left out: the Magic Box of version 4 with its settings. There a chain of nodes fills one bundle, and what
 * ran is worked out of all of them in Python.
 */

const PICTURE: readonly Stream[] = ['latent', 'image'];
const LOADED: readonly Stream[] = ['model', 'clip'];

const SETTINGS = {
  SEED: { input: 'noise_seed' },
  STEPS: { input: 'steps' },
  CFG: { input: 'cfg' },
  SAMPLER_NAME: { input: 'sampler_name' },
  SCHEDULER: { input: 'scheduler' },
  DENOISE: { input: 'denoise' },
} satisfies NodeRule['reads'];

const BASE = {
  base_model: 'model',
  base_positive: 'positive',
  base_negative: 'negative',
} satisfies NodeRule['takes'];

const SAMPLER: NodeRule = {
  role: 'sampler',
  takes: { ...BASE, latent_image: 'latent' },
  puts: ['latent'],
  reads: SETTINGS,
};

/** Scales a picture, encodes it, samples and decodes again. */
const IMAGE_SAMPLER: NodeRule = {
  role: 'sampler',
  takes: { ...BASE, image: 'image', vae: 'vae', upscale_model: 'upscale' },
  puts: ['image'],
  reads: {
    ...SETTINGS,
    IMAGE_WIDTH: { input: 'scaled_width', on: PICTURE },
    IMAGE_HEIGHT: { input: 'scaled_height', on: PICTURE },
  },
};

/** The texts for SDXL's two text encoders, as both sides give them. */
const BASE_TEXTS = {
  POSITIVE_PROMPT: [
    { inputs: ['pos_g', 'pos_l'], on: 'positive', slot: 0 },
    { inputs: ['neg_g', 'neg_l'], on: 'positive', slot: 1 },
  ],
  NEGATIVE_PROMPT: [
    { inputs: ['pos_g', 'pos_l'], on: 'negative', slot: 0 },
    { inputs: ['neg_g', 'neg_l'], on: 'negative', slot: 1 },
  ],
} satisfies NodeRule['reads'];

const CONSTANT: NodeRule = { role: 'value', takes: { value: 'same' }, gives: [['value']] };
const PAIR: NodeRule = {
  role: 'value',
  takes: { value1: 'same', value2: 'same' },
  gives: [['value1'], ['value2']],
};
/** Arithmetic that the words for values do not have. */
const COMPUTED: NodeRule = { role: 'value' };

const TWO = { input0: 'same', input1: 'same' } satisfies NodeRule['takes'];
const THREE = { ...TWO, input2: 'same' } satisfies NodeRule['takes'];
const FIVE = { ...THREE, input3: 'same', input4: 'same' } satisfies NodeRule['takes'];
const BY_NUMBER = { by: 'input_selector', prefix: 'input' } satisfies NodeRule['switch'];

export default defineRules({
  pack: 'searge-sdxl',
  source: 'https://github.com/SeargeDP/SeargeSDXL/tree/2eb5edbc712329d77d1a2f5f1e6c5e64397a4a83',
  nodes: {
    SeargeSDXLSampler: SAMPLER,
    SeargeSDXLSampler2: SAMPLER,
    SeargeSDXLSamplerV3: SAMPLER,
    SeargeSDXLImage2ImageSampler: IMAGE_SAMPLER,
    SeargeSDXLImage2ImageSampler2: IMAGE_SAMPLER,

    // Prompts. The refiner's slots are 2 and 3.
    SeargeSDXLPromptEncoder: {
      role: 'encoder',
      takes: { base_clip: 'clip', refiner_clip: 'clip' },
      gives: [['base_clip'], ['base_clip'], ['refiner_clip'], ['refiner_clip']],
      reads: {
        POSITIVE_PROMPT: [
          ...BASE_TEXTS.POSITIVE_PROMPT,
          { input: 'pos_r', on: 'positive', slot: 2 },
          { input: 'neg_r', on: 'positive', slot: 3 },
        ],
        NEGATIVE_PROMPT: [
          ...BASE_TEXTS.NEGATIVE_PROMPT,
          { input: 'pos_r', on: 'negative', slot: 2 },
          { input: 'neg_r', on: 'negative', slot: 3 },
        ],
      },
    },
    SeargeSDXLBasePromptEncoder: {
      role: 'encoder',
      takes: { base_clip: 'clip' },
      gives: [['base_clip'], ['base_clip']],
      reads: BASE_TEXTS,
    },
    SeargeSDXLRefinerPromptEncoder: {
      role: 'encoder',
      takes: { refiner_clip: 'clip' },
      gives: [['refiner_clip'], ['refiner_clip']],
      reads: {
        POSITIVE_PROMPT: [
          { input: 'pos_r', on: 'positive', slot: 0 },
          { input: 'neg_r', on: 'positive', slot: 1 },
        ],
        NEGATIVE_PROMPT: [
          { input: 'pos_r', on: 'negative', slot: 0 },
          { input: 'neg_r', on: 'negative', slot: 1 },
        ],
      },
    },
    SeargePromptText: { role: 'string', takes: { prompt: 'same' }, gives: [['prompt']] },
    SeargePromptCombiner: {
      role: 'string',
      computes: [
        {
          op: 'join',
          parts: [{ input: 'prompt1' }, { input: 'prompt2' }],
          separator: { input: 'separator' },
          skipEmpty: true,
        },
      ],
    },
    SeargeConditioningMuxer2: { role: 'switch', takes: TWO, switch: BY_NUMBER },
    SeargeConditioningMuxer5: { role: 'switch', takes: FIVE, switch: BY_NUMBER },

    // Files.
    SeargeCheckpointLoader: {
      role: 'loader',
      reads: { MODEL_NAME: { input: 'ckpt_name', on: 'model' } },
    },
    SeargeVAELoader: { role: 'loader', reads: { VAE_NAME: { input: 'vae_name', on: 'vae' } } },
    SeargeUpscaleModelLoader: {
      role: 'loader',
      reads: { UPSCALE_MODEL_NAME: { input: 'upscaler_name', on: 'upscale' } },
    },
    SeargeLoraLoader: {
      role: 'patch',
      takes: { model: 'same', clip: 'same' },
      gives: [['model'], ['clip']],
      reads: {
        LORA_MODEL_NAME: { input: 'lora_name', on: LOADED },
        LORA_STRENGTH_MODEL: { input: 'strength_model', on: 'model' },
        LORA_STRENGTH_CLIP: { input: 'strength_clip', on: 'clip' },
      },
    },

    // Values, latents, pictures.
    SeargeSamplerInputs: {
      role: 'value',
      takes: { sampler_name: 'same', scheduler: 'same' },
      gives: [['sampler_name'], ['scheduler']],
    },
    SeargeIntegerConstant: CONSTANT,
    SeargeFloatConstant: CONSTANT,
    SeargeIntegerPair: PAIR,
    SeargeFloatPair: PAIR,
    SeargeIntegerMath: COMPUTED,
    SeargeIntegerScaler: COMPUTED,
    SeargeFloatMath: COMPUTED,
    SeargeLatentMuxer3: { role: 'switch', takes: THREE, switch: BY_NUMBER },
    SeargeImageSave: { role: 'saver', takes: { images: 'image' } },
  },
});
