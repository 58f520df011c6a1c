import { defineRules, type NodeRule, type Stream } from '../define.ts';

/**
 * The Impact Pack: pipes, detailers, wildcards, switches.
 *
 * A detailer paints over parts of a picture that another sampler made. It is a sampler by its rule (Tier B) and so
 * never leads where there is one of the whole picture; its own text (`wildcard`) stands instead of the conditioning.
 * The same goes for samplers that come as objects (KSamplerProvider, the upscalers' providers).
 *
 * What the words can't say, and is left out: the refiner half of a detailer pipe that is made of two basic pipes; a
 * detailer's text that begins with [CONCAT] and is added to the conditioning, or is split between faces; the LoRAs
 * that a text in a detailer pipe loads.
 */

const PICTURE: readonly Stream[] = ['latent', 'image'];
const BASIC = ['model', 'clip', 'vae', 'positive', 'negative'];
const DETAILER = [...BASIC, 'bbox_detector', 'sam_model_opt', 'segm_detector_opt', 'detailer_hook'];
const REFINER = ['refiner_model', 'refiner_clip', 'refiner_positive', 'refiner_negative'];

/** Known, and nothing in it or behind it made the picture: masks, detectors, hooks. */
const NOTHING: NodeRule = { role: 'value', gives: [[]] };
const VALUE: NodeRule = { role: 'value', takes: { value: 'same' }, gives: [['value']] };
const SIGNAL: NodeRule = { role: 'passthrough', takes: { signal: 'same' }, gives: [['signal'], [], []] };
const IMAGE: NodeRule = { role: 'image', takes: { image: 'same' } };
const LATENT: NodeRule = { role: 'latent', takes: { samples: 'same' } };
/** Parts of a picture, on their way to a detailer or back into the picture. */
const SEGS: NodeRule = { role: 'image', takes: { segs: 'same' } };

const SETTINGS = {
  STEPS: { input: 'steps' },
  CFG: { input: 'cfg' },
  SAMPLER_NAME: { input: 'sampler_name' },
  // A function for the schedule counts instead; it has no name.
  SCHEDULER: { input: 'scheduler', if: { input: 'scheduler_func_opt', linked: false } },
} satisfies NodeRule['reads'];
const RUN = {
  ...SETTINGS,
  SEED: { input: 'seed' },
  DENOISE: { input: 'denoise' },
} satisfies NodeRule['reads'];
const WILDCARD = {
  POSITIVE_PROMPT: { input: 'wildcard', normalise: 'without-lora-tags' },
  LORA_MODEL_NAME: { tags: 'wildcard', part: 'name' },
  LORA_STRENGTH_MODEL: { tags: 'wildcard', part: 'model' },
  LORA_STRENGTH_CLIP: { tags: 'wildcard', part: 'clip' },
} satisfies NodeRule['reads'];

const CONDITIONED = { model: 'model', positive: 'positive', negative: 'negative' } as const;

/** With its model and conditioning plugged in. */
const DETAILS = {
  role: 'image',
  takes: { image: 'image', ...CONDITIONED, segs: 'control' },
  reads: { ...RUN, ...WILDCARD },
} satisfies NodeRule;
/** With a basic pipe. */
const DETAILS_PIPE = {
  role: 'image',
  takes: { image: 'image', segs: 'control' },
  uses: CONDITIONED,
} satisfies NodeRule;

/** A sampler as an object: the node that it is plugged into runs it. */
const PROVIDER = { role: 'value', reads: RUN } satisfies NodeRule;
const PIPE_PROVIDER = {
  ...PROVIDER,
  pipe: { from: ['basic_pipe'], slots: [null] },
  uses: CONDITIONED,
} satisfies NodeRule;
const UPSCALED = { upscale_model_opt: 'upscale' } as const;

/** Switches that grow by inputs, chosen by a number. The other outputs tell of the choice. */
const NUMBERED: NodeRule = {
  role: 'switch',
  switch: { by: 'select', prefix: 'input', slots: [0] },
  gives: [[], [], []],
};
const BRANCH: NodeRule = {
  role: 'switch',
  takes: { tt_value: 'same', ff_value: 'same' },
  switch: { by: 'cond', cases: { true: 'tt_value', false: 'ff_value' } },
};

