import { defineRules, type NodeRule, type Stream } from '../define.ts';

/**
 * Left out: the comparison and list nodes that hand on neither a picture nor a value of one, and the
 * arithmetic on expressions, whose result is known of a run only.
 */

const PICTURE: readonly Stream[] = ['latent', 'image'];

const TEXT = {
  POSITIVE_PROMPT: { input: 'text', on: 'positive' },
  NEGATIVE_PROMPT: { input: 'text', on: 'negative' },
} satisfies NodeRule['reads'];
const ENCODER: NodeRule = { role: 'encoder', takes: { clip: 'clip' }, reads: TEXT };

const TAKES = {
  model: 'model',
  positive: 'positive',
  negative: 'negative',
  latent_image: 'latent',
} satisfies NodeRule['takes'];

const MODEL_PATCH: NodeRule = { role: 'patch', takes: { model: 'same' } };
const CLIP_PATCH: NodeRule = { role: 'patch', takes: { clip: 'same' } };
const VALUE: NodeRule = { role: 'value', takes: { value: 'same' }, gives: [['value']] };
/** Numbers and texts that only running the node can make. */
const UNRESOLVED: NodeRule = { role: 'value' };

const IMAGE: NodeRule = { role: 'image', takes: { image: 'same' } };
const RESIZED_IMAGE: NodeRule = { ...IMAGE, resizes: true };
const LIKENED_IMAGE: NodeRule = { role: 'image', takes: { image: 'same', reference: 'reference' } };

/** The width and height are those of the result where nothing keeps a ratio or rounds. */
const TO_SIZE = [
  { input: 'method', is: ['stretch', 'fill / crop', 'pad'] },
  { input: 'condition', is: 'always' },
  { input: 'multiple_of', is: [0, 1], default: 0 },
] as const;

