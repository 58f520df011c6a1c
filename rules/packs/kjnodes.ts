import { defineRules, type NodeRule, type Operation, type Stream } from '../define.ts';

/**
 * KJNodes. Its Set and Get nodes live in the browser only and never reach a prompt.
 *
 * Values are compared as the graph spells them: Something To String writes a switch as `True` and a whole FLOAT as
 * `8.0`, which the words can't; every other value comes out the same.
 *
 * What the words can't say, and is left out: nodes with as many pictures or latents as the user likes in one combo
 * (LTXVAddGuideMulti, LTXVImgToVideoInplaceKJ), curves, crops that are pasted back, and the nodes that only
 * report or preview memory.
 */

const PICTURE: readonly Stream[] = ['latent', 'image'];

const MODEL_PATCH: NodeRule = { role: 'patch', takes: { model: 'same' } };
const PREVIEW_OF_IMAGE: NodeRule = { role: 'preview', takes: { image: 'image' } };
const PREVIEW_OF_INPUT: NodeRule = { role: 'preview', takes: { input: 'image' } };
const VALUE: NodeRule = { role: 'value', takes: { value: 'same' }, gives: [['value']] };
const IMAGE: NodeRule = { role: 'image', takes: { image: 'same' } };
const IMAGES: NodeRule = { role: 'image', takes: { images: 'same' } };
const LATENTS: NodeRule = { role: 'latent', takes: { latents: 'same' } };
/** The graph does not say to what size. */
const RESIZED: NodeRule = { role: 'image', takes: { image: 'same' }, gives: [['image'], []], resizes: true };
const RESIZED_WITH_SIZE: NodeRule = {
  role: 'image',
  takes: { image: 'same' },
  gives: [['image'], [], [], []],
  resizes: true,
};

/** More inputs than a user adds by hand. */
const MANY = 32;
const numbered = (prefix: string, count: number): Readonly<Record<string, 'same'>> =>
  Object.fromEntries(Array.from({ length: count }, (_, index) => [`${prefix}${index + 1}`, 'same']));
const CONDITIONINGS = numbered('conditioning_', 20);

/** Positive and negative conditioning in pairs, each on its own side. */
function pairsOfConditioning(count: number): NodeRule {
  const positive = Array.from({ length: count }, (_, index) => `positive_${index + 1}`);
  const negative = Array.from({ length: count }, (_, index) => `negative_${index + 1}`);
  return {
    role: 'combiner',
    takes: Object.fromEntries([...positive, ...negative].map((input) => [input, 'same' as const])),
    gives: [positive, negative],
  };
}

/** A file that is given as a path wins over the one that is chosen. */
const LORA = {
  LORA_MODEL_NAME: [
    { input: 'opt_lora_path', on: 'model' },
    { input: 'lora_name', on: 'model' },
  ],
  LORA_STRENGTH_MODEL: { input: 'strength_model', on: 'model' },
} satisfies NodeRule['reads'];

const AS_CHOSEN = { input: 'invert', is: false, default: false } as const;
const TURNED = { input: 'invert', is: true } as const;
const DIMENSIONS = [
  ['512 x 512 (1:1)', 512, 512],
  ['768 x 512 (1.5:1)', 768, 512],
  ['960 x 512 (1.875:1)', 960, 512],
  ['1024 x 512 (2:1)', 1024, 512],
  ['1024 x 576 (1.778:1)', 1024, 576],
  ['1536 x 640 (2.4:1)', 1536, 640],
  ['1344 x 768 (1.75:1)', 1344, 768],
  ['1216 x 832 (1.46:1)', 1216, 832],
  ['1152 x 896 (1.286:1)', 1152, 896],
  ['1024 x 1024 (1:1)', 1024, 1024],
] as const;
/** One side of the choices that the pack brings; those of a user's own file are known by their text alone. */
const sideOf = (side: 'width' | 'height'): Operation => ({
  op: 'pick',
  by: { input: 'dimensions' },
  cases: Object.fromEntries(
    DIMENSIONS.map(([name, width, height]) => [name, { value: side === 'width' ? width : height }]),
  ),
});
const turned = (plain: Operation, other: Operation): Operation => ({
  op: 'pick',
  by: { input: 'invert', default: false },
  cases: { false: plain, true: other },
});
const NO_VALUE: Operation = { op: 'pick', by: { value: '' }, cases: {} };
const PRESETS: NodeRule = {
  role: 'latent',
  computes: [NO_VALUE, turned(sideOf('width'), sideOf('height')), turned(sideOf('height'), sideOf('width'))],
  reads: {
    IMAGE_WIDTH: [
      { input: 'dimensions', normalise: 'width-of', on: PICTURE, slot: 0, if: AS_CHOSEN },
      { input: 'dimensions', normalise: 'height-of', on: PICTURE, slot: 0, if: TURNED },
    ],
    IMAGE_HEIGHT: [
      { input: 'dimensions', normalise: 'height-of', on: PICTURE, slot: 0, if: AS_CHOSEN },
      { input: 'dimensions', normalise: 'width-of', on: PICTURE, slot: 0, if: TURNED },
    ],
    BATCH_SIZE: { input: 'batch_size', on: PICTURE, slot: 0 },
  },
};

