import { defineRules, type NodeRule, type Operand, type Operation, type Stream } from '../define.ts';

/**
 * Comfyroll. Stacks of LoRAs, ControlNets and upscalers are links that the nodes which load them follow; an entry that
 * is switched off is not in the stack.
 *
 * What the words can't say, and is left out: LoRAs and weights that are drawn at random, lists and schedules for
 * animations, one switch for model and text encoder together (CR Switch Model and CLIP), and numbers
 * that are computed. An aspect ratio whose width or height is not a multiple of 8 gives a latent of another size: such
 * a size is not told, nor one that is scaled before (`prescale_factor`).
 */

const PICTURE: readonly Stream[] = ['latent', 'image'];
const LOADED: readonly Stream[] = ['model', 'clip'];
const SIDES: readonly Stream[] = ['positive', 'negative'];

const UNRESOLVED_TEXT: NodeRule = { role: 'string' };
const passing = (input: string): NodeRule => ({
  role: 'string',
  takes: { [input]: 'value' },
  gives: [[input], []],
});

/** One of several inputs, by number. */
const numbered = (prefix: string, count: number): NodeRule => ({
  role: 'switch',
  takes: Object.fromEntries(
    Array.from({ length: count }, (_, index) => [`${prefix}${index + 1}`, 'same' as const]),
  ),
  switch: { by: 'Input', prefix, slots: [0] },
  gives: [Array.from({ length: count }, (_, index) => `${prefix}${index + 1}`), []],
});
/** One of two inputs, by the name of what is done. */
const named = (cases: Readonly<Record<string, string>>): NodeRule => ({
  role: 'switch',
  takes: Object.fromEntries(Object.values(cases).map((input) => [input, 'same' as const])),
  switch: { by: 'Input', cases, slots: [0] },
  gives: [Object.values(cases), []],
});

const IS_ON = { prefix: 'switch_', is: 'On' } as const;
const HAS_PICTURE = [IS_ON, { prefix: 'image_', linked: true }] as const;