export default defineRules({
  pack: 'essentials',
  source: 'https://github.com/cubiq/ComfyUI_essentials/tree/33ff89fd354d8ec3ab6affb605a79a931b445d99',
  nodes: {
    // Samplers. The second seed of the first two only varies what the first one makes.
    'KSamplerVariationsWithNoise+': {
      role: 'sampler',
      takes: TAKES,
      puts: ['latent'],
      reads: {
        SEED: { input: 'main_seed' },
        STEPS: { input: 'steps' },
        CFG: { input: 'cfg' },
        SAMPLER_NAME: { input: 'sampler_name' },
        SCHEDULER: { input: 'scheduler' },
        DENOISE: { input: 'denoise' },
      },
    },
    'KSamplerVariationsStochastic+': {
      role: 'sampler',
      takes: TAKES,
      puts: ['latent'],
      reads: {
        SEED: { input: 'noise_seed' },
        STEPS: { input: 'steps' },
        CFG: { input: 'cfg' },
        SAMPLER_NAME: { input: 'sampler' },
        SCHEDULER: { input: 'scheduler' },
      },
    },
    // Its settings are texts that may list several values, one picture for each; an empty shift is the
    // model's own.
    'FluxSamplerParams+': {
      role: 'sampler',
      takes: { model: 'model', loras: 'model', conditioning: 'positive', latent_image: 'latent' },
      puts: ['latent', 'value'],
      reads: {
        SEED: { input: 'seed' },
        STEPS: { input: 'steps', if: { input: 'steps', not: '' } },
        SAMPLER_NAME: { input: 'sampler' },
        SCHEDULER: { input: 'scheduler' },
        GUIDANCE: { input: 'guidance', if: { input: 'guidance', not: '' } },
        MAX_SHIFT: { input: 'max_shift', if: { input: 'max_shift', not: '' } },
        BASE_SHIFT: { input: 'base_shift', if: { input: 'base_shift', not: '' } },
        DENOISE: { input: 'denoise', if: { input: 'denoise', not: '' } },
      },
    },
    'LorasForFluxParams+': {
      role: 'patch',
      reads: {
        LORA_MODEL_NAME: { input: 'lora_1', on: 'model' },
        LORA_STRENGTH_MODEL: { input: 'strength_model_1', on: 'model' },
      },
    },
    'PlotParameters+': { role: 'image', takes: { images: 'same' }, resizes: true },
    'TextEncodeForSamplerParams+': ENCODER,
    'SamplerSelectHelper+': UNRESOLVED,
    'SchedulerSelectHelper+': UNRESOLVED,

    // Prompts. Size fed to the text encoder is no size of the picture.
    'CLIPTextEncodeSDXL+': ENCODER,
    'ConditioningCombineMultiple+': {
      role: 'combiner',
      takes: {
        conditioning_1: 'same',
        conditioning_2: 'same',
        conditioning_3: 'same',
        conditioning_4: 'same',
        conditioning_5: 'same',
      },
      joins: ' AND ',
    },
    // Zeroed from the share `end` of the steps on, or from the start.
    'SD3NegativeConditioning+': {
      role: 'passthrough',
      takes: { conditioning: 'same' },
      only: { conditioning: { input: 'end', not: [0, '0.0'] } },
    },

    // Models.
    'FluxAttentionSeeker+': CLIP_PATCH,
    'SD3AttentionSeekerLG+': CLIP_PATCH,
    'SD3AttentionSeekerT5+': CLIP_PATCH,
    'FluxBlocksBuster+': { role: 'patch', takes: { model: 'same' }, gives: [['model'], []] },
    'GuidanceTimestepping+': MODEL_PATCH,
    'ModelSamplingSD3Advanced+': {
      role: 'patch',
      takes: { model: 'same' },
      reads: { SHIFT: { input: 'shift', on: 'model' } },
    },
    'ModelCompile+': MODEL_PATCH,

    // Latents.
    'SDXLEmptyLatentSizePicker+': {
      role: 'latent',
      reads: {
        IMAGE_WIDTH: [
          { input: 'width_override', on: PICTURE, if: { input: 'width_override', not: 0, default: 0 } },
          { input: 'resolution', on: PICTURE, normalise: 'width-of' },
        ],
        IMAGE_HEIGHT: [
          { input: 'height_override', on: PICTURE, if: { input: 'height_override', not: 0, default: 0 } },
          { input: 'resolution', on: PICTURE, normalise: 'height-of' },
        ],
        BATCH_SIZE: { input: 'batch_size', on: PICTURE },
      },
    },
    'InjectLatentNoise+': { role: 'latent', takes: { latent: 'same' } },
    'RemoveLatentMask+': { role: 'latent', takes: { samples: 'same' } },

    // Pictures.
    'ImageResize+': {
      role: 'image',
      takes: { image: 'same' },
      gives: [['image'], [], []],
      reads: {
        IMAGE_WIDTH: { input: 'width', on: PICTURE, if: TO_SIZE },
        IMAGE_HEIGHT: { input: 'height', on: PICTURE, if: TO_SIZE },
      },
      resizes: true,
    },
    'ImageCrop+': { role: 'image', takes: { image: 'same' }, gives: [['image'], [], []], resizes: true },
    'ImageTile+': {
      role: 'image',
      takes: { image: 'same' },
      gives: [['image'], [], [], [], []],
      resizes: true,
    },
    'ImageUntile+': { role: 'image', takes: { tiles: 'same' }, resizes: true },
    'ImageSeamCarving+': RESIZED_IMAGE,
    'PixelOEPixelize+': RESIZED_IMAGE,
    'ImageBatchMultiple+': {
      role: 'image',
      takes: { image_1: 'same', image_2: 'same', image_3: 'same', image_4: 'same', image_5: 'same' },
    },
    'ImageComposite+': { role: 'image', takes: { destination: 'same', source: 'same' } },
    'ImageCompositeFromMaskBatch+': { role: 'image', takes: { image_from: 'same', image_to: 'same' } },
    'ImageEnhanceDifference+': { role: 'image', takes: { image1: 'same', image2: 'same' } },
    'ImageRemoveBackground+': { role: 'image', takes: { image: 'same' }, gives: [['image'], ['image']] },
    'ImagePreviewFromLatent+': {
      role: 'image',
      takes: { latent: 'latent', vae: 'vae' },
      gives: [['latent', 'vae'], [], [], []],
    },
    'ImageColorMatch+': LIKENED_IMAGE,
    'ImageColorMatchAdobe+': LIKENED_IMAGE,
    'ImageHistogramMatch+': LIKENED_IMAGE,
    'ImageApplyLUT+': IMAGE,
    'ImageBatchToList+': IMAGE,
    'ImageCASharpening+': IMAGE,
    'ImageDesaturate+': IMAGE,
    'ImageExpandBatch+': IMAGE,
    'ImageFlip+': IMAGE,
    'ImageFromBatch+': IMAGE,
    'ImageListToBatch+': IMAGE,
    'ImagePosterize+': IMAGE,
    'ImageRandomTransform+': IMAGE,
    'ImageRemoveAlpha+': IMAGE,
    'ImageSmartSharpen+': IMAGE,
    'ImageToDevice+': IMAGE,
    'NoiseFromImage+': IMAGE,
    'GetImageSize+': UNRESOLVED,

    // Values.
    'SimpleMathInt+': VALUE,
    'SimpleMathFloat+': VALUE,
    'SimpleMathPercent+': VALUE,
    'SimpleMathBoolean+': { role: 'value', takes: { value: 'same' }, gives: [['value'], []] },
    'SimpleMath+': UNRESOLVED,
    'SimpleMathDual+': UNRESOLVED,
    'SimpleMathCondition+': UNRESOLVED,
    'SimpleMathSlider+': UNRESOLVED,
    'SimpleMathSliderLowRes+': UNRESOLVED,
    'SimpleComparison+': UNRESOLVED,
    'BatchCount+': UNRESOLVED,
    'SimpleCondition+': {
      role: 'switch',
      takes: { on_true: 'same', on_false: 'same' },
      switch: {
        by: 'evaluate',
        cases: { true: 'on_true', '1': 'on_true', false: 'on_false', '0': 'on_false' },
      },
    },
    DisplayAny: { role: 'preview', takes: { input: 'value' } },
  },
});
