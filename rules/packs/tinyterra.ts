import { defineRules, type NodeRule, type Operand, type Operation, type Stream } from '../define.ts';

/**
 * TinyTerra's nodes, the pipes of version 2 and those before. A loader fills a pipe and encodes the prompts; a sampler
 * takes what it needs out of the pipe, may scale the latent first and load one more LoRA, and hands a new pipe on.
 *
 * What the words can't say, and is left out: the settings of the refiner's own run in an SDXL sampler; the texts that
 * loaders hand out with spaces behind them; grids (xyPlot); the merging of several checkpoints.
 */

const PICTURE: readonly Stream[] = ['latent', 'image'];
const LOADED: readonly Stream[] = ['model', 'clip'];
/** The text encoder of a loader that encodes itself is reached by its conditioning too. */
const ENCODED: readonly Stream[] = ['clip', 'positive', 'negative'];

const NOTHING: NodeRule = { role: 'value', gives: [[]] };

const SIZE = {
  IMAGE_WIDTH: [
    { input: 'empty_latent_aspect', on: PICTURE, normalise: 'width-of' },
    { input: 'empty_latent_width', on: PICTURE },
  ],
  IMAGE_HEIGHT: [
    { input: 'empty_latent_aspect', on: PICTURE, normalise: 'height-of' },
    { input: 'empty_latent_height', on: PICTURE },
  ],
  BATCH_SIZE: { input: 'batch_size', on: PICTURE },
} satisfies NodeRule['reads'];
const FILES = {
  MODEL_NAME: { input: 'ckpt_name', on: 'model', if: { input: 'model_override', linked: false } },
  VAE_NAME: { input: 'vae_name', on: 'vae', if: { input: 'vae_name', not: 'Baked VAE' } },
  CLIP_SKIP: { input: 'clip_skip', on: ENCODED, normalise: 'clip-skip' },
} satisfies NodeRule['reads'];
/** LoRAs in a text of their own. */
const LORA_TEXT = {
  LORA_MODEL_NAME: { tags: 'loras', part: 'name', on: LOADED },
  LORA_STRENGTH_MODEL: { tags: 'loras', part: 'model', on: LOADED },
  LORA_STRENGTH_CLIP: { tags: 'loras', part: 'clip', on: LOADED },
} satisfies NodeRule['reads'];
/** LoRAs in numbered widgets: lora1_name, lora1_model_strength. */
const LORA_SLOTS = {
  LORA_MODEL_NAME: { prefix: 'lora', suffix: '_name', on: LOADED },
  LORA_STRENGTH_MODEL: { prefix: 'lora', suffix: '_model_strength', on: LOADED },
  LORA_STRENGTH_CLIP: { prefix: 'lora', suffix: '_clip_strength', on: LOADED },
} satisfies NodeRule['reads'];
const TEXTS = {
  POSITIVE_PROMPT: { inputs: ['prepend_positive', 'positive'], join: ' ', on: 'positive' },
  NEGATIVE_PROMPT: { inputs: ['prepend_negative', 'negative'], join: ' ', on: 'negative' },
} satisfies NodeRule['reads'];

const LOADER_TAKES = {
  model_override: 'model',
  clip_override: 'clip',
  optional_lora_stack: ['model', 'clip'],
  optional_controlnet_stack: 'same',
} as const;
/** model, positive, negative, latent, vae, clip: outputs 1 to 6 of a loader. */
const LOADER_GIVES = [
  [],
  ['model_override', 'optional_lora_stack'],
  ['clip_override', 'optional_controlnet_stack'],
  ['clip_override', 'optional_controlnet_stack'],
  [],
  [],
  ['clip_override', 'optional_lora_stack'],
];
const LOADER_MAKES = { model: 1, positive: 2, negative: 3, latent: 4, vae: 5, clip: 6 } as const;
const OWN_SIX = [null, null, null, null, null, null];

/** Inputs that stand before what is in the pipe. */
const OVERRIDES = {
  model: 'optional_model',
  positive: 'optional_positive',
  negative: 'optional_negative',
  latent: 'optional_latent',
  vae: 'optional_vae',
  clip: 'optional_clip',
} as const;
const SHORT_KEYS = { positive: 'pos', negative: 'neg' } as const;

