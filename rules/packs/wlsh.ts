import { defineRules, type NodeRule, type Stream } from '../define.ts';

/**
 * Its savers write a text of their own into the picture, from what is wired to them by hand; the trace starts
 * at the picture all the same. Sizes by ratio or pixels are rounded in Python and known of a run only.
 */

const PICTURE: readonly Stream[] = ['latent', 'image'];

const BATCH = { BATCH_SIZE: { input: 'batch_size', on: PICTURE } } satisfies NodeRule['reads'];
const LANDSCAPE = { input: 'direction', is: 'landscape' } as const;
const PORTRAIT = { input: 'direction', is: 'portrait' } as const;
/** "1344x768|7:4", turned where the picture stands upright. */
const TURNED_SIZE = {
  IMAGE_WIDTH: [
    { input: 'resolution', on: PICTURE, normalise: 'width-of', if: LANDSCAPE },
    { input: 'resolution', on: PICTURE, normalise: 'height-of', if: PORTRAIT },
  ],
  IMAGE_HEIGHT: [
    { input: 'resolution', on: PICTURE, normalise: 'height-of', if: LANDSCAPE },
    { input: 'resolution', on: PICTURE, normalise: 'width-of', if: PORTRAIT },
  ],
} satisfies NodeRule['reads'];

/** Both prompts in one node: slot 0 is positive, slot 1 negative. */
const SDXL_TEXTS = {
  POSITIVE_PROMPT: [
    { inputs: ['positive_g', 'positive_l'], on: 'positive', slot: 0 },
    { inputs: ['negative_g', 'negative_l'], on: 'positive', slot: 1 },
  ],
  NEGATIVE_PROMPT: [
    { inputs: ['positive_g', 'positive_l'], on: 'negative', slot: 0 },
    { inputs: ['negative_g', 'negative_l'], on: 'negative', slot: 1 },
  ],
} satisfies NodeRule['reads'];
const WITH_TEXT: NodeRule = {
  role: 'encoder',
  takes: { clip: 'clip', positive: 'same', negative: 'same' },
  gives: [['clip'], ['clip'], ['positive'], ['negative']],
  reads: {
    POSITIVE_PROMPT: [
      { input: 'positive', on: 'positive', slot: 0 },
      { input: 'negative', on: 'positive', slot: 1 },
    ],
    NEGATIVE_PROMPT: [
      { input: 'positive', on: 'negative', slot: 0 },
      { input: 'negative', on: 'negative', slot: 1 },
    ],
  },
};

const SAVER: NodeRule = { role: 'saver', takes: { images: 'image' } };
/** Known, and nothing in it or behind it names anything. */
const NOTHING: NodeRule = { role: 'value' };
const UNRESOLVED_TEXT: NodeRule = { role: 'string' };

