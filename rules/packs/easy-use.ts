import { defineRules, type NodeRule, type Operand, type Stream } from '../define.ts';

/**
 * Easy-Use. One pipe carries everything: loaders fill it, preSampling nodes put the settings in, samplers take them
 * out and put the picture in.
 *
 * What the words can't say, and is left out: texts that a pipeEdit node mixes with those before it (only `replace`
 * counts); Stable Cascade, SV3D, Zero123 and PixArt loaders; the LoRA switcher; grids (XYPlot).
 */

const PICTURE: readonly Stream[] = ['latent', 'image'];
const LOADED: readonly Stream[] = ['model', 'clip'];
/** The text encoder of a loader that encodes itself is reached by its conditioning too. */
const ENCODED: readonly Stream[] = ['clip', 'positive', 'negative'];
const SIDES: readonly Stream[] = ['positive', 'negative'];

/** Known, and nothing in it or behind it made the picture. */
const NOTHING: NodeRule = { role: 'value', gives: [[]] };
const VALUE: NodeRule = { role: 'value', takes: { value: 'same' }, gives: [['value']] };
const ANYTHING: NodeRule = { role: 'passthrough', takes: { anything: 'same' }, gives: [['anything']] };

/**
 * What every loader puts in its pipe. Outputs are pipe, model and vae; what the fuller loader has outputs for, the
 * others have in the pipe alone, and are spoken of by the same numbers.
 */
const LOADER = {
  role: 'loader',
  pipe: {
    from: [],
    slots: ['', null, null, null, null, null, null],
    makes: { model: 1, vae: 2, clip: 3, positive: 4, negative: 5, latent: 6 },
  },
  takes: {
    model_override: 'model',
    vae_override: 'vae',
    clip_override: 'clip',
    optional_lora_stack: ['model', 'clip'],
    optional_controlnet_stack: 'same',
  },
  gives: [
    [],
    ['model_override', 'optional_lora_stack'],
    ['vae_override'],
    ['clip_override', 'optional_lora_stack'],
    ['clip_override', 'optional_controlnet_stack'],
    ['clip_override', 'optional_controlnet_stack'],
    [],
  ],
} satisfies NodeRule;

/** The size is in the resolution, unless that says "width x height (custom)". */
const SIZE = {
  IMAGE_WIDTH: [
    { input: 'resolution', on: PICTURE, normalise: 'width-of' },
    { input: 'empty_latent_width', on: PICTURE },
  ],
  IMAGE_HEIGHT: [
    { input: 'resolution', on: PICTURE, normalise: 'height-of' },
    { input: 'empty_latent_height', on: PICTURE },
  ],
  BATCH_SIZE: { input: 'batch_size', on: PICTURE },
} satisfies NodeRule['reads'];
const FILES = {
  MODEL_NAME: { input: 'ckpt_name', on: 'model', if: { input: 'model_override', linked: false } },
  VAE_NAME: {
    input: 'vae_name',
    on: 'vae',
    if: [
      { input: 'vae_name', not: 'Baked VAE' },
      { input: 'vae_override', linked: false },
    ],
  },
} satisfies NodeRule['reads'];
/** LoRAs of the widget and of tags in the texts. */
const LORAS = {
  LORA_MODEL_NAME: [
    { input: 'lora_name', on: LOADED },
    { tags: ['positive', 'negative'], part: 'name', on: LOADED },
  ],
  LORA_STRENGTH_MODEL: [
    { input: 'lora_model_strength', on: LOADED },
    { tags: ['positive', 'negative'], part: 'model', on: LOADED },
  ],
  LORA_STRENGTH_CLIP: [
    { input: 'lora_clip_strength', on: LOADED },
    { tags: ['positive', 'negative'], part: 'clip', on: LOADED },
  ],
} satisfies NodeRule['reads'];
const LORA = {
  LORA_MODEL_NAME: { input: 'lora_name', on: LOADED },
  LORA_STRENGTH_MODEL: { input: 'lora_model_strength', on: LOADED },
  LORA_STRENGTH_CLIP: { input: 'lora_clip_strength', on: LOADED },
} satisfies NodeRule['reads'];
const CLIP_SKIP = {
  CLIP_SKIP: { input: 'clip_skip', on: ENCODED, normalise: 'clip-skip' },
} satisfies NodeRule['reads'];
const TEXTS = {
  POSITIVE_PROMPT: { input: 'positive', on: 'positive', slot: 4, normalise: 'without-lora-tags' },
  NEGATIVE_PROMPT: { input: 'negative', on: 'negative', slot: 5, normalise: 'without-lora-tags' },
} satisfies NodeRule['reads'];
const FULL_LOADER: NodeRule = { ...LOADER, reads: { ...FILES, ...SIZE, ...LORAS, ...CLIP_SKIP, ...TEXTS } };

