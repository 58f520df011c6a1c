import { defineRules, type NodeRule, type Operation, type Stream } from '../define.ts';

/**
 * WAS Node Suite. Numbers and seeds have links of their own (NUMBER, SEED); what comes out at each slot is one value.
 *
 * The text nodes replace tokens such as `[time]` or `[user]` by what the run finds: a text with one of them is known
 * to the run alone. Words that a user defined as tokens stand in a file of the pack and are not seen.
 *
 * Left out: filters, masks and crops of pictures that a trace follows by the names of their inputs as well, cached
 * files, numbers as text (`8` or `8.0` by the number's type), and find and replace that runs until nothing is found.
 */

const PICTURE: readonly Stream[] = ['latent', 'image'];
const LOADED: readonly Stream[] = ['model', 'clip'];

const IMAGE: NodeRule = { role: 'image', takes: { image: 'same' } };
const UNRESOLVED_TEXT: NodeRule = { role: 'string' };
const CHECKPOINT: NodeRule = {
  role: 'loader',
  gives: [[], [], [], []],
  reads: { MODEL_NAME: { input: 'ckpt_name', on: 'model' } },
};
const LORA: NodeRule = {
  role: 'patch',
  takes: { model: 'same', clip: 'same' },
  gives: [['model'], ['clip'], []],
  reads: {
    LORA_MODEL_NAME: { input: 'lora_name', on: LOADED },
    LORA_STRENGTH_MODEL: { input: 'strength_model', on: 'model' },
    LORA_STRENGTH_CLIP: { input: 'strength_clip', on: 'clip' },
  },
};
const KSAMPLER = {
  SEED: { input: 'seed' },
  STEPS: { input: 'steps' },
  CFG: { input: 'cfg' },
  SAMPLER_NAME: { input: 'sampler_name' },
  SCHEDULER: { input: 'scheduler' },
} satisfies NodeRule['reads'];

/** One of two inputs, by a truth value. */
const eitherOf = (ifTrue: string, ifFalse: string): NodeRule => ({
  role: 'switch',
  takes: { [ifTrue]: 'same', [ifFalse]: 'same' },
  switch: { by: 'boolean', cases: { true: ifTrue, false: ifFalse } },
});
/** Up to four inputs that become one batch. */
const batchOf = (prefix: string): NodeRule => ({
  role: 'combiner',
  takes: {
    [`${prefix}_a`]: 'same',
    [`${prefix}_b`]: 'same',
    [`${prefix}_c`]: 'same',
    [`${prefix}_d`]: 'same',
  },
});

const TOKENS = ['[time', '[hostname', '[user', '[cuda'] as const;
/** The operation's result, unless the text holds a token that only a run replaces. */
const withoutTokens = (input: string, operation: Operation): Operation =>
  TOKENS.reduce<Operation>(
    (inner, find) => ({
      op: 'pick',
      by: { op: 'contains', text: { input, default: '' }, find: { value: find } },
      cases: { false: inner },
    }),
    operation,
  );
const textOf = (input: string): Operation =>
  withoutTokens(input, { op: 'cast', of: { input, default: '' }, to: 'string' });

/** The text without what a pattern takes out of its lines; a line end before the first makes it like the others. */
const withoutLines = (find: string): Operation => ({
  op: 'slice',
  text: {
    op: 'regex-replace',
    text: { op: 'join', parts: [{ value: '' }, { input: 'text' }], separator: { value: '\n' } },
    find: { value: find },
    with: { value: '' },
  },
  start: { value: 1 },
  end: { value: Number.MAX_SAFE_INTEGER },
});
/** `whole` where the text holds any of these, else `part`. */
const whereHolds = (finds: readonly string[], whole: Operation, part: Operation): Operation =>
  finds.reduce<Operation>(
    (inner, find) => ({
      op: 'pick',
      by: { op: 'contains', text: { input: 'text' }, find: { value: find } },
      cases: { true: whole, false: inner },
    }),
    part,
  );
/** Lines that begin with # are comments; the last line end goes too. A simpler pattern is matched in longer texts. */
const WITHOUT_COMMENTS: Operation = {
  op: 'regex-replace',
  text: whereHolds(
    ['#'],
    whereHolds([' #', '\t#'], withoutLines('\\n[^\\S\\n]*#[^\\n]*'), withoutLines('\\n#[^\\n]*')),
    { op: 'cast', of: { input: 'text' }, to: 'string' },
  ),
  find: { value: '\\n(?![^\\n]|\\n)' },
  with: { value: '' },
};

/** A text as it is, or without white space at its ends. */
const cleaned = (input: string): Operation => ({
  op: 'pick',
  by: { input: 'clean_whitespace' },
  cases: { true: { op: 'trim', text: { input, default: '' } } },
  otherwise: { input, default: '' },
});

/** A number typed in; one that comes as text would stand instead. */
const constant = (cases: Readonly<Record<string, Operation>>): Operation => ({
  op: 'pick',
  by: { input: 'number_as_text', default: '' },
  cases: { '': { op: 'pick', by: { input: 'number_type' }, cases } },
});
const AS_INTEGER: Operation = { op: 'cast', of: { input: 'number' }, to: 'int' };
const AS_FLOAT: Operation = { op: 'cast', of: { input: 'number' }, to: 'float' };