export default defineRules({
  pack: 'kjnodes',
  source: 'https://github.com/kijai/ComfyUI-KJNodes/tree/3f20054214fec9f9234fd3841ae6f1e4287948f6',
  nodes: {
    // Constants and text.
    BOOLConstant: VALUE,
    INTConstant: VALUE,
    FloatConstant: VALUE,
    // Line ends are taken out altogether: words on two lines come together.
    StringConstantMultiline: {
      role: 'string',
      computes: [
        {
          op: 'pick',
          by: { input: 'strip_newlines', default: true },
          cases: {
            true: {
              op: 'trim',
              text: {
                op: 'replace',
                text: { input: 'string' },
                find: { value: '\n' },
                with: { value: '' },
              },
            },
            false: { op: 'cast', of: { input: 'string' }, to: 'string' },
          },
        },
      ],
    },
    StringConstant: { role: 'string', takes: { string: 'same' }, gives: [['string']] },
    JoinStrings: {
      role: 'string',
      computes: [
        {
          op: 'join',
          parts: [
            { input: 'string1', default: '' },
            { input: 'string2', default: '' },
          ],
          separator: { input: 'delimiter' },
        },
      ],
    },
    JoinStringMulti: {
      role: 'string',
      computes: [
        { op: 'join', parts: { prefix: 'string_' }, separator: { input: 'delimiter' }, skipEmpty: true },
      ],
    },
    SomethingToString: {
      role: 'string',
      computes: [
        {
          op: 'join',
          parts: [{ input: 'prefix', default: '' }, { input: 'input' }, { input: 'suffix', default: '' }],
          separator: { value: '' },
        },
      ],
    },
    WidgetToString: { role: 'string' },
    Superprompt: { role: 'string' },
    SimpleCalculatorKJ: { role: 'value', gives: [[], [], []] },
    DiffusionModelSelector: { role: 'value', takes: { model_name: 'same' }, gives: [['model_name']] },

    // Loaders.
    CheckpointLoaderKJ: {
      role: 'loader',
      gives: [[], [], []],
      reads: {
        MODEL_NAME: { input: 'ckpt_name', on: 'model' },
        WEIGHT_DTYPE: { input: 'weight_dtype', on: 'model' },
      },
    },
    DiffusionModelLoaderKJ: {
      role: 'loader',
      reads: {
        MODEL_NAME: { input: 'model_name', on: 'model' },
        WEIGHT_DTYPE: { input: 'weight_dtype', on: 'model' },
      },
    },
    GGUFLoaderKJ: { role: 'loader', reads: { MODEL_NAME: { input: 'model_name', on: 'model' } } },
    VAELoaderKJ: { role: 'loader', reads: { VAE_NAME: { input: 'vae_name', on: 'vae' } } },
    VAEMergeKJ: { role: 'combiner', takes: { vae_1: 'same', vae_2: 'same' } },
    VAEDecodeLoopKJ: { role: 'image', takes: { samples: 'latent', vae: 'vae' } },
    TorchCompileVAE: { role: 'patch', takes: { vae: 'same' } },
    PatchTritonVAE: { role: 'patch', takes: { vae: 'same' } },
    TorchCompileControlNet: { role: 'patch', takes: { controlnet: 'same' } },
    SetShakkerLabsUnionControlNetType: { role: 'patch', takes: { control_net: 'same' } },

    // LoRAs. What blocks it is loaded into is no fact of the file.
    DiTBlockLoraLoader: { role: 'patch', takes: { model: 'same' }, gives: [['model'], []], reads: LORA },
    LTX2LoraLoaderAdvanced: {
      role: 'patch',
      takes: { model: 'same' },
      gives: [['model'], [], []],
      reads: LORA,
    },

    FluxBlockLoraSelect: { role: 'value' },
    HunyuanVideoBlockLoraSelect: { role: 'value' },
    Wan21BlockLoraSelect: { role: 'value' },
    LTX2BlockLoraSelect: { role: 'value' },

    // Model patches.
    ModelPassThrough: MODEL_PATCH,
    PathchSageAttentionKJ: MODEL_PATCH,
    PatchFlashAttentionKJ: MODEL_PATCH,
    ModelPatchTorchSettings: MODEL_PATCH,
    PatchModelPatcherOrder: MODEL_PATCH,
    TorchCompileModelAdvanced: MODEL_PATCH,
    TorchCompileModelFluxAdvanced: MODEL_PATCH,
    TorchCompileModelFluxAdvancedV2: MODEL_PATCH,
    TorchCompileModelWanVideo: MODEL_PATCH,
    TorchCompileModelWanVideoV2: MODEL_PATCH,
    TorchCompileModelQwenImage: MODEL_PATCH,
    TorchCompileModelHyVideo: MODEL_PATCH,
    TorchCompileCosmosModel: MODEL_PATCH,
    TorchCompileLTXModel: MODEL_PATCH,
    WanVideoTeaCacheKJ: MODEL_PATCH,
    WanVideoEnhanceAVideoKJ: MODEL_PATCH,
    WanVideoNAG: MODEL_PATCH,
    WanVideoMemoryEfficientSageAttentionPatch: MODEL_PATCH,
    WanChunkFeedForward: MODEL_PATCH,
    SkipLayerGuidanceWanVideo: MODEL_PATCH,
    CFGZeroStarAndInit: MODEL_PATCH,
    PiDColorBiasCorrection: MODEL_PATCH,
    NABLA_AttentionKJ: MODEL_PATCH,
    LatentInpaintTTM: MODEL_PATCH,
    ApplyRifleXRoPE_WanVideo: MODEL_PATCH,
    ApplyRifleXRoPE_HunuyanVideo: MODEL_PATCH,
    LTXVEnhanceAVideoKJ: MODEL_PATCH,
    LTX2_NAG: MODEL_PATCH,
    LTXVChunkFeedForward: MODEL_PATCH,
    LTX2SamplingPreviewOverride: MODEL_PATCH,
    LTX2AudioLatentNormalizingSampling: MODEL_PATCH,
    LTX2AttentionTunerPatch: MODEL_PATCH,
    LTX2MemoryEfficientSageAttentionPatch: MODEL_PATCH,
    Ideogram4OptimizationsKJ: MODEL_PATCH,
    MiniMaxChunkFeedForward: MODEL_PATCH,
    MiniMaxLowVRAMAttention: MODEL_PATCH,
    ModelMemoryUseReportPatch: MODEL_PATCH,
    ModelMemoryUsageFactorOverride: MODEL_PATCH,
    ModelPreviewOverrideKJ: MODEL_PATCH,
    ContextWindowsVisualizerKJ: MODEL_PATCH,
    CheckpointPerturbWeights: MODEL_PATCH,
    LeapfusionHunyuanI2VPatcher: {
      role: 'patch',
      takes: { model: 'same', latent: 'reference' },
      gives: [['model', 'latent']],
    },
    DifferentialDiffusionAdvanced: {
      role: 'patch',
      takes: { model: 'same', samples: 'same' },
      gives: [['model'], ['samples']],
    },

    // Conditioning.
    ConditioningMultiCombine: {
      role: 'combiner',
      takes: CONDITIONINGS,
      gives: [Object.keys(CONDITIONINGS), []],
    },
    ConditioningSetMaskAndCombine: pairsOfConditioning(2),
    ConditioningSetMaskAndCombine3: pairsOfConditioning(3),
    ConditioningSetMaskAndCombine4: pairsOfConditioning(4),
    ConditioningSetMaskAndCombine5: pairsOfConditioning(5),
    CondPassThrough: {
      role: 'passthrough',
      takes: { positive: 'same', negative: 'same' },
      gives: [['positive'], ['negative']],
    },
    Krea2PromptWeight: {
      role: 'encoder',
      takes: { model: 'same', clip: 'clip' },
      gives: [['model'], ['clip']],
      reads: {
        POSITIVE_PROMPT: { input: 'text', on: 'positive', slot: 1 },
        NEGATIVE_PROMPT: { input: 'text', on: 'negative', slot: 1 },
      },
    },
    StyleModelApplyAdvanced: {
      role: 'passthrough',
      takes: { conditioning: 'same', style_model: 'reference', clip_vision_output: 'reference' },
    },
    // The pictures before the one that is made only guide it.
    WanImageToVideoSVIPro: {
      role: 'passthrough',
      takes: {
        positive: 'same',
        negative: 'same',
        anchor_samples: 'reference',
        prev_samples: 'reference',
      },
      gives: [['positive', 'anchor_samples', 'prev_samples'], ['negative'], []],
      reads: { FRAME_COUNT: { input: 'length', on: PICTURE } },
      resizes: true,
    },

    // Guiders, sigmas, noise.
    ScheduledCFGGuidance: {
      role: 'guider',
      takes: { model: 'model', positive: 'positive', negative: 'negative' },
      reads: { CFG: { input: 'cfg', on: 'guider' } },
    },
    // What is typed in is stretched or thinned to this many steps.
    CustomSigmas: {
      role: 'scheduler',
      reads: { STEPS: { input: 'interpolate_to_steps', on: 'sigmas' } },
    },
    FlipSigmasAdjusted: { role: 'passthrough', takes: { sigmas: 'same' }, gives: [['sigmas'], []] },
    // Its first and last step are marks in the drawing: all sigmas go on.
    VisualizeSigmasKJ: { role: 'passthrough', takes: { sigmas: 'same' }, gives: [['sigmas'], []] },
    FloatToSigmas: { role: 'scheduler' },
    InjectNoiseToLatent: { role: 'latent', takes: { latents: 'same' } },
    GenerateNoise: {
      role: 'latent',
      reads: {
        IMAGE_WIDTH: { input: 'width', on: PICTURE },
        IMAGE_HEIGHT: { input: 'height', on: PICTURE },
        BATCH_SIZE: { input: 'batch_size', on: PICTURE },
      },
    },

    // Latents. A choice reads "1344 x 768 (1.75:1)" or "my label - 1344x768", and may be turned.
    EmptyLatentImagePresets: PRESETS,
    EmptyLatentImageCustomPresets: PRESETS,
    GetLatentsFromBatchIndexed: LATENTS,
    GetLatentRangeFromBatch: LATENTS,
    GetLatentSizeAndCount: {
      role: 'latent',
      takes: { latent: 'same' },
      gives: [['latent'], [], [], [], [], []],
    },

    // Pictures in and out.
    LoadAndResizeImage: {
      role: 'source',
      gives: [[], [], [], [], []],
      reads: { SOURCE_IMAGE: { input: 'image', on: PICTURE } },
      resizes: true,
    },
    LoadImagesFromFolderKJ: {
      role: 'source',
      gives: [[], [], [], []],
      reads: { SOURCE_IMAGE: { input: 'folder', on: PICTURE } },
      resizes: true,
    },
    ImagePass: IMAGE,
    ImageSharpenKJ: IMAGE,
    ImageNoiseAugmentation: IMAGE,
    GetImagesFromBatchIndexed: IMAGES,
    GetImageRangeFromBatch: { role: 'image', takes: { images: 'same' }, gives: [['images'], []] },
    GetImageSizeAndCount: {
      role: 'image',
      takes: { image: 'same' },
      gives: [['image'], [], [], []],
    },
    ColorMatch: { role: 'image', takes: { image_target: 'same', image_ref: 'reference' } },
    ColorMatchV2: { role: 'image', takes: { image_target: 'same', image_ref: 'reference' } },
    CrossFadeImages: { role: 'image', takes: { images_1: 'same', images_2: 'same' } },
    // What is added behind continues what was there.
    ImageBatchExtendWithOverlap: {
      role: 'image',
      takes: { source_images: 'same', new_images: 'same' },
      gives: [['source_images'], ['source_images'], ['source_images', 'new_images']],
    },
    InsertImagesToBatchIndexed: {
      role: 'image',
      takes: { original_images: 'same', images_to_insert: 'same' },
    },
    ReplaceImagesInBatch: {
      role: 'image',
      takes: { original_images: 'same', replacement_images: 'same' },
      gives: [['original_images', 'replacement_images'], []],
    },
    ReverseImageBatch: IMAGES,
    ShuffleImageBatch: IMAGES,
    ImageBatchRepeatInterleaving: { role: 'image', takes: { images: 'same' }, gives: [['images'], []] },
    DrawMaskOnImage: IMAGE,
    ImageCropByMaskAndResize: {
      role: 'image',
      takes: { image: 'same' },
      gives: [['image'], [], []],
      resizes: true,
    },
    GrowMaskWithBlur: { role: 'image', takes: { mask: 'same' } },
    ResizeMask: { role: 'image', takes: { mask: 'same' }, gives: [['mask'], [], []], resizes: true },
    BlockifyMask: { role: 'image', takes: { masks: 'same' } },
    ImageBatchMulti: { role: 'image', takes: numbered('image_', MANY) },
    ImageConcanate: { role: 'image', takes: { image1: 'same', image2: 'same' }, resizes: true },
    ImageConcatMulti: { role: 'image', takes: numbered('image_', MANY), resizes: true },
    ImageGridComposite2x2: { role: 'image', takes: numbered('image', 4), resizes: true },
    ImageGridComposite3x3: { role: 'image', takes: numbered('image', 9), resizes: true },
    AddLabel: { ...IMAGE, resizes: true },
    ImageResizeKJ: {
      role: 'image',
      takes: { image: 'same' },
      gives: [['image'], [], []],
      resizes: true,
    },
    ImageResizeKJv2: RESIZED_WITH_SIZE,
    ImagePadKJ: RESIZED,
    ImagePadForOutpaintMasked: RESIZED,
    ImagePadForOutpaintTargetSize: {
      role: 'image',
      takes: { image: 'same' },
      gives: [['image'], []],
      reads: {
        IMAGE_WIDTH: { input: 'target_width', on: PICTURE },
        IMAGE_HEIGHT: { input: 'target_height', on: PICTURE },
      },
    },
    ImageCropByMask: { ...IMAGE, resizes: true },
    ImageUncropByMask: { role: 'image', takes: { destination: 'same', source: 'same' } },
    ImageUpscaleWithModelBatched: {
      role: 'image',
      takes: { images: 'same', upscale_model: 'upscale' },
      resizes: true,
    },
    SaveImageKJ: { role: 'saver', takes: { images: 'image' } },
    SaveImageWithAlpha: { role: 'saver', takes: { images: 'image' } },
    PreviewAnimation: { role: 'preview', takes: { images: 'image' } },
    FastPreview: PREVIEW_OF_IMAGE,
    FastPreviewBatch: PREVIEW_OF_INPUT,
    PreviewImageOrMask: PREVIEW_OF_INPUT,

    // Switches, and nodes that anything goes through.
    LazySwitchKJ: {
      role: 'switch',
      takes: { on_false: 'same', on_true: 'same' },
      switch: { by: 'switch', cases: { true: 'on_true', false: 'on_false' } },
    },
    VRAM_Debug: {
      role: 'passthrough',
      takes: { any_input: 'same', image_pass: 'same', model_pass: 'same' },
      gives: [['any_input'], ['image_pass'], ['model_pass'], [], []],
    },
    Sleep: { role: 'passthrough', takes: { input: 'same' }, gives: [['input']] },
    TimerNodeKJ: { role: 'passthrough', takes: { any_input: 'same' }, gives: [['any_input'], [], []] },
  },
});