/** What the choices come to; two of them not to the size in their name. */
const SIZES = [
  ['1:1 square 512x512', 512, 512],
  ['1:1 square 1024x1024', 1024, 1024],
  ['2:3 portrait 512x768', 512, 768],
  ['3:4 portrait 512x682', 512, 682],
  ['3:2 landscape 768x512', 768, 512],
  ['4:3 landscape 682x512', 682, 512],
  ['16:9 cinema 910x512', 910, 512],
  ['1.85:1 cinema 952x512', 952, 512],
  ['2:1 cinema 1024x512', 1024, 512],
  ['2.39:1 anamorphic 1224x512', 1224, 512],
  ['3:4 portrait 896x1152', 896, 1152],
  ['5:8 portrait 832x1216', 832, 1216],
  ['9:16 portrait 768x1344', 768, 1344],
  ['9:21 portrait 640x1536', 640, 1536],
  ['4:3 landscape 1152x896', 1152, 896],
  ['3:2 landscape 1216x832', 1216, 832],
  ['16:9 landscape 1344x768', 1344, 768],
  ['21:9 landscape 1536x640', 1536, 640],
  ['SD1.5 - 1:1 square 512x512', 512, 512],
  ['SD1.5 - 2:3 portrait 512x768', 512, 768],
  ['SD1.5 - 3:4 portrait 512x682', 512, 682],
  ['SD1.5 - 3:2 landscape 768x512', 768, 512],
  ['SD1.5 - 4:3 landscape 682x512', 682, 512],
  ['SD1.5 - 16:9 cinema 910x512', 910, 512],
  ['SD1.5 - 1.85:1 cinema 952x512', 952, 512],
  ['SD1.5 - 2:1 cinema 1024x512', 1024, 512],
  ['SDXL - 1:1 square 1024x1024', 1024, 1024],
  ['SDXL - 3:4 portrait 896x1152', 896, 1152],
  ['SDXL - 5:8 portrait 832x1216', 832, 1216],
  ['SDXL - 9:16 portrait 768x1344', 768, 1344],
  ['SDXL - 9:21 portrait 640x1536', 640, 1536],
  ['SDXL - 4:3 landscape 1152x896', 1152, 896],
  ['SDXL - 3:2 landscape 1216x832', 1216, 832],
  ['SDXL - 16:9 landscape 1344x768', 1344, 768],
  ['SDXL - 21:9 landscape 1536x640', 1536, 640],
  ['Large Rectangle - 336x280', 336, 280],
  ['Medium Rectangle - 300x250', 300, 250],
  ['Small Rectangle - 180x150', 180, 150],
  ['Square - 250x250', 250, 250],
  ['Small Square - 200x200', 200, 200],
  ['Button - 125x125', 125, 125],
  ['Half Page - 300x600', 300, 600],
  ['Vertical Banner - 120x240', 120, 240],
  ['Wide Skyscraper - 160x600', 160, 600],
  ['Skyscraper - 120x600', 120, 600],
  ['Billboard - 970x250', 970, 250],
  ['Portrait - 300x1050', 300, 1050],
  ['Banner - 468x60', 168, 60],
  ['Leaderboard - 728x90', 728, 90],
  ['Instagram Portrait - 1080x1350', 1080, 1350],
  ['Instagram Square - 1080x1080', 1080, 1080],
  ['Instagram Landscape - 1080x608', 1080, 608],
  ['Instagram Stories/Reels - 1080x1920', 1080, 1920],
  ['Facebook Landscape - 1080x1350', 1080, 1350],
  ['Facebook Marketplace - 1200x1200', 1200, 1200],
  ['Facebook Stories - 1080x1920', 1080, 1920],
  ['TikTok - 1080x1920', 1080, 1920],
  ['YouTube Banner - 2560×1440', 2560, 1440],
  ['LinkedIn Profile Banner - 1584x396', 1584, 396],
  ['LinkedIn Page Cover - 1128x191', 1584, 396],
  ['LinkedIn Post - 1200x627', 1200, 627],
  ['Pinterest Pin Image - 1000x1500', 1000, 1500],
  ['CivitAI Cover - 1600x400', 1600, 400],
  ['OpenArt App - 1500x1000', 1500, 1000],
  ['A4 - 2480x3508', 2480, 3508],
  ['A5 - 1748x2480', 1748, 2480],
  ['A6 - 1240x1748', 1240, 1748],
  ['A7 - 874x1240', 874, 1240],
  ['A8 - 614x874', 614, 874],
  ['A9 - 437x614', 437, 614],
  ['A10 - 307x437', 307, 437],
  ['B4 - 2953x4169', 2953, 4169],
  ['B5 - 2079x2953', 2079, 2953],
  ['B6 - 1476x2079', 1476, 2079],
  ['B7 - 1039x1476', 1039, 1476],
  ['B8 - 732x1039', 732, 1039],
  ['B9 - 520x732', 520, 732],
  ['B10 - 366x520', 366, 520],
  ['C4 - 2705x3827', 2705, 3827],
  ['C5 - 1913x2705', 1913, 2705],
  ['C6 - 1346x1913', 1346, 1913],
  ['C7 - 957x1346', 957, 1346],
  ['C8 - 673x957', 673, 957],
  ['C9 - 472x673', 472, 673],
  ['C10 - 331x472', 331, 472],
  ['Letter (8.5 x 11 inches) - 2550x3300', 2550, 3300],
  ['Legal (8.5 x 14 inches) - 2550x4200', 2550, 4200],
] as const;
const chosen = (side: 'width' | 'height'): Operation => ({
  op: 'pick',
  by: { input: 'aspect_ratio' },
  cases: {
    custom: { input: side },
    ...Object.fromEntries(
      SIZES.map(([name, width, height]) => [name, { value: side === 'width' ? width : height }]),
    ),
  },
});
const swapped = (plain: Operation, turned: Operation): Operation => ({
  op: 'pick',
  by: { input: 'swap_dimensions' },
  cases: { On: turned, Off: plain },
});
const WIDTH = swapped(chosen('width'), chosen('height'));
const HEIGHT = swapped(chosen('height'), chosen('width'));
const unscaled = (operation: Operation): Operation => ({
  op: 'pick',
  by: { input: 'prescale_factor' },
  cases: { 1: operation, '1.0': operation },
});
const number = (input: string): Operation => ({ op: 'cast', of: { input }, to: 'float' });