export default defineRules({
  pack: 'wlsh',
  source: 'https://github.com/wallish77/wlsh_nodes/tree/97807467bf7ff4ea01d529fcd6e666758f34e3c1',
  nodes: {
    'KSamplerAdvanced (WLSH)': {
      role: 'sampler',
      takes: { model: 'model', positive: 'positive', negative: 'negative', latent_image: 'latent' },
      puts: ['latent', 'value'],
      reads: {
        SEED: { input: 'seed' },
        STEPS: { input: 'steps' },
        CFG: { input: 'cfg' },
        SAMPLER_NAME: { input: 'sampler_name' },
        SCHEDULER: { input: 'scheduler' },
        DENOISE: { input: 'denoise' },
        START_STEP: { input: 'start_at_step' },
        END_STEP: { input: 'end_at_step' },
      },
    },
    'Checkpoint Loader w/Name (WLSH)': {
      role: 'loader',
      gives: [[], [], [], []],
      reads: { MODEL_NAME: { input: 'ckpt_name', on: 'model' } },
    },

    // Prompts.
    'CLIP Positive-Negative (WLSH)': {
      role: 'encoder',
      takes: { clip: 'clip' },
      reads: {
        POSITIVE_PROMPT: [
          { input: 'positive_text', on: 'positive', slot: 0 },
          { input: 'negative_text', on: 'positive', slot: 1 },
        ],
        NEGATIVE_PROMPT: [
          { input: 'positive_text', on: 'negative', slot: 0 },
          { input: 'negative_text', on: 'negative', slot: 1 },
        ],
      },
    },
    'CLIP Positive-Negative w/Text (WLSH)': WITH_TEXT,
    'CLIP +/- w/Text Unified (WLSH)': WITH_TEXT,
    'CLIP Positive-Negative XL (WLSH)': { role: 'encoder', takes: { clip: 'clip' }, reads: SDXL_TEXTS },
    'CLIP Positive-Negative XL w/Text (WLSH)': {
      role: 'encoder',
      takes: { clip: 'clip' },
      gives: [['clip'], ['clip'], [], []],
      reads: SDXL_TEXTS,
    },
    'Simple String Combine (WLSH)': {
      role: 'string',
      computes: [
        {
          op: 'pick',
          by: { input: 'placement' },
          cases: {
            after: {
              op: 'join',
              parts: [{ input: 'input_string', default: '' }, { input: 'addition' }],
              separator: {
                op: 'pick',
                by: { input: 'separator' },
                cases: {
                  comma: { value: ', ' },
                  space: { value: ' ' },
                  newline: { value: '\n' },
                  none: { value: '' },
                },
              },
            },
            before: {
              op: 'join',
              parts: [{ input: 'addition' }, { input: 'input_string', default: '' }],
              separator: {
                op: 'pick',
                by: { input: 'separator' },
                cases: {
                  comma: { value: ', ' },
                  space: { value: ' ' },
                  newline: { value: '\n' },
                  none: { value: '' },
                },
              },
            },
          },
        },
      ],
    },
    'Prompt Weight (WLSH)': {
      role: 'string',
      computes: [
        {
          op: 'pick',
          by: { input: 'weight' },
          cases: { '1': { input: 'prompt' }, '1.0': { input: 'prompt' } },
          otherwise: {
            op: 'join',
            parts: [{ value: '(' }, { input: 'prompt' }, { value: ':' }, { input: 'weight' }, { value: ')' }],
            separator: { value: '' },
          },
        },
      ],
    },
    // Draws one of a list for each place.
    'Simple Pattern Replace (WLSH)': UNRESOLVED_TEXT,
    'Build Filename String (WLSH)': UNRESOLVED_TEXT,
    'Time String (WLSH)': UNRESOLVED_TEXT,

    // Latents.
    'Empty Latent by Size (WLSH)': {
      role: 'latent',
      reads: {
        IMAGE_WIDTH: { input: 'width', on: PICTURE },
        IMAGE_HEIGHT: { input: 'height', on: PICTURE },
        ...BATCH,
      },
    },
    'SDXL Quick Empty Latent (WLSH)': { role: 'latent', reads: { ...TURNED_SIZE, ...BATCH } },
    'Empty Latent by Ratio (WLSH)': { role: 'latent', reads: BATCH },
    'Empty Latent by Pixels (WLSH)': { role: 'latent', reads: BATCH },
    'VAE Encode for Inpaint w/Padding (WLSH)': { role: 'latent', takes: { pixels: 'image' } },

    // Pictures.
    'Image Load with Metadata (WLSH)': {
      role: 'source',
      gives: [[], [], [], [], [], [], [], []],
      reads: { SOURCE_IMAGE: { input: 'image', on: PICTURE, slot: 0 } },
    },
    'Image Scale By Factor (WLSH)': {
      role: 'image',
      takes: { original: 'same' },
      reads: { SCALE_BY: { input: 'factor', on: PICTURE } },
    },
    'Image Scale by Shortside (WLSH)': {
      role: 'image',
      takes: { original: 'same' },
      gives: [['original'], [], []],
      resizes: true,
    },
    'SDXL Quick Image Scale (WLSH)': {
      role: 'image',
      takes: { original: 'same' },
      reads: TURNED_SIZE,
      resizes: true,
    },
    'Upscale by Factor with Model (WLSH)': {
      role: 'image',
      takes: { image: 'same', upscale_model: 'upscale' },
      reads: { SCALE_BY: { input: 'factor', on: PICTURE } },
    },
    'Outpaint to Image (WLSH)': {
      role: 'image',
      takes: { image: 'same' },
      gives: [['image'], []],
      resizes: true,
    },
    'Generate Border Mask (WLSH)': { role: 'image', takes: { image: 'same' } },
    'Grayscale Image (WLSH)': { role: 'image', takes: { original: 'same' } },

    // Values.
    'Seed to Number (WLSH)': { role: 'value', takes: { seed: 'same' }, gives: [['seed']] },
    'Seed and Int (WLSH)': { role: 'value', takes: { seed: 'same' }, gives: [['seed'], ['seed']] },
    'SDXL Steps (WLSH)': {
      role: 'value',
      takes: { precondition: 'same', base: 'same', total: 'same' },
      gives: [['precondition'], ['base'], ['total']],
    },
    'SDXL Resolutions (WLSH)': NOTHING,
    'Resolutions by Ratio (WLSH)': NOTHING,
    'Multiply Integer (WLSH)': NOTHING,
    'Quick Resolution Multiply (WLSH)': NOTHING,

    // Out.
    'Image Save with Prompt (WLSH)': SAVER,
    'Image Save with Prompt/Info (WLSH)': SAVER,
    'Image Save with Prompt File (WLSH)': SAVER,
    'Image Save with Prompt/Info File (WLSH)': SAVER,
    'Save Prompt (WLSH)': NOTHING,
    'Save Prompt/Info (WLSH)': NOTHING,
    'Save Positive Prompt(WLSH)': NOTHING,
  },
});