const SETTINGS = {
  STEPS: { input: 'steps' },
  CFG: { input: 'cfg' },
  SAMPLER_NAME: { input: 'sampler_name' },
  SCHEDULER: { input: 'scheduler' },
} satisfies NodeRule['reads'];
const RANGE = {
  START_STEP: { input: 'start_at_step' },
  END_STEP: { input: 'end_at_step' },
} satisfies NodeRule['reads'];
const SEED = { SEED: { key: 'seed' } } satisfies NodeRule['reads'];
const DENOISE = { DENOISE: { input: 'denoise' } } satisfies NodeRule['reads'];

/** The LoRA of a sampler is its own, and that of whoever takes the model from it. */
const OWN_LORA = {
  LORA_MODEL_NAME: [{ input: 'lora_name' }, { input: 'lora_name', on: LOADED }],
  LORA_STRENGTH_MODEL: [{ input: 'lora_strength' }, { input: 'lora_strength', on: LOADED }],
  LORA_STRENGTH_CLIP: [{ input: 'lora_strength' }, { input: 'lora_strength', on: LOADED }],
} satisfies NodeRule['reads'];
const OWN_LORA_PAIR = {
  LORA_MODEL_NAME: [{ input: 'lora_name' }, { input: 'lora_name', on: LOADED }],
  LORA_STRENGTH_MODEL: [{ input: 'lora_model_strength' }, { input: 'lora_model_strength', on: LOADED }],
  LORA_STRENGTH_CLIP: [{ input: 'lora_clip_strength' }, { input: 'lora_clip_strength', on: LOADED }],
} satisfies NodeRule['reads'];

/** What a sampler scales before it samples: the latent by a factor, or the picture by a model. */
const METHODS = ['nearest-exact', 'bilinear', 'area', 'bicubic', 'lanczos', 'bislerp'];
const BY_MODEL = { input: 'upscale_method', is: METHODS.map((method) => `[hiresFix] ${method}`) } as const;
const SCALED = {
  SCALE_BY: {
    input: 'factor',
    on: PICTURE,
    if: { input: 'upscale_method', is: METHODS.map((method) => `[latent] ${method}`) },
  },
  UPSCALE_MODEL_NAME: { input: 'upscale_model_name', on: PICTURE, if: BY_MODEL },
  IMAGE_WIDTH: { input: 'width', on: PICTURE, if: [BY_MODEL, { input: 'rescale', is: 'to Width/Height' }] },
  IMAGE_HEIGHT: { input: 'height', on: PICTURE, if: [BY_MODEL, { input: 'rescale', is: 'to Width/Height' }] },
} satisfies NodeRule['reads'];
const SCALED_LATENT = {
  SCALE_BY: { input: 'factor', on: PICTURE, if: { input: 'upscale_method', not: 'None' } },
} satisfies NodeRule['reads'];

const USES = {
  latent: 'latent',
  model: 'model',
  positive: 'positive',
  negative: 'negative',
  vae: 'vae',
  clip: 'clip',
} as const;
const SAMPLED = ['latent', 'model', 'positive', 'negative'];
/** Outputs: pipe, model, positive, negative, latent, vae, clip, image, seed and, of version 2, the grid. */
const SAMPLER = {
  role: 'sampler',
  uses: USES,
  gives: [[], ['model'], [], [], SAMPLED, [], ['clip'], [...SAMPLED, 'vae'], [], []],
  puts: ['value', 'model', 'positive', 'negative', 'latent', 'vae', 'clip', 'image', 'value', 'reference'],
} satisfies NodeRule;
const SAMPLER_PIPE = {
  from: ['pipe'],
  slots: ['', null, 'positive', 'negative', null, 'vae', null, null, 'seed', null],
  keys: OVERRIDES,
  makes: { model: 1, latent: 4, clip: 6, image: 7 },
} as const;

const REFINER_KEYS = {
  ...OVERRIDES,
  refiner_model: 'optional_refiner_model',
  refiner_positive: 'optional_refiner_positive',
  refiner_negative: 'optional_refiner_negative',
} as const;
const REFINER_USES = {
  latent: 'latent',
  model: 'model',
  positive: 'positive',
  negative: 'negative',
  refiner_model: 'model',
  refiner_positive: 'positive',
  refiner_negative: 'negative',
  vae: 'vae',
} as const;
const REFINES = { input: 'refiner_steps', not: 0 } as const;
const REFINED = { refiner_model: REFINES, refiner_positive: REFINES, refiner_negative: REFINES } as const;
const SAMPLED_SDXL = [...SAMPLED, 'refiner_model', 'refiner_positive', 'refiner_negative'];
const SDXL_SETTINGS = { ...SETTINGS, STEPS: { input: 'base_steps' } } satisfies NodeRule['reads'];