/** Choices whose sides are multiples of 8, as latents are. */
const WHOLE = {
  input: 'aspect_ratio',
  not: [
    'custom',
    '3:4 portrait 512x682',
    '4:3 landscape 682x512',
    '16:9 cinema 910x512',
    'SD1.5 - 3:4 portrait 512x682',
    'SD1.5 - 4:3 landscape 682x512',
    'SD1.5 - 16:9 cinema 910x512',
  ],
} as const;
const CUSTOM = { input: 'aspect_ratio', is: 'custom' } as const;
const PLAIN = { input: 'swap_dimensions', is: 'Off' } as const;
const TURNED = { input: 'swap_dimensions', is: 'On' } as const;
const UNSCALED = { input: 'prescale_factor', is: [1, '1.0'], default: 1 } as const;

/** The empty latent is slot `latent`; the width and height in numbers come first. */
const aspectRatio = (latent: number, conditions: readonly (typeof UNSCALED)[]): NodeRule => ({
  role: 'latent',
  reads: {
    IMAGE_WIDTH: [
      {
        input: 'aspect_ratio',
        normalise: 'width-of',
        on: PICTURE,
        slot: latent,
        if: [WHOLE, PLAIN, ...conditions],
      },
      {
        input: 'aspect_ratio',
        normalise: 'height-of',
        on: PICTURE,
        slot: latent,
        if: [WHOLE, TURNED, ...conditions],
      },
      { input: 'width', on: PICTURE, slot: latent, if: [CUSTOM, PLAIN, ...conditions] },
      { input: 'height', on: PICTURE, slot: latent, if: [CUSTOM, TURNED, ...conditions] },
    ],
    IMAGE_HEIGHT: [
      {
        input: 'aspect_ratio',
        normalise: 'height-of',
        on: PICTURE,
        slot: latent,
        if: [WHOLE, PLAIN, ...conditions],
      },
      {
        input: 'aspect_ratio',
        normalise: 'width-of',
        on: PICTURE,
        slot: latent,
        if: [WHOLE, TURNED, ...conditions],
      },
      { input: 'height', on: PICTURE, slot: latent, if: [CUSTOM, PLAIN, ...conditions] },
      { input: 'width', on: PICTURE, slot: latent, if: [CUSTOM, TURNED, ...conditions] },
    ],
    BATCH_SIZE: { input: 'batch_size', on: PICTURE, slot: latent },
  },
  resizes: true,
});
const ASPECT_RATIO: NodeRule = {
  ...aspectRatio(4, []),
  computes: [WIDTH, HEIGHT, number('upscale_factor'), number('batch_size')],
};
const SCALED_NUMBERS: readonly Operation[] = [
  unscaled(WIDTH),
  unscaled(HEIGHT),
  number('upscale_factor'),
  number('prescale_factor'),
  number('batch_size'),
];
const SCALED_ASPECT_RATIO: NodeRule = { ...aspectRatio(5, [UNSCALED]), computes: SCALED_NUMBERS };
/** Many sizes of print, banners and posts are no multiples of 8: only the numbers are told. */
const NUMBERS_ONLY: NodeRule = { role: 'latent', computes: SCALED_NUMBERS, resizes: true };