/** A pipe node whose inputs are keys under other names. */
const SHORT_KEYS = { positive: 'pos', negative: 'neg' } as const;
const PIPE_OUTPUTS = ['', 'model', 'positive', 'negative', 'latent', 'vae', 'clip', 'image'];

/** Puts settings into the pipe, and a latent or a picture to start from. The latent has no output: slot 1. */
const SETTINGS: NodeRule = {
  role: 'pipe',
  pipe: { from: ['pipe'], slots: ['', null], makes: { latent: 1 } },
  takes: { image_to_latent: 'image' },
  uses: { latent: 'latent' },
  only: { latent: { input: 'image_to_latent', linked: false } },
  gives: [[], ['image_to_latent', 'latent']],
};

const SAMPLED = { model: 'model', positive: 'positive', negative: 'negative', latent: 'latent' } as const;
const SAMPLED_KEYS = ['latent', 'model', 'positive', 'negative'];
/** Settings that come in the pipe. */
const PIPED = {
  SEED: { key: 'seed' },
  STEPS: { key: 'steps' },
  CFG: { key: 'cfg' },
  SAMPLER_NAME: { key: 'sampler_name' },
  SCHEDULER: { key: 'scheduler' },
  DENOISE: { key: 'denoise' },
  START_STEP: { key: 'start_at_step' },
  END_STEP: { key: 'end_at_step' },
} satisfies NodeRule['reads'];
/** Outputs pipe and image; the latent is in the pipe alone: slot 4. */
const SAMPLER: NodeRule = {
  role: 'sampler',
  pipe: { from: ['pipe'], slots: ['', null, null, null, null], makes: { image: 1, latent: 4 } },
  uses: { ...SAMPLED, vae: 'vae' },
  gives: [[], [...SAMPLED_KEYS, 'vae'], [...SAMPLED_KEYS, 'vae'], [], SAMPLED_KEYS],
  puts: ['value', 'image', 'image', 'reference', 'latent'],
  reads: PIPED,
};

const CONTROLNET: NodeRule = {
  role: 'passthrough',
  pipe: { from: ['pipe'], slots: ['', null, null], makes: { positive: 1, negative: 2 } },
  takes: { image: 'reference', control_net: 'control' },
  uses: { positive: 'positive', negative: 'negative' },
  gives: [[], ['positive', 'control_net', 'image'], ['negative', 'control_net', 'image']],
  reads: {
    CONTROLNET_NAME: {
      input: 'control_net_name',
      on: SIDES,
      if: { input: 'control_net', linked: false },
    },
    CONTROLNET_STRENGTH: { input: 'strength', on: SIDES },
  },
};

/** A text without anything to draw from is what it says. */
const WITHOUT_WILDCARDS: Operand = {
  op: 'pick',
  by: { op: 'contains', text: { input: 'text' }, find: { value: '__' } },
  cases: {
    false: {
      op: 'pick',
      by: { op: 'contains', text: { input: 'text' }, find: { value: '{' } },
      cases: { false: { input: 'text' } },
    },
  },
};

/** Outputs of loops, value1 to value19, and the inputs they come from. */
const LOOP_VALUES = Array.from({ length: 19 }, (_, index) => `initial_value${index + 1}`);
const LOOP_TAKES = Object.fromEntries(LOOP_VALUES.map((name) => [name, 'same' as const]));
const LOOP_GIVES = LOOP_VALUES.map((name) => [name]);
const FIRST_LOOP_VALUE = 'initial_value0';

