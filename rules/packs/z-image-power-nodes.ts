import { defineRules, type NodeRule } from '../define.ts';

/**
 * Nodes for Z-Image Turbo. The samplers are Euler on sigmas of their own at a CFG scale of 1, so that there
 * is no negative prompt. The styles are in the pack's Python: with one chosen, only a run knows the text.
 *
 * ZSamplerTurboAdvanced was read as it stood on 13 February 2026; the second generation at cc5d1649577b
 * (zsampler_turbo_2.py) and 168eeae4fe93 (zsampler_turbo_2_advanced.py).
 */

const EULER = {
  SEED: { input: 'seed' },
  STEPS: { input: 'steps' },
  CFG: { value: 1 },
  SAMPLER_NAME: { value: 'euler' },
} satisfies NodeRule['reads'];
const ONE_PROMPT = {
  model: 'model',
  positive: 'positive',
  latent_input: 'latent',
} satisfies NodeRule['takes'];
/** The later stages may have prompts of their own. */
const THREE_PROMPTS = {
  ...ONE_PROMPT,
  positive_stg2: 'positive',
  positive_stg3: 'positive',
} satisfies NodeRule['takes'];
const SAMPLER: NodeRule = {
  role: 'sampler',
  takes: ONE_PROMPT,
  puts: ['latent'],
  reads: { ...EULER, DENOISE: { input: 'denoise' } },
};

const TEXT = {
  POSITIVE_PROMPT: [
    { output: 1, on: 'positive', slot: 0 },
    { input: 'text', on: 'positive', slot: 0, if: { input: 'style', is: 'none' } },
  ],
  NEGATIVE_PROMPT: [
    { output: 1, on: 'negative', slot: 0 },
    { input: 'text', on: 'negative', slot: 0, if: { input: 'style', is: 'none' } },
  ],
} satisfies NodeRule['reads'];
const STYLED: NodeRule = {
  role: 'encoder',
  takes: { clip: 'clip' },
  gives: [['clip'], []],
  reads: {
    POSITIVE_PROMPT: [
      { output: 1, on: 'positive', slot: 0 },
      { input: 'text', on: 'positive', slot: 0, if: { input: 'style_to_apply', is: 'none' } },
    ],
    NEGATIVE_PROMPT: [
      { output: 1, on: 'negative', slot: 0 },
      { input: 'text', on: 'negative', slot: 0, if: { input: 'style_to_apply', is: 'none' } },
    ],
  },
};

export default defineRules({
  pack: 'z-image-power-nodes',
  source:
    'https://github.com/martin-rizzo/ComfyUI-ZImagePowerNodes/tree/d8969939f1578eb5a4cb8a3d0ec547df4e30efa2',
  nodes: {
    'ZSamplerTurbo //ZImagePowerNodes': SAMPLER,
    'ZSamplerTurboAdvanced //ZImagePowerNodes': SAMPLER,
    'ZSamplerTurbo2 //ZImagePowerNodes': { ...SAMPLER, takes: THREE_PROMPTS },
    'ZSamplerTurbo2Advanced //ZImagePowerNodes': {
      role: 'sampler',
      takes: THREE_PROMPTS,
      puts: ['latent', 'value'],
      reads: { ...EULER, START_STEP: { input: 'start_at_step' }, END_STEP: { input: 'end_at_step' } },
    },
    'StylePromptEncoder //ZImagePowerNodes': {
      role: 'encoder',
      takes: { clip: 'clip' },
      gives: [['clip'], []],
      reads: TEXT,
    },
    'PhotoStylePromptEncoder //ZImagePowerNodes': STYLED,
    'IllustrationStylePromptEncoder //ZImagePowerNodes': STYLED,
    'StyleStringInjector //ZImagePowerNodes': {
      role: 'string',
      computes: [{ op: 'pick', by: { input: 'style' }, cases: { none: { input: 'string' } } }],
    },
    // The size is a ratio of a table times a word of another.
    'EmptyZImageLatentImage //ZImagePowerNodes': {
      role: 'latent',
      reads: { BATCH_SIZE: { input: 'batch_size', on: ['latent', 'image'] } },
    },
    'SaveImage //ZImagePowerNodes': { role: 'saver', takes: { images: 'image' } },
  },
});