/** The first ten of inputs that grow. */
function growing<P extends string>(prefix: P): Readonly<Record<string, 'same'>> {
  return Object.fromEntries(
    Array.from({ length: 10 }, (_, index) => [`${prefix}${index + 1}`, 'same' as const]),
  );
}

export default defineRules({
  pack: 'impact',
  source: 'https://github.com/ltdrdata/ComfyUI-Impact-Pack/tree/727295b52e5f7b5429e81ca2179172865aa83b99',
  nodes: {
    // Pipes.
    ToBasicPipe: { role: 'pipe', pipe: { from: [], slots: [''] } },
    FromBasicPipe: { role: 'pipe', pipe: { from: ['basic_pipe'], slots: BASIC } },
    FromBasicPipe_v2: { role: 'pipe', pipe: { from: ['basic_pipe'], slots: ['', ...BASIC] } },
    EditBasicPipe: { role: 'pipe', pipe: { from: ['basic_pipe'], slots: [''] } },
    AnyPipeToBasic: { role: 'pipe', pipe: { from: ['any_pipe'], slots: [''] } },
    ToDetailerPipe: { role: 'pipe', pipe: { from: [], slots: [''] } },
    ToDetailerPipeSDXL: { role: 'pipe', pipe: { from: [], slots: [''] } },
    FromDetailerPipe: { role: 'pipe', pipe: { from: ['detailer_pipe'], slots: DETAILER } },
    FromDetailerPipe_v2: { role: 'pipe', pipe: { from: ['detailer_pipe'], slots: ['', ...DETAILER] } },
    FromDetailerPipeSDXL: {
      role: 'pipe',
      pipe: { from: ['detailer_pipe'], slots: ['', ...DETAILER, ...REFINER] },
    },
    EditDetailerPipe: { role: 'pipe', pipe: { from: ['detailer_pipe'], slots: [''] } },
    EditDetailerPipeSDXL: { role: 'pipe', pipe: { from: ['detailer_pipe'], slots: [''] } },
    BasicPipeToDetailerPipe: { role: 'pipe', pipe: { from: ['basic_pipe'], slots: [''] } },
    BasicPipeToDetailerPipeSDXL: { role: 'pipe', pipe: { from: ['base_basic_pipe'], slots: [''] } },
    DetailerPipeToBasicPipe: { role: 'pipe', pipe: { from: ['detailer_pipe'], slots: ['', null] } },

    // Samplers.
    ImpactKSamplerBasicPipe: {
      role: 'sampler',
      pipe: { from: ['basic_pipe'], slots: ['', null, 'vae'] },
      takes: { latent_image: 'latent' },
      uses: CONDITIONED,
      puts: ['value', 'latent', 'vae'],
      reads: RUN,
    },
    ImpactKSamplerAdvancedBasicPipe: {
      role: 'sampler',
      pipe: { from: ['basic_pipe'], slots: ['', null, 'vae'] },
      takes: { latent_image: 'latent' },
      uses: CONDITIONED,
      puts: ['value', 'latent', 'vae'],
      reads: {
        ...SETTINGS,
        SEED: { input: 'noise_seed' },
        START_STEP: { input: 'start_at_step' },
        END_STEP: { input: 'end_at_step' },
      },
    },
    KSamplerProvider: PIPE_PROVIDER,
    TiledKSamplerProvider: PIPE_PROVIDER,
    TwoSamplersForMask: {
      role: 'latent',
      takes: { latent_image: 'latent', base_sampler: 'sampler', mask_sampler: 'sampler' },
    },
    KSamplerAdvancedProvider: {
      role: 'value',
      pipe: { from: ['basic_pipe'], slots: [null] },
      takes: { sampler_opt: 'sampler' },
      uses: CONDITIONED,
      reads: {
        CFG: { input: 'cfg', on: 'sampler' },
        SAMPLER_NAME: {
          input: 'sampler_name',
          on: 'sampler',
          if: { input: 'sampler_opt', linked: false },
        },
        SCHEDULER: { input: 'scheduler', on: 'sampler', if: { input: 'scheduler_func_opt', linked: false } },
      },
    },
    TwoAdvancedSamplersForMask: {
      role: 'sampler',
      takes: { samples: 'latent', base_sampler: 'sampler', mask_sampler: 'sampler' },
      puts: ['latent'],
      reads: { SEED: { input: 'seed' }, STEPS: { input: 'steps' }, DENOISE: { input: 'denoise' } },
    },
    RegionalSampler: {
      role: 'sampler',
      takes: { samples: 'latent', base_sampler: 'sampler', regional_prompts: 'sampler' },
      puts: ['latent'],
      reads: { SEED: { input: 'seed' }, STEPS: { input: 'steps' }, DENOISE: { input: 'denoise' } },
    },
    RegionalSamplerAdvanced: {
      role: 'sampler',
      takes: { latent_image: 'latent', base_sampler: 'sampler', regional_prompts: 'sampler' },
      puts: ['latent'],
      reads: {
        SEED: { input: 'noise_seed' },
        STEPS: { input: 'steps' },
        START_STEP: { input: 'start_at_step' },
        END_STEP: { input: 'end_at_step' },
      },
    },
    RegionalPrompt: { role: 'combiner', takes: { advanced_sampler: 'same' } },
    CombineRegionalPrompts: { role: 'combiner', takes: growing('regional_prompts') },
    ImpactSchedulerAdapter: {
      role: 'value',
      computes: [
        {
          op: 'pick',
          by: { input: 'extra_scheduler' },
          cases: { None: { input: 'scheduler' } },
          otherwise: { input: 'extra_scheduler' },
        },
      ],
    },
    GITSSchedulerFuncProvider: NOTHING,

    // Detailers. The other outputs are cut-outs of the picture.
    FaceDetailer: {
      ...DETAILS,
      takes: { image: 'image', ...CONDITIONED },
      pipe: { from: [], slots: [null, null, null, null, '', null] },
      puts: ['image', 'image', 'image', 'reference', 'value', 'reference'],
    },
    FaceDetailerPipe: {
      role: 'image',
      pipe: { from: ['detailer_pipe'], slots: [null, null, null, null, '', null] },
      takes: { image: 'image' },
      uses: { ...CONDITIONED, refiner_model: 'model' },
      only: { refiner_model: { input: 'refiner_ratio', not: 0 } },
      puts: ['image', 'image', 'image', 'reference', 'value', 'reference'],
      reads: { ...RUN, POSITIVE_PROMPT: { key: 'wildcard', normalise: 'without-lora-tags' } },
    },
    DetailerForEach: { ...DETAILS, puts: ['image'] },
    DetailerForEachDebug: { ...DETAILS, puts: ['image', 'image', 'image', 'image', 'reference'] },
    DetailerForEachPipe: {
      ...DETAILS_PIPE,
      pipe: { from: ['basic_pipe'], slots: [null, null, '', null] },
      puts: ['image', 'image', 'value', 'reference'],
      reads: { ...RUN, ...WILDCARD },
    },
    DetailerForEachDebugPipe: {
      ...DETAILS_PIPE,
      pipe: { from: ['basic_pipe'], slots: [null, null, '', null, null, null, null] },
      puts: ['image', 'image', 'value', 'image', 'image', 'image', 'reference'],
      reads: { ...RUN, ...WILDCARD },
    },
    DetailerForEachPipeForAnimateDiff: {
      ...DETAILS_PIPE,
      takes: { image_frames: 'image', segs: 'control' },
      pipe: { from: ['basic_pipe'], slots: [null, null, '', null] },
      puts: ['image', 'image', 'value', 'reference'],
      reads: RUN,
    },
    MaskDetailerPipe: {
      ...DETAILS_PIPE,
      takes: { image: 'image' },
      pipe: { from: ['basic_pipe'], slots: [null, null, null, '', null] },
      puts: ['image', 'image', 'image', 'value', 'value'],
      reads: RUN,
    },
    SEGSDetailer: {
      ...DETAILS_PIPE,
      pipe: { from: ['basic_pipe'], slots: [null, null] },
      puts: ['image', 'reference'],
      reads: RUN,
    },
    SEGSDetailerForAnimateDiff: {
      ...DETAILS_PIPE,
      takes: { image_frames: 'image', segs: 'control' },
      pipe: { from: ['basic_pipe'], slots: [null, null] },
      puts: ['image', 'reference'],
      reads: RUN,
    },
    SEGSPaste: { role: 'image', takes: { image: 'same', segs: 'same' } },
    SEGSPreview: SEGS,
    SEGSToImageList: SEGS,
    ImpactControlNetApplySEGS: {
      role: 'passthrough',
      takes: { segs: 'same', control_net: 'control', control_image: 'reference' },
      reads: { CONTROLNET_STRENGTH: { input: 'strength', on: 'control' } },
    },
    ImpactControlNetApplyAdvancedSEGS: {
      role: 'passthrough',
      takes: { segs: 'same', control_net: 'control', control_image: 'reference' },
      reads: { CONTROLNET_STRENGTH: { input: 'strength', on: 'control' } },
    },
    ImpactSEGSLabelFilter: SEGS,
    ImpactSEGSOrderedFilter: SEGS,
    ImpactSEGSRangeFilter: SEGS,
    ImpactSEGSLabelAssign: SEGS,
    ImpactSEGSPicker: SEGS,
    ImpactSEGSMerge: SEGS,
    ImpactSEGSConcat: { role: 'image', takes: growing('segs') },
    ImpactDilateMaskInSEGS: SEGS,
    ImpactGaussianBlurMaskInSEGS: SEGS,
    ImpactSegsAndMask: SEGS,
    ImpactSegsAndMaskForEach: SEGS,
    SetDefaultImageForSEGS: SEGS,
    RemoveImageFromSEGS: SEGS,

    // What finds the parts. The picture that is searched only says where.
    SAMLoader: NOTHING,
    CLIPSegDetectorProvider: NOTHING,
    ONNXDetectorProvider: NOTHING,
    BboxDetectorSEGS: NOTHING,
    SegmDetectorSEGS: NOTHING,
    ONNXDetectorSEGS: NOTHING,
    ImpactSimpleDetectorSEGS: NOTHING,
    ImpactSimpleDetectorSEGS_for_AD: NOTHING,
    ImpactSimpleDetectorSEGSPipe: NOTHING,
    BboxDetectorCombined_v2: NOTHING,
    SegmDetectorCombined_v2: NOTHING,
    SAMDetectorCombined: NOTHING,
    SAMDetectorSegmented: NOTHING,
    SegsToCombinedMask: NOTHING,
    MaskToSEGS: NOTHING,
    MaskToSEGS_for_AnimateDiff: NOTHING,
    MediaPipeFaceMeshToSEGS: NOTHING,
    EmptySegs: NOTHING,
    ToBinaryMask: NOTHING,
    BitwiseAndMask: NOTHING,
    SubtractMask: NOTHING,
    AddMask: NOTHING,
    ImpactDilateMask: NOTHING,
    ImpactGaussianBlurMask: NOTHING,
    ImpactFlattenMask: NOTHING,
    MasksToMaskList: NOTHING,
    MaskListToMaskBatch: NOTHING,

    // Hooks.
    DetailerHookCombine: NOTHING,
    NoiseInjectionDetailerHookProvider: NOTHING,
    DenoiseSchedulerDetailerHookProvider: NOTHING,
    VariationNoiseDetailerHookProvider: NOTHING,
    CoreMLDetailerHookProvider: NOTHING,
    PreviewDetailerHookProvider: NOTHING,
    SEGSOrderedFilterDetailerHookProvider: NOTHING,
    SEGSRangeFilterDetailerHookProvider: NOTHING,
    SEGSLabelFilterDetailerHookProvider: NOTHING,
    PixelKSampleHookCombine: NOTHING,
    DenoiseScheduleHookProvider: NOTHING,
    StepsScheduleHookProvider: NOTHING,
    CfgScheduleHookProvider: NOTHING,
    NoiseInjectionHookProvider: NOTHING,

    // Upscaling. An upscaler is followed as what makes the picture larger, and is a sampler itself.
    PixelKSampleUpscalerProvider: { ...PROVIDER, takes: { ...CONDITIONED, vae: 'vae', ...UPSCALED } },
    PixelKSampleUpscalerProviderPipe: {
      ...PIPE_PROVIDER,
      takes: UPSCALED,
      uses: { ...CONDITIONED, vae: 'vae' },
    },
    PixelTiledKSampleUpscalerProvider: { ...PROVIDER, takes: { ...CONDITIONED, vae: 'vae', ...UPSCALED } },
    PixelTiledKSampleUpscalerProviderPipe: {
      ...PIPE_PROVIDER,
      takes: UPSCALED,
      uses: { ...CONDITIONED, vae: 'vae' },
    },
    TwoSamplersForMaskUpscalerProvider: {
      role: 'value',
      takes: {
        base_sampler: 'sampler',
        mask_sampler: 'sampler',
        full_sampler_opt: 'sampler',
        vae: 'vae',
        ...UPSCALED,
      },
    },
    TwoSamplersForMaskUpscalerProviderPipe: {
      role: 'value',
      pipe: { from: ['basic_pipe'], slots: [null] },
      takes: { base_sampler: 'sampler', mask_sampler: 'sampler', full_sampler_opt: 'sampler', ...UPSCALED },
      uses: { vae: 'vae' },
    },
    IterativeLatentUpscale: {
      role: 'latent',
      takes: { samples: 'same', upscaler: 'upscale' },
      gives: [['samples', 'upscaler'], ['upscaler']],
      reads: { SCALE_BY: { input: 'upscale_factor', on: PICTURE } },
    },
    IterativeImageUpscale: {
      role: 'image',
      takes: { pixels: 'same', upscaler: 'upscale', vae: 'vae' },
      reads: { SCALE_BY: { input: 'upscale_factor', on: PICTURE } },
    },
    LatentPixelScale: {
      role: 'latent',
      takes: { samples: 'latent', ...UPSCALED },
      reads: { SCALE_BY: { input: 'scale_factor', on: PICTURE } },
    },
    SEGSUpscaler: {
      role: 'image',
      takes: { image: 'image', ...CONDITIONED, segs: 'control', ...UPSCALED },
      puts: ['image'],
      reads: { ...RUN, SCALE_BY: { input: 'rescale_factor', on: PICTURE } },
    },
    SEGSUpscalerPipe: {
      role: 'image',
      pipe: { from: ['basic_pipe'], slots: [null] },
      takes: { image: 'image', segs: 'control', ...UPSCALED },
      uses: CONDITIONED,
      puts: ['image'],
      reads: { ...RUN, SCALE_BY: { input: 'rescale_factor', on: PICTURE } },
    },

    // Wildcards. The populated text is what was encoded; what it still draws from is known once it has run.
    ImpactWildcardProcessor: {
      role: 'string',
      takes: { populated_text: 'same' },
      gives: [['populated_text']],
    },
    ImpactWildcardEncode: {
      role: 'encoder',
      takes: { model: 'model', clip: 'clip', populated_text: 'same' },
      gives: [['model'], ['clip'], ['clip'], ['populated_text']],
      reads: {
        POSITIVE_PROMPT: { input: 'populated_text', on: 'positive', normalise: 'without-lora-tags' },
        NEGATIVE_PROMPT: { input: 'populated_text', on: 'negative', normalise: 'without-lora-tags' },
        LORA_MODEL_NAME: {
          tags: 'populated_text',
          part: 'name',
          on: ['model', 'clip', 'positive', 'negative'],
        },
        LORA_STRENGTH_MODEL: { tags: 'populated_text', part: 'model', on: 'model' },
        LORA_STRENGTH_CLIP: {
          tags: 'populated_text',
          part: 'clip',
          on: ['clip', 'positive', 'negative'],
        },
      },
    },
    ImpactCombineConditionings: {
      role: 'combiner',
      takes: growing('conditioning'),
      joins: ' AND ',
    },
    ImpactConcatConditionings: {
      role: 'combiner',
      takes: growing('conditioning'),
      joins: ' BREAK ',
    },
    ImpactNegativeConditioningPlaceholder: NOTHING,

    // Switches and logic.
    ImpactSwitch: NUMBERED,
    LatentSwitch: NUMBERED,
    SEGSSwitch: NUMBERED,
    ImageMaskSwitch: {
      role: 'switch',
      takes: { images1: 'same', images2_opt: 'same', images3_opt: 'same', images4_opt: 'same' },
      switch: {
        by: 'select',
        cases: { 1: 'images1', 2: 'images2_opt', 3: 'images3_opt', 4: 'images4_opt' },
        slots: [0],
      },
      gives: [[], []],
    },
    ImpactInversedSwitch: { role: 'passthrough', takes: { input: 'same' } },
    ImpactConditionalBranch: BRANCH,
    ImpactConditionalBranchSelMode: BRANCH,
    ImpactIfNone: { role: 'passthrough', takes: { signal: 'same' }, gives: [['signal'], []] },
    ImpactCompare: NOTHING,
    ImpactNeg: {
      role: 'value',
      computes: [
        { op: 'pick', by: { input: 'value' }, cases: { true: { value: false }, false: { value: true } } },
      ],
    },
    ImpactLogicalOperators: {
      role: 'value',
      computes: [
        {
          op: 'pick',
          by: { input: 'operator' },
          cases: {
            and: {
              op: 'pick',
              by: { input: 'bool_a' },
              cases: { true: { input: 'bool_b' }, false: { value: false } },
            },
            or: {
              op: 'pick',
              by: { input: 'bool_a' },
              cases: { true: { value: true }, false: { input: 'bool_b' } },
            },
            xor: {
              op: 'compare',
              a: {
                op: 'pick',
                by: { input: 'bool_a' },
                cases: { true: { value: 'false' }, false: { value: 'true' } },
              },
              b: { op: 'cast', of: { input: 'bool_b' }, to: 'string' },
              mode: { value: 'Equal' },
            },
          },
        },
      ],
    },
    ImpactIsNotEmptySEGS: NOTHING,

    // Values.
    ImpactInt: VALUE,
    ImpactFloat: VALUE,
    ImpactBoolean: VALUE,
    ImpactValueReceiver: VALUE,
    ImpactValueSender: { role: 'value', takes: { signal_opt: 'same' }, gives: [['signal_opt']] },
    ImpactConvertDataType: {
      role: 'value',
      computes: [{ op: 'cast', of: { input: 'value' }, to: 'string' }],
    },
    ImpactMinMax: NOTHING,
    ImpactImageInfo: { role: 'value', gives: [[], [], [], []] },
    ImpactLatentInfo: { role: 'value', gives: [[], [], [], []] },
    ImpactStringSelector: { role: 'string' },
    StringListToString: { role: 'string' },
    WildcardPromptFromString: { role: 'string', gives: [[], []] },

    // What only hands on.
    PreviewBridge: { role: 'image', takes: { images: 'same' }, gives: [['images'], []] },
    PreviewBridgeLatent: { role: 'latent', takes: { latent: 'same' }, gives: [['latent'], []] },
    ImageReceiver: {
      role: 'source',
      gives: [[], []],
      reads: { SOURCE_IMAGE: { input: 'image', on: PICTURE, slot: 0 } },
    },
    ImageSender: { role: 'preview', takes: { images: 'image' } },
    LatentReceiver: { role: 'latent' },
    LatentSender: { role: 'preview', takes: { samples: 'latent' } },
    RemoveNoiseMask: LATENT,
    ReencodeLatent: LATENT,
    ReencodeLatentPipe: LATENT,
    ImageListToImageBatch: { role: 'image', takes: { images: 'same' } },
    ImpactImageBatchToImageList: IMAGE,
    ImpactMakeImageList: { role: 'image', takes: growing('image') },
    ImpactMakeImageBatch: { role: 'image', takes: growing('image') },
    ImpactControlBridge: VALUE,
    ImpactExecutionOrderController: {
      role: 'passthrough',
      takes: { signal: 'same', value: 'same' },
      gives: [['signal'], ['value']],
    },
    ImpactSleep: SIGNAL,
    ImpactQueueTrigger: SIGNAL,
    ImpactQueueTriggerCountdown: SIGNAL,
    ImpactSetWidgetValue: SIGNAL,
    ImpactNodeSetMuteState: SIGNAL,
  },
});