export default defineRules({
  pack: 'easy-use',
  source: 'https://github.com/yolain/ComfyUI-Easy-Use/tree/4de1ab3b66e48da916b6f263bacd001df53a2720',
  nodes: {
    // Loaders.
    'easy fullLoader': FULL_LOADER,
    'easy a1111Loader': FULL_LOADER,
    'easy comfyLoader': FULL_LOADER,
    'easy hunyuanDiTLoader': { ...LOADER, reads: { ...FILES, ...SIZE, ...LORA, ...TEXTS } },
    'easy fluxLoader': { ...LOADER, reads: { ...FILES, ...SIZE, ...LORA, ...TEXTS } },
    'easy mochiLoader': {
      ...LOADER,
      reads: { ...FILES, ...SIZE, ...TEXTS, FRAME_COUNT: { input: 'length', on: PICTURE } },
    },
    'easy kolorsLoader': {
      ...LOADER,
      reads: {
        ...FILES,
        ...SIZE,
        ...LORA,
        ...TEXTS,
        MODEL_NAME: { input: 'unet_name', on: 'model', if: { input: 'model_override', linked: false } },
        CLIP_MODEL_NAME: { input: 'chatglm3_name', on: ENCODED },
      },
    },
    'easy svdLoader': {
      role: 'loader',
      pipe: {
        from: [],
        slots: ['', null, null],
        makes: { model: 1, vae: 2, positive: 3, negative: 4, latent: 5 },
      },
      takes: { init_image: 'image' },
      gives: [[], [], [], [], [], ['init_image']],
      reads: {
        ...FILES,
        ...SIZE,
        FRAME_COUNT: { input: 'video_frames', on: PICTURE },
        FRAME_RATE: { input: 'fps' },
      },
    },
    'easy loraStack': {
      role: 'loader',
      takes: { optional_lora_stack: 'same' },
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
            on: 'model',
            if: { input: 'mode', is: 'simple' },
          },
          {
            prefix: 'lora_',
            suffix: '_model_strength',
            count: 'num_loras',
            on: 'model',
            if: { input: 'mode', is: 'advanced' },
          },
        ],
        LORA_STRENGTH_CLIP: [
          {
            prefix: 'lora_',
            suffix: '_strength',
            count: 'num_loras',
            on: 'clip',
            if: { input: 'mode', is: 'simple' },
          },
          {
            prefix: 'lora_',
            suffix: '_clip_strength',
            count: 'num_loras',
            on: 'clip',
            if: { input: 'mode', is: 'advanced' },
          },
        ],
      },
    },
    'easy controlnetStack': {
      role: 'loader',
      takes: {
        optional_controlnet_stack: 'same',
        image_1: 'reference',
        image_2: 'reference',
        image_3: 'reference',
      },
      reads: {
        CONTROLNET_NAME: {
          prefix: 'controlnet_',
          count: 'num_controlnet',
          on: SIDES,
          if: { input: 'toggle', not: [false, 'False'] },
        },
        CONTROLNET_STRENGTH: {
          prefix: 'controlnet_',
          suffix: '_strength',
          count: 'num_controlnet',
          on: SIDES,
          if: { input: 'toggle', not: [false, 'False'] },
        },
      },
    },
    'easy controlnetLoader': CONTROLNET,
    'easy controlnetLoaderADV': CONTROLNET,
    'easy controlnetLoader++': CONTROLNET,

    // Pipes.
    'easy pipeIn': { role: 'pipe', pipe: { from: ['pipe'], slots: [''], keys: SHORT_KEYS } },
    'easy pipeOut': { role: 'pipe', pipe: { from: ['pipe'], slots: [...PIPE_OUTPUTS, 'seed'] } },
    // Its texts have no outputs of their own: slots 8 and 9.
    'easy pipeEdit': {
      role: 'pipe',
      pipe: {
        from: ['pipe'],
        slots: PIPE_OUTPUTS,
        keys: SHORT_KEYS,
        makes: { positive: 8, negative: 9 },
      },
      uses: { positive: 'positive', negative: 'negative' },
      only: {
        positive: { input: 'optional_positive', is: '' },
        negative: { input: 'optional_negative', is: '' },
      },
      gives: [[], [], [], [], [], [], [], [], ['positive'], ['negative']],
      reads: {
        POSITIVE_PROMPT: {
          input: 'optional_positive',
          on: 'positive',
          slot: 8,
          if: { input: 'optional_positive', not: '' },
          normalise: 'without-lora-tags',
        },
        NEGATIVE_PROMPT: {
          input: 'optional_negative',
          on: 'negative',
          slot: 9,
          if: { input: 'optional_negative', not: '' },
          normalise: 'without-lora-tags',
        },
      },
    },
    'easy pipeEditPrompt': {
      role: 'pipe',
      pipe: { from: ['pipe'], slots: ['', null, null], makes: { positive: 1, negative: 2 } },
      gives: [[], [], []],
      reads: {
        POSITIVE_PROMPT: { input: 'positive', on: 'positive', slot: 1, normalise: 'without-lora-tags' },
        NEGATIVE_PROMPT: { input: 'negative', on: 'negative', slot: 2, normalise: 'without-lora-tags' },
      },
    },
    'easy pipeToBasicPipe': { role: 'pipe', pipe: { from: ['pipe'], slots: [''] } },
    'easy pipeBatchIndex': { role: 'pipe', pipe: { from: ['pipe'], slots: [''] } },

    // Settings, and the samplers that use them.
    'easy preSampling': SETTINGS,
    'easy preSamplingAdvanced': SETTINGS,
    'easy preSamplingDynamicCFG': SETTINGS,
    'easy preSamplingCustom': SETTINGS,
    'easy preSamplingNoiseIn': {
      role: 'pipe',
      pipe: { from: ['pipe'], slots: [''], keys: { latent: 'optional_latent' } },
    },
    'easy kSampler': SAMPLER,
    'easy kSamplerTiled': SAMPLER,
    'easy kSamplerDownscaleUnet': SAMPLER,
    'easy kSamplerInpainting': SAMPLER,
    'easy kSamplerCustom': {
      role: 'sampler',
      pipe: { from: ['pipe'], slots: ['', null, null, null], makes: { latent: 1, image: 3 } },
      uses: { ...SAMPLED, vae: 'vae', optional_sampler: 'sampler', optional_sigmas: 'sigmas' },
      gives: [
        [],
        [...SAMPLED_KEYS, 'optional_sampler', 'optional_sigmas'],
        [...SAMPLED_KEYS, 'optional_sampler', 'optional_sigmas'],
        [...SAMPLED_KEYS, 'vae'],
      ],
      puts: ['value', 'latent', 'latent', 'image'],
      reads: PIPED,
    },
    'easy fullkSampler': {
      role: 'sampler',
      pipe: {
        from: ['pipe'],
        slots: ['', null, 'model', 'positive', 'negative', null, 'vae', 'clip', 'seed'],
        makes: { image: 1, latent: 5 },
      },
      uses: { ...SAMPLED, vae: 'vae' },
      gives: [[], [...SAMPLED_KEYS, 'vae'], [], [], [], SAMPLED_KEYS, [], [], []],
      puts: ['value', 'image', 'model', 'positive', 'negative', 'latent', 'vae', 'clip', 'value'],
      reads: {
        SEED: { key: 'seed' },
        STEPS: { input: 'steps' },
        CFG: { input: 'cfg' },
        SAMPLER_NAME: { input: 'sampler_name' },
        SCHEDULER: { input: 'scheduler' },
        DENOISE: { input: 'denoise' },
      },
    },

    // After the sampler.
    'easy hiresFix': {
      role: 'image',
      pipe: { from: ['pipe'], slots: ['', null, null], makes: { image: 1, latent: 2 } },
      uses: { image: 'image' },
      gives: [[], ['image'], ['image']],
      reads: {
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
      },
    },
    'easy preDetailerFix': {
      role: 'pipe',
      pipe: { from: ['pipe'], slots: [''], keys: { image: 'optional_image' } },
    },
    'easy preMaskDetailerFix': {
      role: 'pipe',
      pipe: { from: ['pipe'], slots: [''], keys: { image: 'optional_image' } },
    },
    // Paints over parts of a picture: a sampler that never leads where there is one of the whole picture.
    'easy detailerFix': {
      role: 'image',
      pipe: { from: ['pipe'], slots: ['', null, null, null], makes: { image: 1 } },
      uses: { image: 'image', model: 'model', positive: 'positive', negative: 'negative' },
      puts: ['value', 'image', 'image', 'image'],
      reads: {
        SEED: { key: 'seed' },
        STEPS: { key: 'steps' },
        CFG: { key: 'cfg' },
        SAMPLER_NAME: { key: 'sampler_name' },
        SCHEDULER: { key: 'scheduler' },
        DENOISE: { key: 'denoise' },
        POSITIVE_PROMPT: { key: 'wildcard', normalise: 'without-lora-tags' },
      },
    },
    'easy ultralyticsDetectorPipe': NOTHING,
    'easy samLoaderPipe': NOTHING,

    // Prompts.
    'easy positive': { role: 'string', takes: { positive: 'same' }, gives: [['positive']] },
    'easy negative': { role: 'string', takes: { negative: 'same' }, gives: [['negative']] },
    'easy prompt': { role: 'string', takes: { text: 'same' }, gives: [['text']] },
    'easy wildcards': {
      role: 'string',
      computes: [{ op: 'cast', of: { input: 'text' }, to: 'string' }, WITHOUT_WILDCARDS],
    },
    'easy wildcardsMatrix': { role: 'string', computes: [WITHOUT_WILDCARDS] },
    'easy promptConcat': {
      role: 'string',
      computes: [
        {
          op: 'join',
          parts: [
            { input: 'prompt1', default: '' },
            { input: 'prompt2', default: '' },
          ],
          separator: { input: 'separator', default: '' },
        },
      ],
    },
    'easy promptReplace': {
      role: 'string',
      computes: [
        {
          op: 'replace',
          text: {
            op: 'replace',
            text: {
              op: 'replace',
              text: { input: 'prompt' },
              find: { input: 'find1', default: '' },
              with: { input: 'replace1', default: '' },
            },
            find: { input: 'find2', default: '' },
            with: { input: 'replace2', default: '' },
          },
          find: { input: 'find3', default: '' },
          with: { input: 'replace3', default: '' },
        },
      ],
    },
    'easy promptList': { role: 'string', gives: [[], []] },
    'easy promptLine': { role: 'string', gives: [[], []] },
    'easy stylesSelector': { role: 'string', gives: [[], []] },

    // Values.
    'easy seed': { role: 'value', takes: { seed: 'same' }, gives: [['seed']] },
    'easy seedList': { role: 'value', gives: [[], []] },
    'easy string': VALUE,
    'easy int': VALUE,
    'easy float': VALUE,
    'easy boolean': VALUE,
    'easy convertAnything': {
      role: 'value',
      computes: [
        {
          op: 'pick',
          by: { input: 'output_type' },
          cases: {
            string: { op: 'cast', of: { input: '*' }, to: 'string' },
            int: { op: 'cast', of: { input: '*' }, to: 'int' },
            float: { op: 'cast', of: { input: '*' }, to: 'float' },
          },
        },
      ],
    },
    'easy mathInt': NOTHING,
    'easy mathFloat': NOTHING,
    'easy mathString': NOTHING,
    'easy compare': NOTHING,
    'easy ckptNames': { role: 'value', takes: { ckpt_name: 'same' }, gives: [['ckpt_name']] },
    'easy loraNames': { role: 'value', takes: { lora_name: 'same' }, gives: [['lora_name']] },
    'easy controlnetNames': {
      role: 'value',
      takes: { controlnet_name: 'same' },
      gives: [['controlnet_name']],
    },

    // Switches.
    'easy ifElse': {
      role: 'switch',
      takes: { on_true: 'same', on_false: 'same' },
      switch: { by: 'boolean', cases: { true: 'on_true', false: 'on_false' } },
    },
    'easy imageSwitch': {
      role: 'switch',
      takes: { image_a: 'same', image_b: 'same' },
      switch: { by: 'boolean', cases: { true: 'image_a', false: 'image_b' } },
    },
    'easy textSwitch': {
      role: 'switch',
      takes: { text1: 'same', text2: 'same' },
      switch: { by: 'input', cases: { 1: 'text1', 2: 'text2' } },
    },
    'easy anythingIndexSwitch': { role: 'switch', switch: { by: 'index', prefix: 'value' } },
    'easy imageIndexSwitch': { role: 'switch', switch: { by: 'index', prefix: 'image' } },
    'easy textIndexSwitch': { role: 'switch', switch: { by: 'index', prefix: 'text' } },
    'easy conditioningIndexSwitch': { role: 'switch', switch: { by: 'index', prefix: 'cond' } },
    'easy anythingInversedSwitch': { role: 'passthrough', takes: { in: 'same' } },
    'easy ab': { role: 'passthrough', takes: { in: 'same' } },
    'easy blocker': { role: 'passthrough', takes: { in: 'same' }, gives: [['in']] },

    // Loops are walked once: what the last turn hands out came in as what the first turn was given.
    'easy forLoopStart': {
      role: 'passthrough',
      takes: LOOP_TAKES,
      gives: [[], [], ...LOOP_GIVES],
    },
    'easy forLoopEnd': { role: 'passthrough', takes: LOOP_TAKES, gives: LOOP_GIVES },
    'easy whileLoopStart': {
      role: 'passthrough',
      takes: { [FIRST_LOOP_VALUE]: 'same', ...LOOP_TAKES },
      gives: [[], [FIRST_LOOP_VALUE], ...LOOP_GIVES],
    },
    'easy whileLoopEnd': {
      role: 'passthrough',
      takes: { [FIRST_LOOP_VALUE]: 'same', ...LOOP_TAKES },
      gives: [[FIRST_LOOP_VALUE], ...LOOP_GIVES],
    },

    // What only hands on.
    'easy showAnything': ANYTHING,
    'easy cleanGpuUsed': ANYTHING,
    'easy clearCacheKey': ANYTHING,
    'easy clearCacheAll': ANYTHING,
    'easy sleep': { role: 'passthrough', takes: { any: 'same' }, gives: [['any']] },
  },
});