const SCALE_IMAGE = {
  UPSCALE_MODEL_NAME: { input: 'model_name', on: PICTURE },
  IMAGE_WIDTH: {
    input: 'width',
    on: PICTURE,
    if: [
      { input: 'rescale', is: 'to Width/Height' },
      { input: 'rescale_after_model', is: true },
    ],
  },
  IMAGE_HEIGHT: {
    input: 'height',
    on: PICTURE,
    if: [
      { input: 'rescale', is: 'to Width/Height' },
      { input: 'rescale_after_model', is: true },
    ],
  },
} satisfies NodeRule['reads'];

/** "\n" in the widget means a new line. */
const DELIMITER: Operand = {
  op: 'pick',
  by: { input: 'delimiter', default: '' },
  cases: { '\\n': { value: '\n' } },
  otherwise: { input: 'delimiter', default: '' },
};
function text(number: number): Operand {
  return { input: `text${number}`, default: '' };
}
function joined(...numbers: readonly number[]): Operation {
  return { op: 'join', parts: numbers.map(text), separator: DELIMITER };
}
function alone(number: number): Operation {
  return { op: 'cast', of: text(number), to: 'string' };
}

export default defineRules({
  pack: 'tinyterra',
  source: 'https://github.com/TinyTerra/ComfyUI_tinyterraNodes/tree/b5bb57f4b13463bd31355edf0aeb83c57ff795b3',
  nodes: {
    // Loaders.
    'ttN pipeLoader_v2': {
      role: 'loader',
      pipe: {
        from: [],
        slots: ['', ...OWN_SIX, 'seed', 'width', 'height', null, null],
        keys: { width: 'empty_latent_width', height: 'empty_latent_height' },
        makes: LOADER_MAKES,
      },
      takes: LOADER_TAKES,
      gives: [...LOADER_GIVES, [], [], [], [], []],
      reads: { ...FILES, ...SIZE, ...LORA_TEXT, ...TEXTS },
    },
    'ttN pipeLoader': {
      role: 'loader',
      pipe: { from: [], slots: ['', ...OWN_SIX, 'seed'], makes: LOADER_MAKES },
      takes: {
        model_override: 'model',
        clip_override: 'clip',
        optional_lora_stack: ['model', 'clip'],
      },
      gives: [
        [],
        ['model_override', 'optional_lora_stack'],
        ['clip_override'],
        ['clip_override'],
        [],
        [],
        ['clip_override', 'optional_lora_stack'],
        [],
      ],
      reads: { ...FILES, ...SIZE, ...LORA_SLOTS, ...TEXTS },
    },
    'ttN pipeLoaderSDXL_v2': {
      role: 'loader',
      pipe: {
        from: [],
        slots: ['', ...OWN_SIX, null, null, null, null, 'seed', 'width', 'height', null, null],
        keys: { width: 'empty_latent_width', height: 'empty_latent_height' },
        makes: {
          model: 1,
          positive: 2,
          negative: 3,
          vae: 4,
          clip: 5,
          refiner_model: 6,
          refiner_positive: 7,
          refiner_negative: 8,
          refiner_clip: 9,
          latent: 10,
        },
      },
      takes: {
        ...LOADER_TAKES,
        refiner_model_override: 'model',
        refiner_clip_override: 'clip',
      },
      gives: [
        [],
        ['model_override', 'optional_lora_stack'],
        ['clip_override', 'optional_controlnet_stack'],
        ['clip_override', 'optional_controlnet_stack'],
        [],
        ['clip_override', 'optional_lora_stack'],
        ['refiner_model_override'],
        ['refiner_clip_override'],
        ['refiner_clip_override'],
        ['refiner_clip_override'],
        [],
        [],
        [],
        [],
        [],
        [],
      ],
      reads: {
        ...FILES,
        ...SIZE,
        MODEL_NAME: [
          {
            input: 'ckpt_name',
            on: 'model',
            slot: 1,
            if: { input: 'model_override', linked: false },
          },
          {
            input: 'refiner_ckpt_name',
            on: 'model',
            slot: 6,
            if: { input: 'refiner_model_override', linked: false },
          },
        ],
        LORA_MODEL_NAME: [
          { tags: 'loras', part: 'name', on: 'model', slot: 1 },
          { tags: 'loras', part: 'name', on: 'clip', slot: 5 },
        ],
        LORA_STRENGTH_MODEL: [
          { tags: 'loras', part: 'model', on: 'model', slot: 1 },
          { tags: 'loras', part: 'model', on: 'clip', slot: 5 },
        ],
        LORA_STRENGTH_CLIP: [
          { tags: 'loras', part: 'clip', on: 'model', slot: 1 },
          { tags: 'loras', part: 'clip', on: 'clip', slot: 5 },
        ],
        POSITIVE_PROMPT: {
          inputs: ['prepend_positive_g', 'positive_g', 'prepend_positive_l', 'positive_l'],
          on: 'positive',
        },
        NEGATIVE_PROMPT: {
          inputs: ['prepend_negative_g', 'negative_g', 'prepend_negative_l', 'negative_l'],
          on: 'negative',
        },
      },
    },
    'ttN pipeLoaderSDXL': {
      role: 'loader',
      pipe: {
        from: [],
        slots: ['', ...OWN_SIX, null, null, null, null, null, 'seed'],
        makes: {
          model: 1,
          positive: 2,
          negative: 3,
          vae: 4,
          clip: 5,
          refiner_model: 6,
          refiner_positive: 7,
          refiner_negative: 8,
          refiner_vae: 9,
          refiner_clip: 10,
          latent: 11,
        },
      },
      reads: {
        ...SIZE,
        ...TEXTS,
        CLIP_SKIP: FILES.CLIP_SKIP,
        MODEL_NAME: [
          { input: 'ckpt_name', on: 'model', slot: 1 },
          { input: 'refiner_ckpt_name', on: 'model', slot: 6 },
        ],
        VAE_NAME: [
          { input: 'vae_name', on: 'vae', slot: 4, if: { input: 'vae_name', not: 'Baked VAE' } },
          {
            input: 'refiner_vae_name',
            on: 'vae',
            slot: 9,
            if: { input: 'refiner_vae_name', not: 'Baked VAE' },
          },
        ],
        LORA_MODEL_NAME: [
          { prefix: 'lora', suffix: '_name', on: 'model', slot: 1 },
          { prefix: 'refiner_lora', suffix: '_name', on: 'model', slot: 6 },
        ],
        LORA_STRENGTH_MODEL: [
          { prefix: 'lora', suffix: '_model_strength', on: 'model', slot: 1 },
          { prefix: 'refiner_lora', suffix: '_model_strength', on: 'model', slot: 6 },
        ],
        LORA_STRENGTH_CLIP: [
          { prefix: 'lora', suffix: '_clip_strength', on: 'model', slot: 1 },
          { prefix: 'refiner_lora', suffix: '_clip_strength', on: 'model', slot: 6 },
        ],
      },
    },
    'ttN tinyLoader': {
      role: 'loader',
      gives: [[], [], [], [], [], []],
      reads: { ...FILES, ...SIZE },
    },
    'ttN conditioning': {
      role: 'encoder',
      takes: { model: 'model', clip: 'clip', optional_lora_stack: ['model', 'clip'] },
      gives: [['model', 'optional_lora_stack'], ['clip'], ['clip'], ['clip', 'optional_lora_stack'], [], []],
      reads: { ...LORA_TEXT, ...TEXTS },
    },
    'ttN pipeLoraStack': {
      role: 'pipe',
      pipe: {
        from: ['optional_pipe'],
        slots: ['', null, null, null],
        keys: { model: 'model_override', clip: 'clip_override' },
        makes: { model: 2, clip: 3 },
      },
      uses: { model: 'model', clip: 'clip' },
      gives: [[], [], ['model'], ['clip']],
      reads: {
        LORA_MODEL_NAME: {
          prefix: 'lora_',
          suffix: '_name',
          count: 'num_loras',
          on: LOADED,
          if: { input: 'toggle', not: [false, 'False'] },
        },
        LORA_STRENGTH_MODEL: [
          {
            prefix: 'lora_',
            suffix: '_strength',
            count: 'num_loras',
            on: LOADED,
            if: { input: 'mode', is: 'simple' },
          },
          {
            prefix: 'lora_',
            suffix: '_model_strength',
            count: 'num_loras',
            on: LOADED,
            if: { input: 'mode', is: 'advanced' },
          },
        ],
        LORA_STRENGTH_CLIP: [
          {
            prefix: 'lora_',
            suffix: '_strength',
            count: 'num_loras',
            on: LOADED,
            if: { input: 'mode', is: 'simple' },
          },
          {
            prefix: 'lora_',
            suffix: '_clip_strength',
            count: 'num_loras',
            on: LOADED,
            if: { input: 'mode', is: 'advanced' },
          },
        ],
      },
    },

    // Pipes.
    'ttN pipeEDIT': {
      role: 'pipe',
      pipe: {
        from: ['pipe'],
        slots: ['', 'model', 'positive', 'negative', 'latent', 'vae', 'clip', 'image', 'seed'],
        keys: SHORT_KEYS,
      },
    },
    'ttN pipeIN': { role: 'pipe', pipe: { from: [], slots: [''], keys: SHORT_KEYS } },
    'ttN pipeOUT': {
      role: 'pipe',
      pipe: {
        from: ['pipe'],
        slots: ['model', 'positive', 'negative', 'latent', 'vae', 'clip', 'image', 'seed', ''],
      },
    },
    'ttN pipe2BASIC': { role: 'pipe', pipe: { from: ['pipe'], slots: ['', ''] } },
    'ttN pipe2DETAILER': { role: 'pipe', pipe: { from: ['pipe'], slots: ['', ''] } },
    'ttN pipeEncodeConcat': {
      role: 'encoder',
      pipe: {
        from: ['pipe'],
        slots: ['', null, null, 'clip'],
        keys: {
          positive: 'optional_positive_from',
          negative: 'optional_negative_from',
          clip: 'optional_clip',
        },
        makes: { positive: 1, negative: 2 },
      },
      uses: { positive: 'positive', negative: 'negative' },
      gives: [[], ['positive'], ['negative'], []],
      joins: ' BREAK ',
      reads: {
        POSITIVE_PROMPT: {
          input: 'positive',
          on: 'positive',
          slot: 1,
          if: [
            { input: 'toggle', not: false },
            { input: 'positive', not: ['', ' '] },
          ],
        },
        NEGATIVE_PROMPT: {
          input: 'negative',
          on: 'negative',
          slot: 2,
          if: [
            { input: 'toggle', not: false },
            { input: 'negative', not: ['', ' '] },
          ],
        },
      },
    },

    // Samplers.
    'ttN pipeKSampler_v2': {
      ...SAMPLER,
      pipe: { ...SAMPLER_PIPE, keys: { ...OVERRIDES, image: 'input_image_override' } },
      reads: { ...SETTINGS, ...SEED, ...DENOISE, ...OWN_LORA, ...SCALED },
    },
    'ttN pipeKSamplerAdvanced_v2': {
      ...SAMPLER,
      pipe: {
        ...SAMPLER_PIPE,
        keys: { ...OVERRIDES, image: 'input_image_override', seed: 'noise_seed' },
      },
      reads: { ...SETTINGS, ...SEED, ...RANGE, ...OWN_LORA, ...SCALED },
    },
    'ttN pipeKSampler': {
      ...SAMPLER,
      pipe: SAMPLER_PIPE,
      reads: { ...SETTINGS, ...SEED, ...DENOISE, ...OWN_LORA_PAIR, ...SCALED_LATENT },
    },
    'ttN pipeKSamplerAdvanced': {
      ...SAMPLER,
      pipe: { ...SAMPLER_PIPE, keys: { ...OVERRIDES, seed: 'noise_seed' } },
      reads: { ...SETTINGS, ...SEED, ...RANGE, ...OWN_LORA_PAIR, ...SCALED_LATENT },
    },
    'ttN KSampler_v2': {
      role: 'sampler',
      takes: {
        latent: 'latent',
        model: 'model',
        positive: 'positive',
        negative: 'negative',
        vae: 'vae',
        clip: 'clip',
        seed: 'same',
      },
      gives: [
        ['model'],
        ['positive'],
        ['negative'],
        SAMPLED,
        ['vae'],
        ['clip'],
        [...SAMPLED, 'vae'],
        ['seed'],
        [],
      ],
      puts: ['model', 'positive', 'negative', 'latent', 'vae', 'clip', 'image', 'value', 'reference'],
      reads: { ...SETTINGS, ...DENOISE, ...OWN_LORA, ...SCALED, SEED: { input: 'seed' } },
    },
    // Base, then refiner, in one node. The steps are the base's; the model that leads is the base's too.
    'ttN pipeKSamplerSDXL_v2': {
      role: 'sampler',
      pipe: {
        from: ['sdxl_pipe'],
        slots: [
          '',
          null,
          'model',
          'positive',
          'negative',
          'refiner_model',
          'refiner_positive',
          'refiner_negative',
          null,
          'vae',
          'clip',
          null,
          'seed',
          null,
        ],
        keys: { ...REFINER_KEYS, image: 'input_image_override' },
        makes: { latent: 8, image: 11 },
      },
      uses: REFINER_USES,
      only: REFINED,
      gives: [[], [], [], [], [], [], [], [], SAMPLED_SDXL, [], [], [...SAMPLED_SDXL, 'vae'], [], []],
      puts: [
        'value',
        'value',
        'model',
        'positive',
        'negative',
        'model',
        'positive',
        'negative',
        'latent',
        'vae',
        'clip',
        'image',
        'value',
        'reference',
      ],
      reads: { ...SDXL_SETTINGS, ...SEED, ...DENOISE, ...OWN_LORA, ...SCALED },
    },
    'ttN pipeKSamplerSDXL': {
      role: 'sampler',
      pipe: {
        from: ['sdxl_pipe'],
        slots: [
          '',
          'model',
          'positive',
          'negative',
          'vae',
          'refiner_model',
          'refiner_positive',
          'refiner_negative',
          'refiner_vae',
          null,
          'clip',
          null,
          'seed',
        ],
        keys: { ...REFINER_KEYS, refiner_vae: 'optional_refiner_vae' },
        makes: { latent: 9, image: 11 },
      },
      uses: REFINER_USES,
      only: REFINED,
      gives: [[], [], [], [], [], [], [], [], [], SAMPLED_SDXL, [], [...SAMPLED_SDXL, 'vae'], []],
      puts: [
        'value',
        'model',
        'positive',
        'negative',
        'vae',
        'model',
        'positive',
        'negative',
        'vae',
        'latent',
        'clip',
        'image',
        'value',
      ],
      reads: { ...SDXL_SETTINGS, ...SEED, ...SCALED_LATENT },
    },

    // Pictures.
    'ttN hiresfixScale': { role: 'image', takes: { image: 'image' }, reads: SCALE_IMAGE },
    'ttN imageOutput': { role: 'image', takes: { image: 'same' } },
    'ttN imageREMBG': { role: 'image', takes: { image: 'same' }, gives: [['image'], []] },

    // Texts and values.
    'ttN text': { role: 'string', takes: { text: 'same' }, gives: [['text']] },
    'ttN textDebug': { role: 'string', takes: { text: 'same' }, gives: [['text']] },
    'ttN textOutput': { role: 'string', takes: { text: 'same' }, gives: [['text']] },
    'ttN concat': { role: 'string', computes: [joined(1, 2, 3)] },
    'ttN text3BOX_3WAYconcat': {
      role: 'string',
      computes: [alone(1), alone(2), alone(3), joined(1, 2), joined(1, 3), joined(2, 3), joined(1, 2, 3)],
    },
    'ttN text7BOX_concat': {
      role: 'string',
      computes: [
        ...[1, 2, 3, 4, 5, 6, 7].map(alone),
        { op: 'join', parts: [1, 2, 3, 4, 5, 6, 7].map(text), separator: DELIMITER, skipEmpty: true },
      ],
    },
    'ttN textCycleLine': { role: 'string' },
    'ttN int': {
      role: 'value',
      computes: [
        { op: 'cast', of: { input: 'int' }, to: 'int' },
        { op: 'cast', of: { input: 'int' }, to: 'float' },
        { op: 'cast', of: { input: 'int' }, to: 'string' },
      ],
    },
    'ttN float': {
      role: 'value',
      computes: [
        { op: 'cast', of: { input: 'float' }, to: 'float' },
        { op: 'cast', of: { input: 'float' }, to: 'int' },
        { op: 'cast', of: { input: 'float' }, to: 'string' },
      ],
    },
    'ttN seed': { role: 'value', takes: { seed: 'same' }, gives: [['seed']] },

    // Grids.
    'ttN advanced xyPlot': NOTHING,
    'ttN advPlot range': NOTHING,
    'ttN advPlot string': NOTHING,
    'ttN advPlot combo': NOTHING,
    'ttN advPlot merge': NOTHING,
    'ttN xyPlot': NOTHING,
  },
});