export default defineRules({
  pack: 'was-node-suite',
  source:
    'https://github.com/WASasquatch/was-node-suite-comfyui/tree/ea935d1044ae5a26efa54ebeb18fe9020af49a45',
  nodes: {
    // Samplers.
    'KSampler (WAS)': {
      role: 'sampler',
      takes: { model: 'model', positive: 'positive', negative: 'negative', latent_image: 'latent' },
      puts: ['latent'],
      reads: { ...KSAMPLER, DENOISE: { input: 'denoise' } },
    },
    // Samples, scales up and samples again, so many cycles; the numbers are those of the first.
    'KSampler Cycle': {
      role: 'sampler',
      takes: {
        model: 'model',
        secondary_model: 'model',
        positive: 'positive',
        pos_additive: 'positive',
        negative: 'negative',
        neg_additive: 'negative',
        latent_image: 'latent',
        upscale_model: 'upscale',
      },
      puts: ['latent'],
      reads: { ...KSAMPLER, DENOISE: { input: 'starting_denoise' } },
      resizes: true,
    },

    // Loaders.
    'Checkpoint Loader': CHECKPOINT,
    'Checkpoint Loader (Simple)': CHECKPOINT,
    'unCLIP Checkpoint Loader': {
      role: 'loader',
      gives: [[], [], [], [], []],
      reads: { MODEL_NAME: { input: 'ckpt_name', on: 'model' } },
    },
    'Diffusers Model Loader': {
      role: 'loader',
      gives: [[], [], [], []],
      reads: { MODEL_NAME: { input: 'model_path', on: 'model' } },
    },
    'Lora Loader': LORA,
    'Load Lora': LORA,
    'Upscale Model Loader': {
      role: 'loader',
      takes: { model_name: 'value' },
      gives: [[], ['model_name']],
      reads: { UPSCALE_MODEL_NAME: { input: 'model_name', on: 'upscale' } },
    },

    // Text. A wildcard's words come out of slot 1 of the encoder that draws them.
    'CLIPTextEncode (NSP)': {
      role: 'encoder',
      takes: { clip: 'clip', text: 'value' },
      gives: [['clip'], [], ['text']],
      reads: {
        POSITIVE_PROMPT: [
          { output: 1, on: 'positive', slot: 0 },
          { input: 'text', on: 'positive', slot: 0 },
        ],
        NEGATIVE_PROMPT: [
          { output: 1, on: 'negative', slot: 0 },
          { input: 'text', on: 'negative', slot: 0 },
        ],
      },
    },
    'Text to Conditioning': {
      role: 'encoder',
      takes: { clip: 'clip' },
      reads: {
        POSITIVE_PROMPT: { input: 'text', on: 'positive' },
        NEGATIVE_PROMPT: { input: 'text', on: 'negative' },
      },
    },
    'Text Multiline': { role: 'string', computes: [withoutTokens('text', WITHOUT_COMMENTS)] },
    'Text Multiline (Code Compatible)': { role: 'string', computes: [textOf('text')] },
    'Text Parse Tokens': { role: 'string', computes: [textOf('text')] },
    'Text String': {
      role: 'string',
      computes: [textOf('text'), textOf('text_b'), textOf('text_c'), textOf('text_d')],
    },
    'Text Concatenate': {
      role: 'string',
      computes: [
        {
          op: 'join',
          parts: [cleaned('text_a'), cleaned('text_b'), cleaned('text_c'), cleaned('text_d')],
          separator: {
            op: 'pick',
            by: { input: 'delimiter' },
            cases: { '\\n': { value: '\n' } },
            otherwise: { input: 'delimiter' },
          },
          skipEmpty: true,
        },
      ],
    },
    'Text Find and Replace': {
      role: 'string',
      computes: [
        {
          op: 'regex-replace',
          text: { input: 'text' },
          find: { input: 'find' },
          with: { input: 'replace' },
        },
      ],
    },
    'Text Contains': {
      role: 'value',
      computes: [
        {
          op: 'contains',
          text: { input: 'text' },
          find: { input: 'sub_text' },
          caseSensitive: {
            op: 'pick',
            by: { input: 'case_insensitive', default: true },
            cases: { true: { value: false }, false: { value: true } },
          },
        },
      ],
    },
    'Text to String': { role: 'string', takes: { text: 'value' }, gives: [['text']] },
    'String to Text': { role: 'string', takes: { string: 'value' }, gives: [['string']] },
    'Text to Console': { role: 'string', takes: { text: 'value' }, gives: [['text']] },
    'Boolean To Text': {
      role: 'string',
      computes: [
        {
          op: 'pick',
          by: { input: 'boolean' },
          cases: { true: { value: 'True' }, false: { value: 'False' } },
        },
      ],
    },
    'Text Find and Replace Input': UNRESOLVED_TEXT,
    'Text Parse A1111 Embeddings': UNRESOLVED_TEXT,
    'Text Parse Noodle Soup Prompts': UNRESOLVED_TEXT,
    'Text Random Line': UNRESOLVED_TEXT,
    'Text Random Prompt': UNRESOLVED_TEXT,
    'Text Shuffle': UNRESOLVED_TEXT,
    'Load Text File': UNRESOLVED_TEXT,
    'Number to String': UNRESOLVED_TEXT,
    'Number to Text': UNRESOLVED_TEXT,
    'Prompt Styles Selector': UNRESOLVED_TEXT,
    'Prompt Multiple Styles Selector': UNRESOLVED_TEXT,

    // Numbers and truth values.
    Seed: { role: 'value', takes: { seed: 'value' }, gives: [['seed'], ['seed'], ['seed'], ['seed']] },
    'Constant Number': {
      role: 'value',
      computes: [
        constant({ integer: AS_INTEGER, float: AS_FLOAT }),
        constant({ integer: AS_FLOAT, float: AS_FLOAT }),
        constant({ integer: AS_INTEGER, float: AS_INTEGER }),
      ],
    },
    'Number to Seed': { role: 'value', takes: { number: 'value' }, gives: [['number']] },
    'Number to Float': { role: 'value', takes: { number: 'value' }, gives: [['number']] },
    'Number to Int': {
      role: 'value',
      computes: [{ op: 'cast', of: { input: 'number' }, to: 'int' }],
    },
    'Random Number': { role: 'value', gives: [[], [], []] },
    'Number Counter': { role: 'value', gives: [[], [], []] },
    'Number Operation': { role: 'value', gives: [[], [], []] },
    'Logic Boolean Primitive': { role: 'value', takes: { boolean: 'value' }, gives: [['boolean']] },
    'Image Size to Number': { role: 'value', gives: [[], [], [], [], [], []] },
    'Latent Size to Number': { role: 'value', gives: [[], [], [], [], [], []] },

    // Switches.
    'Image Input Switch': eitherOf('image_a', 'image_b'),
    'Latent Input Switch': eitherOf('latent_a', 'latent_b'),
    'Model Input Switch': eitherOf('model_a', 'model_b'),
    'CLIP Input Switch': eitherOf('clip_a', 'clip_b'),
    'VAE Input Switch': eitherOf('vae_a', 'vae_b'),
    'Conditioning Input Switch': eitherOf('conditioning_a', 'conditioning_b'),
    'Control Net Model Input Switch': eitherOf('control_net_a', 'control_net_b'),
    'Upscale Model Switch': eitherOf('upscale_model_a', 'upscale_model_b'),
    'Text Input Switch': eitherOf('text_a', 'text_b'),

    // A bundle of what a sampler needs.
    'Bus Node': {
      role: 'pipe',
      pipe: { from: ['bus'], slots: ['', 'model', 'clip', 'vae', 'positive', 'negative'] },
    },

    // Latents.
    'Latent Upscale by Factor (WAS)': {
      role: 'latent',
      takes: { samples: 'same' },
      reads: { SCALE_BY: { input: 'factor', on: PICTURE } },
    },
    'Latent Noise Injection': { role: 'latent', takes: { samples: 'same' } },
    'Samples Passthrough (Stat System)': { role: 'latent', takes: { samples: 'same' } },
    'Blend Latents': { role: 'combiner', takes: { latent_a: 'same', latent_b: 'same' } },
    'Latent Batch': batchOf('latent'),

    // Pictures.
    'Image Load': {
      role: 'source',
      gives: [[], [], []],
      reads: { SOURCE_IMAGE: { input: 'image_path', on: PICTURE } },
    },
    'Image Blank': {
      role: 'image',
      reads: {
        IMAGE_WIDTH: { input: 'width', on: PICTURE },
        IMAGE_HEIGHT: { input: 'height', on: PICTURE },
      },
    },
    'Image Batch': batchOf('images'),
    'Image Blend': { role: 'combiner', takes: { image_a: 'same', image_b: 'same' } },
    'Image Stitch': {
      role: 'combiner',
      takes: { image_a: 'same', image_b: 'same' },
      resizes: true,
    },
    'Image Resize': {
      ...IMAGE,
      reads: {
        SCALE_BY: { input: 'rescale_factor', on: PICTURE, if: { input: 'mode', is: 'rescale' } },
        IMAGE_WIDTH: { input: 'resize_width', on: PICTURE, if: { input: 'mode', is: 'resize' } },
        IMAGE_HEIGHT: { input: 'resize_height', on: PICTURE, if: { input: 'mode', is: 'resize' } },
      },
      resizes: true,
    },
    'Image Rotate': { role: 'image', takes: { images: 'same' }, resizes: true },
    'Image Filter Adjustments': IMAGE,
    'Image Film Grain': IMAGE,
    'Image Style Filter': IMAGE,
    'Image Bloom Filter': IMAGE,
    'Image Save': { role: 'saver', takes: { images: 'image' }, gives: [['images'], []] },
  },
});