/** Text, with what stands for it where a graph leaves it out. */
const text = (input: string): Operand => ({ input, default: '' });

/** Keys of the pipe that modules of a graph hand on. */
const MODULE_KEYS = { positive: 'pos', negative: 'neg' } as const;

export default defineRules({
  pack: 'comfyroll',
  source:
    'https://github.com/Suzie1/ComfyUI_Comfyroll_CustomNodes/tree/d78b780ae43fcf8c6b7c6505e6ffb4584281ceca',
  nodes: {
    // LoRAs.
    'CR Load LoRA': {
      role: 'patch',
      takes: { model: 'same', clip: 'same' },
      gives: [['model'], ['clip'], []],
      reads: {
        LORA_MODEL_NAME: { input: 'lora_name', on: LOADED, if: { input: 'switch', is: 'On' } },
        LORA_STRENGTH_MODEL: { input: 'strength_model', on: 'model' },
        LORA_STRENGTH_CLIP: { input: 'strength_clip', on: 'clip' },
      },
    },
    'CR LoRA Stack': {
      role: 'patch',
      takes: { lora_stack: 'same' },
      gives: [['lora_stack'], []],
      reads: {
        LORA_MODEL_NAME: { prefix: 'lora_name_', on: LOADED, if: IS_ON },
        LORA_STRENGTH_MODEL: { prefix: 'model_weight_', on: 'model' },
        LORA_STRENGTH_CLIP: { prefix: 'clip_weight_', on: 'clip' },
      },
    },
    'CR Apply LoRA Stack': {
      role: 'patch',
      takes: { model: 'same', clip: 'same', lora_stack: 'same' },
      gives: [['model', 'lora_stack'], ['clip', 'lora_stack'], []],
    },
    'CR Select Model': {
      role: 'loader',
      gives: [[], [], [], [], []],
      reads: {
        MODEL_NAME: [1, 2, 3, 4, 5].map(
          (nth) =>
            ({
              input: `ckpt_name${nth}`,
              on: 'model',
              if: { input: 'select_model', is: nth },
            }) as const,
        ),
      },
    },

    // The models of a merge, in the order of the stack.
    'CR Model Merge Stack': {
      role: 'loader',
      takes: { model_stack: 'same' },
      gives: [['model_stack'], []],
      reads: { MODEL_NAME: { prefix: 'ckpt_name', on: 'model', if: IS_ON } },
    },
    'CR Apply Model Merge': {
      role: 'combiner',
      takes: { model_stack: 'same' },
      gives: [['model_stack'], ['model_stack'], [], []],
    },

    // ControlNets. An entry of a stack counts only with a picture.
    'CR Apply ControlNet': {
      role: 'passthrough',
      takes: { conditioning: 'same', control_net: 'control', image: 'reference' },
      gives: [['conditioning', 'control_net', 'image'], []],
      only: {
        control_net: { input: 'switch', is: 'On' },
        image: { input: 'switch', is: 'On' },
      },
      reads: {
        CONTROLNET_STRENGTH: { input: 'strength', on: SIDES, if: { input: 'switch', is: 'On' } },
      },
    },
    'CR Multi-ControlNet Stack': {
      role: 'loader',
      takes: {
        image_1: 'reference',
        image_2: 'reference',
        image_3: 'reference',
        controlnet_stack: 'same',
      },
      gives: [['image_1', 'image_2', 'image_3', 'controlnet_stack'], []],
      only: {
        image_1: { input: 'switch_1', is: 'On' },
        image_2: { input: 'switch_2', is: 'On' },
        image_3: { input: 'switch_3', is: 'On' },
      },
      reads: {
        CONTROLNET_NAME: { prefix: 'controlnet_', on: 'control', if: HAS_PICTURE },
        CONTROLNET_STRENGTH: { prefix: 'controlnet_strength_', on: 'control', if: HAS_PICTURE },
      },
    },
    'CR Apply Multi-ControlNet': {
      role: 'passthrough',
      takes: { base_positive: 'same', base_negative: 'same', controlnet_stack: 'control' },
      gives: [['base_positive', 'controlnet_stack'], ['base_negative', 'controlnet_stack'], []],
      only: { controlnet_stack: { input: 'switch', is: 'On' } },
    },

    // Sizes.
    'CR SD1.5 Aspect Ratio': ASPECT_RATIO,
    'CR SDXL Aspect Ratio': ASPECT_RATIO,
    'CR Aspect Ratio': SCALED_ASPECT_RATIO,
    'CR Aspect Ratio Banners': NUMBERS_ONLY,
    'CR Aspect Ratio Social Media': NUMBERS_ONLY,
    'CR_Aspect Ratio For Print': NUMBERS_ONLY,
    'CR Aspect Ratio SDXL': {
      role: 'value',
      computes: [WIDTH, HEIGHT, number('upscale_factor1'), number('upscale_factor2'), number('batch_size')],
    },
    'CR Image Size': {
      role: 'value',
      takes: { width: 'value', height: 'value', upscale_factor: 'value' },
      gives: [['width'], ['height'], ['upscale_factor'], []],
    },

    // Text.
    'CR Prompt Text': passing('prompt'),
    'CR Text': passing('text'),
    'CR Text Concatenate': {
      role: 'string',
      computes: [{ op: 'join', parts: [text('text1'), text('text2')], separator: text('separator') }],
    },
    'CR Combine Prompt': {
      role: 'string',
      computes: [
        {
          op: 'join',
          parts: [text('part1'), text('part2'), text('part3'), text('part4')],
          separator: text('separator'),
        },
      ],
    },
    'CR Text Length': { role: 'value', computes: [{ op: 'length', text: { input: 'text' } }] },
    'CR Text Operation': {
      role: 'string',
      computes: [
        {
          op: 'pick',
          by: { input: 'operation' },
          cases: {
            uppercase: { op: 'case', text: { input: 'text' }, mode: { value: 'UPPERCASE' } },
            lowercase: { op: 'case', text: { input: 'text' }, mode: { value: 'lowercase' } },
            capitalize: { op: 'case', text: { input: 'text' }, mode: { value: 'Capitalize' } },
            trim: { op: 'trim', text: { input: 'text' } },
            remove_spaces: {
              op: 'replace',
              text: { input: 'text' },
              find: { value: ' ' },
              with: { value: '' },
            },
          },
        },
      ],
    },
    'CR Multiline Text': UNRESOLVED_TEXT,
    'CR Text Blacklist': UNRESOLVED_TEXT,
    'CR Split String': { role: 'string', gives: [[], [], [], [], []] },
    'CR SDXL Style Text': UNRESOLVED_TEXT,

    // Numbers.
    'CR Seed': { role: 'value', takes: { seed: 'value' }, gives: [['seed'], []] },
    'CR Seed to Int': { role: 'value', takes: { seed: 'value' }, gives: [['seed'], []] },
    'CR Value': {
      role: 'value',
      computes: [number('value'), { op: 'cast', of: { input: 'value' }, to: 'int' }],
    },
    'CR Integer To String': {
      role: 'string',
      computes: [{ op: 'cast', of: { input: 'int_' }, to: 'string' }],
    },
    'CR Float To Integer': {
      role: 'value',
      computes: [{ op: 'cast', of: { input: '_float' }, to: 'int' }],
    },
    'CR Float To String': UNRESOLVED_TEXT,
    'CR Math Operation': { role: 'value', gives: [[], [], []] },

    // Switches.
    'CR Image Input Switch': numbered('image', 2),
    'CR Image Input Switch (4 way)': numbered('image', 4),
    'CR Latent Input Switch': numbered('latent', 2),
    'CR Conditioning Input Switch': numbered('conditioning', 2),
    'CR Clip Input Switch': numbered('clip', 2),
    'CR Model Input Switch': numbered('model', 2),
    'CR ControlNet Input Switch': numbered('control_net', 2),
    'CR VAE Input Switch': numbered('VAE', 2),
    'CR Text Input Switch': numbered('text', 2),
    'CR Text Input Switch (4 way)': numbered('text', 4),
    'CR Pipe Switch': numbered('pipe', 2),
    'CR Img2Img Process Switch': named({ txt2img: 'txt2img', img2img: 'img2img' }),
    'CR Hires Fix Process Switch': named({
      latent_upscale: 'latent_upscale',
      image_upscale: 'image_upscale',
    }),
    'CR Batch Process Switch': named({ image: 'image', 'image batch': 'image_batch' }),

    // Pipes.
    'CR Module Pipe Loader': { role: 'pipe', pipe: { from: [], slots: ['', null], keys: MODULE_KEYS } },
    'CR Module Input': {
      role: 'pipe',
      pipe: {
        from: ['pipe'],
        slots: [
          '',
          'model',
          'positive',
          'negative',
          'latent',
          'vae',
          'clip',
          'controlnet',
          'image',
          'seed',
          null,
        ],
      },
    },
    'CR Module Output': {
      role: 'pipe',
      pipe: { from: ['pipe'], slots: ['', null], keys: MODULE_KEYS },
    },
    'CR Image Pipe In': { role: 'pipe', pipe: { from: [], slots: ['', null] } },
    'CR Image Pipe Edit': { role: 'pipe', pipe: { from: ['pipe'], slots: ['', null] } },
    'CR Image Pipe Out': {
      role: 'pipe',
      pipe: { from: ['pipe'], slots: ['', 'image', 'width', 'height', 'upscale_factor', null] },
    },
    'CR Data Bus In': { role: 'pipe', pipe: { from: ['pipe'], slots: ['', null] } },
    'CR Data Bus Out': {
      role: 'pipe',
      pipe: { from: ['pipe'], slots: ['', 'any1', 'any2', 'any3', 'any4', null] },
    },
    'CR 8 Channel In': { role: 'pipe', pipe: { from: ['pipe'], slots: ['', null] } },
    'CR 8 Channel Out': {
      role: 'pipe',
      pipe: {
        from: ['pipe'],
        slots: ['', 'ch1', 'ch2', 'ch3', 'ch4', 'ch5', 'ch6', 'ch7', 'ch8', null],
      },
    },

    // Conditioning and pictures.
    'CR Conditioning Mixer': {
      role: 'combiner',
      takes: { conditioning_1: 'same', conditioning_2: 'same' },
      gives: [['conditioning_1', 'conditioning_2'], []],
    },
    'CR VAE Decode': {
      role: 'image',
      takes: { samples: 'latent', vae: 'vae' },
      gives: [['samples', 'vae'], []],
    },
    'CR Latent Batch Size': {
      role: 'latent',
      takes: { latent: 'same' },
      reads: { BATCH_SIZE: { input: 'batch_size', on: PICTURE } },
    },
    'CR Upscale Image': {
      role: 'image',
      takes: { image: 'same' },
      gives: [['image'], []],
      reads: { UPSCALE_MODEL_NAME: { input: 'upscale_model', on: PICTURE } },
      resizes: true,
    },
    'CR Multi Upscale Stack': {
      role: 'loader',
      takes: { upscale_stack: 'same' },
      gives: [['upscale_stack'], []],
      reads: {
        UPSCALE_MODEL_NAME: { prefix: 'upscale_model_', on: 'upscale', if: IS_ON },
      },
    },
    'CR Apply Multi Upscale': {
      role: 'image',
      takes: { image: 'same', upscale_stack: 'upscale' },
      gives: [['image', 'upscale_stack'], []],
      resizes: true,
    },
    'CR Image Output': { role: 'saver', takes: { images: 'image' } },
  },
});
