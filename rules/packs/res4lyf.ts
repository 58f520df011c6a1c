import { defineRules, type NodeRule, type Stream } from '../define.ts';

/**
 * RES4LYF. A sampler runs `steps_to_run` of its steps, all for -1; a chain sampler goes on where the latent it is
 * given stopped, which only the run knows: its steps are not counted. What a chain sampler is not given (model,
 * prompts) comes with the latent, so that those of the sampler before it stand for the picture.
 *
 * What the words can't say, and is left out: a guider that comes in by the options and overrides model, prompts and
 * CFG (SharkOptions_GuiderInput), sigmas whose number changes by their values, and masks. Texts that are shuffled or
 * cut to tokens are known to the run alone.
 */

const PICTURE: readonly Stream[] = ['latent', 'image'];

const SIZE_BATCH = {
  IMAGE_WIDTH: { input: 'width', on: PICTURE },
  IMAGE_HEIGHT: { input: 'height', on: PICTURE },
  BATCH_SIZE: { input: 'batch_size', on: PICTURE },
} satisfies NodeRule['reads'];

/** Options come by one input or by a growing group; the step that a run starts at is among them. */
const OPTIONS = {
  options: 'sigmas',
  'options 2': 'sigmas',
  'options 3': 'sigmas',
  'options_group.options0': 'sigmas',
  'options_group.options1': 'sigmas',
  'options_group.options2': 'sigmas',
  'options_group.options3': 'sigmas',
  'options_group.options4': 'sigmas',
} as const;

/** A seed of -1 is drawn by the run. */
const drawn = (input: string) => ({ input, if: { input, not: -1 } }) as const;
/** Sigmas that come in replace the schedule that is set here. */
const OWN_SIGMAS = { input: 'sigmas', linked: false } as const;
const SCHEDULE = {
  STEPS: { input: 'steps', if: OWN_SIGMAS },
  SCHEDULER: { input: 'scheduler', if: OWN_SIGMAS },
  CFG: { input: 'cfg' },
  DENOISE: { input: 'denoise' },
} satisfies NodeRule['reads'];
const STEPS_TO_RUN = {
  START_STEP: { value: 0 },
  END_STEP: { input: 'steps_to_run' },
} satisfies NodeRule['reads'];

const CONDITIONED = { model: 'model', positive: 'positive', negative: 'negative' } as const;

const MODEL_PATCH: NodeRule = { role: 'patch', takes: { model: 'same' } };
const CONDITIONING: NodeRule = { role: 'passthrough', takes: { conditioning: 'same' } };
const SIGMAS: NodeRule = { role: 'passthrough', takes: { sigmas: 'same' } };
const UNRESOLVED_TEXT: NodeRule = { role: 'string' };
const OPTION: NodeRule = { role: 'value', takes: { options: 'same' } };
const LATENT: NodeRule = { role: 'latent', takes: { latent: 'same' } };

/** Conditioning for parts of the picture. */
const regions = (...inputs: readonly string[]): NodeRule => ({
  role: 'combiner',
  takes: Object.fromEntries(inputs.map((input) => [input, 'same' as const])),
});
/** Latents that guide a sampler, in a chain of guides. */
const guides = (...latents: readonly string[]): NodeRule => ({
  role: 'passthrough',
  takes: { ...Object.fromEntries(latents.map((input) => [input, 'reference' as const])), guides: 'same' },
});
/** A sampler object. */
const samplerObject = (input: string, seed: string): NodeRule => ({
  role: 'value',
  takes: { guides: 'reference' },
  reads: {
    SAMPLER_NAME: { input, on: 'sampler' },
    SEED: { input: seed, on: 'sampler', if: { input: seed, not: -1 } },
  },
});

/** What a loader does not load is said by a choice that begins with a point. */
const CLIP_NAMES = {
  prefix: 'clip_name',
  on: 'clip',
  if: { prefix: 'clip_name', not: ['.none', '.use_ckpt_clip'] },
} as const;
const LOADER = {
  MODEL_NAME: { input: 'model_name', on: 'model' },
  WEIGHT_DTYPE: { input: 'weight_dtype', on: 'model' },
  CLIP_MODEL_NAME: CLIP_NAMES,
  VAE_NAME: {
    input: 'vae_name',
    on: 'vae',
    if: { input: 'vae_name', not: ['.none', '.use_ckpt_vae'] },
  },
} satisfies NodeRule['reads'];

export default defineRules({
  pack: 'res4lyf',
  source: 'https://github.com/ClownsharkBatwing/RES4LYF/tree/022c873c6d198c67b3312a1804336533a050df18',
  nodes: {
    // Samplers.
    ClownsharKSampler_Beta: {
      role: 'sampler',
      takes: {
        ...CONDITIONED,
        latent_image: 'latent',
        sigmas: 'sigmas',
        guides: 'reference',
        ...OPTIONS,
      },
      puts: ['latent', 'latent', 'sigmas'],
      reads: {
        ...SCHEDULE,
        ...STEPS_TO_RUN,
        SEED: drawn('seed'),
        SAMPLER_NAME: { input: 'sampler_name' },
      },
    },
    ClownsharkChainsampler_Beta: {
      role: 'sampler',
      takes: {
        ...CONDITIONED,
        latent_image: 'latent',
        sigmas: 'sigmas',
        guides: 'reference',
        ...OPTIONS,
      },
      puts: ['latent', 'latent', 'sigmas'],
      reads: { CFG: { input: 'cfg' }, SAMPLER_NAME: { input: 'sampler_name' } },
    },
    SharkSampler_Beta: {
      role: 'sampler',
      takes: {
        ...CONDITIONED,
        sampler: 'sampler',
        latent_image: 'latent',
        sigmas: 'sigmas',
        ...OPTIONS,
      },
      puts: ['latent', 'latent', 'sigmas'],
      reads: { ...SCHEDULE, ...STEPS_TO_RUN, SEED: drawn('seed') },
    },
    SharkChainsampler_Beta: {
      role: 'sampler',
      takes: {
        ...CONDITIONED,
        sampler: 'sampler',
        latent_image: 'latent',
        sigmas: 'sigmas',
        ...OPTIONS,
      },
      puts: ['latent', 'latent', 'sigmas'],
      reads: { CFG: { input: 'cfg' } },
    },
    BongSampler: {
      role: 'sampler',
      takes: { ...CONDITIONED, latent_image: 'latent' },
      puts: ['latent'],
      reads: {
        SEED: drawn('seed'),
        STEPS: { input: 'steps' },
        CFG: { input: 'cfg' },
        SAMPLER_NAME: { input: 'sampler_name' },
        SCHEDULER: { input: 'scheduler' },
        DENOISE: { input: 'denoise' },
      },
    },
    ClownsharKSampler: {
      role: 'sampler',
      takes: {
        ...CONDITIONED,
        latent_image: 'latent',
        sigmas: 'sigmas',
        guides: 'reference',
        options: 'sigmas',
      },
      puts: ['latent', 'latent', 'latent'],
      reads: { ...SCHEDULE, SEED: drawn('noise_seed'), SAMPLER_NAME: { input: 'sampler_name' } },
    },
    Legacy_ClownsharKSampler: {
      role: 'sampler',
      takes: {
        ...CONDITIONED,
        latent_image: 'latent',
        sigmas: 'sigmas',
        guides: 'reference',
        options: 'sigmas',
      },
      puts: ['latent', 'latent'],
      reads: { ...SCHEDULE, SEED: drawn('noise_seed'), SAMPLER_NAME: { input: 'sampler_name' } },
    },
    Legacy_SharkSampler: {
      role: 'sampler',
      takes: {
        ...CONDITIONED,
        sampler: 'sampler',
        latent_image: 'latent',
        sigmas: 'sigmas',
        latent_noise: 'reference',
        latent_noise_match: 'reference',
      },
      puts: ['latent', 'latent', 'latent', 'latent'],
      reads: { ...SCHEDULE, SEED: drawn('noise_seed') },
    },
    UltraSharkSampler: {
      role: 'sampler',
      takes: {
        ...CONDITIONED,
        sampler: 'sampler',
        sigmas: 'sigmas',
        latent_image: 'latent',
        guide: 'reference',
      },
      puts: ['latent', 'latent', 'latent'],
      reads: { SEED: { input: 'noise_seed' }, CFG: { input: 'cfg' } },
    },
    'UltraSharkSampler Tiled': {
      role: 'sampler',
      takes: {
        ...CONDITIONED,
        sampler: 'sampler',
        sigmas: 'sigmas',
        latent_image: 'latent',
        latent_noise: 'reference',
        guide: 'reference',
        image_cv: 'reference',
      },
      puts: ['latent'],
      reads: { SEED: { input: 'noise_seed' }, CFG: { input: 'cfg' } },
    },

    // Sampler objects.
    ClownSampler_Beta: samplerObject('sampler_name', 'seed'),
    ClownSamplerAdvanced_Beta: samplerObject('sampler_name', 'noise_seed_sde'),
    ClownSampler: samplerObject('sampler_name', 'noise_seed_sde'),
    ClownSamplerAdvanced: samplerObject('sampler_name', 'noise_seed_sde'),
    Legacy_ClownSampler: {
      role: 'value',
      reads: { SAMPLER_NAME: { input: 'rk_type', on: 'sampler' } },
    },
    ClownSamplerSelector_Beta: {
      role: 'value',
      takes: { sampler_name: 'value' },
      gives: [['sampler_name']],
    },

    // Options. Only the start changes what is told of a sampler.
    SharkOptions_StartStep_Beta: {
      role: 'value',
      takes: { options: 'same' },
      reads: {
        START_STEP: {
          input: 'start_at_step',
          on: 'sigmas',
          if: { input: 'start_at_step', not: -1 },
        },
      },
    },
    ClownOptions_Combine: {
      role: 'value',
      takes: {
        'options_group.options0': 'same',
        'options_group.options1': 'same',
        'options_group.options2': 'same',
        'options_group.options3': 'same',
        'options_group.options4': 'same',
      },
    },
    SharkOptions_Beta: OPTION,
    SharkOptions_GuideCond_Beta: OPTION,
    SharkOptions_UltraCascade_Latent_Beta: OPTION,
    ClownOptions_SDE_Beta: OPTION,
    ClownOptions_SDE_Mask_Beta: OPTION,
    ClownOptions_StepSize_Beta: OPTION,
    ClownOptions_DetailBoost_Beta: OPTION,
    ClownOptions_SigmaScaling_Beta: OPTION,
    ClownOptions_LatentNormalize: OPTION,
    ClownOptions_Momentum_Beta: OPTION,
    ClownOptions_ImplicitSteps_Beta: OPTION,
    ClownOptions_Cycles_Beta: OPTION,
    ClownOptions_Tile_Beta: OPTION,
    ClownOptions_Tile_Advanced_Beta: OPTION,
    ClownOptions_ExtraOptions_Beta: OPTION,
    ClownOptions_Automation_Beta: OPTION,
    ClownOptions_SwapSampler_Beta: OPTION,
    ClownOptions_Frameweights: OPTION,
    ClownOptions_FlowGuide: OPTION,

    // Guides.
    ClownGuide_Beta: guides('guide'),
    ClownGuide_Mean_Beta: guides('guide'),
    ClownGuide_Style_Beta: guides('guide'),
    ClownGuide_AdaIN_MMDiT_Beta: guides('guide'),
    ClownGuide_AttnInj_MMDiT_Beta: guides('guide'),
    ClownGuide_StyleNorm_Advanced_HiDream: guides('guide'),
    ClownGuide_FrequencySeparation: guides(),
    ClownGuide_Style_EdgeWidth: guides(),
    ClownGuide_Style_TileSize: guides(),
    ClownGuide_SelfRefine: guides(),
    ClownGuides_Beta: guides('guide_masked', 'guide_unmasked'),
    ClownGuidesAB_Beta: guides('guide_A', 'guide_B'),
    ClownGuides_Sync: guides('guide_masked', 'guide_unmasked'),
    ClownGuides_Sync_Advanced: guides('guide_masked', 'guide_unmasked'),
    ClownStyle_MMDiT: guides('guide'),
    ClownStyle_UNet: guides('guide'),
    ClownStyle_Boost: guides(),

    // Conditioning.
    CLIPTextEncodeFluxUnguided: {
      role: 'encoder',
      takes: { clip: 'clip' },
      gives: [['clip'], [], []],
      reads: {
        POSITIVE_PROMPT: { inputs: ['t5xxl', 'clip_l'], on: 'positive' },
        NEGATIVE_PROMPT: { inputs: ['t5xxl', 'clip_l'], on: 'negative' },
        T5_PROMPT: { input: 't5xxl', on: 'positive' },
        CLIP_PROMPT: { input: 'clip_l', on: 'positive' },
      },
    },
    ConditioningMultiply: CONDITIONING,
    ConditioningTruncate: CONDITIONING,
    'ConditioningDownsample (T5)': CONDITIONING,
    StableCascade_StageB_Conditioning64: {
      role: 'passthrough',
      takes: { conditioning: 'same', stage_c: 'reference' },
    },
    StyleModelApplyStyle: {
      role: 'passthrough',
      takes: { conditioning: 'same', style_model: 'reference', clip_vision_output: 'reference' },
    },
    // The text is taken out of it.
    ConditioningZeroAndTruncate: { role: 'passthrough', takes: {}, gives: [[]] },
    'Conditioning Recast FP64': {
      role: 'passthrough',
      takes: { cond_0: 'same', cond_1: 'same' },
      gives: [['cond_0'], ['cond_1']],
    },
    ConditioningAdd: regions('conditioning_1', 'conditioning_2'),
    ConditioningOrthoCollin: regions('conditioning_0', 'conditioning_1'),
    ConditioningAverageScheduler: regions('conditioning_0', 'conditioning_1'),
    ConditioningBatch4: regions('conditioning_0', 'conditioning_1', 'conditioning_2', 'conditioning_3'),
    ConditioningBatch8: regions(
      'conditioning_0',
      'conditioning_1',
      'conditioning_2',
      'conditioning_3',
      'conditioning_4',
      'conditioning_5',
      'conditioning_6',
      'conditioning_7',
    ),
    ClownRegionalConditioning: regions('cond_regions', 'conditioning'),
    ClownRegionalConditionings: regions('cond_regions'),
    ClownRegionalConditioning2: regions('conditioning_masked', 'conditioning_unmasked'),
    ClownRegionalConditioning3: regions('conditioning_A', 'conditioning_B', 'conditioning_unmasked'),
    ClownRegionalConditioning_AB: regions('conditioning_A', 'conditioning_B'),
    ClownRegionalConditioning_ABC: regions('conditioning_A', 'conditioning_B', 'conditioning_C'),

    // Loaders and model patches.
    FluxLoader: {
      role: 'loader',
      gives: [[], [], [], [], []],
      reads: {
        ...LOADER,
        CLIP_VISION_NAME: {
          input: 'clip_vision_name',
          slot: 3,
          if: { input: 'clip_vision_name', not: '.none' },
        },
        STYLE_MODEL_NAME: {
          input: 'style_model_name',
          slot: 4,
          if: { input: 'style_model_name', not: '.none' },
        },
      },
    },
    SD35Loader: { role: 'loader', gives: [[], [], []], reads: LOADER },
    ClownModelLoader: { role: 'loader', gives: [[], [], []], reads: LOADER },
    ModelSamplingAdvanced: {
      role: 'patch',
      takes: { model: 'same' },
      reads: { SHIFT: { input: 'shift', on: 'model' } },
    },
    ModelTimestepPatcher: {
      role: 'patch',
      takes: { model: 'same' },
      reads: { SHIFT: { input: 'shift', on: 'model' } },
    },
    ModelSamplingAdvancedResolution: {
      role: 'patch',
      takes: { model: 'same' },
      reads: {
        MAX_SHIFT: { input: 'max_shift', on: 'model' },
        BASE_SHIFT: { input: 'base_shift', on: 'model' },
      },
    },
    FluxGuidanceDisable: MODEL_PATCH,
    FluxOrthoCFGPatcher: MODEL_PATCH,
    LayerPatcher: MODEL_PATCH,
    ReFluxPatcher: MODEL_PATCH,
    ReFluxPatcherAdvanced: MODEL_PATCH,
    ReChromaPatcher: MODEL_PATCH,
    ReChromaPatcherAdvanced: MODEL_PATCH,
    ReHiDreamPatcher: MODEL_PATCH,
    ReHiDreamPatcherAdvanced: MODEL_PATCH,
    ReSD35Patcher: MODEL_PATCH,
    ReSD35PatcherAdvanced: MODEL_PATCH,
    ReAuraPatcher: MODEL_PATCH,
    ReAuraPatcherAdvanced: MODEL_PATCH,
    ReWanPatcher: MODEL_PATCH,
    ReWanPatcherAdvanced: MODEL_PATCH,
    ReLTXVPatcher: MODEL_PATCH,
    ReLTXVPatcherAdvanced: MODEL_PATCH,
    ReSDPatcher: MODEL_PATCH,
    ReReduxPatcher: { role: 'patch', takes: { style_model: 'same' } },
    TorchCompileModels: MODEL_PATCH,
    TorchCompileModelFluxAdv: MODEL_PATCH,
    TorchCompileModelAura: MODEL_PATCH,
    TorchCompileModelSD35: MODEL_PATCH,
    ClownpileModelWanVideo: MODEL_PATCH,

    // Sigmas. These keep their number.
    'Sigmas Recast': SIGMAS,
    'Sigmas SetFloor': SIGMAS,
    'Sigmas Mult': SIGMAS,
    'Sigmas Modulus': SIGMAS,
    'Sigmas Quotient': SIGMAS,
    'Sigmas Add': SIGMAS,
    'Sigmas Power': SIGMAS,
    'Sigmas Abs': SIGMAS,
    'Sigmas Rescale': SIGMAS,
    'Sigmas From Text': {
      role: 'scheduler',
      reads: { STEPS: { input: 'text', on: 'sigmas', normalise: 'sigma-count' } },
    },
    'Sigmas Start': {
      role: 'passthrough',
      takes: { sigmas: 'same' },
      reads: { START_STEP: { input: 'sigmas_until', on: 'sigmas' } },
    },
    'Constant Scheduler': {
      role: 'scheduler',
      reads: { SCHEDULER: { value: 'constant', on: 'sigmas' }, STEPS: { input: 'steps', on: 'sigmas' } },
    },
    'Linear Quadratic Advanced': {
      role: 'scheduler',
      reads: {
        SCHEDULER: { value: 'linear_quadratic', on: 'sigmas' },
        STEPS: { input: 'steps', on: 'sigmas' },
        DENOISE: { input: 'denoise', on: 'sigmas' },
      },
    },

    // Text and numbers.
    TextBox1: { role: 'string', takes: { text1: 'value' }, gives: [['text1']] },
    TextBox2: {
      role: 'string',
      takes: { text1: 'value', text2: 'value' },
      gives: [['text1'], ['text2']],
    },
    TextBox3: {
      role: 'string',
      takes: { text1: 'value', text2: 'value', text3: 'value' },
      gives: [['text1'], ['text2'], ['text3']],
    },
    TextConcatenate: {
      role: 'string',
      computes: [
        {
          op: 'join',
          parts: [
            { input: 'text_1', default: '' },
            { input: 'text_2', default: '' },
          ],
          separator: { input: 'separator', default: '' },
        },
      ],
    },
    TextBoxConcatenate: {
      role: 'string',
      computes: [
        {
          op: 'pick',
          by: { input: 'mode', default: 'append_external_input' },
          cases: {
            append_external_input: {
              op: 'join',
              parts: [{ input: 'text' }, { input: 'text_external', default: '' }],
              separator: { input: 'separator', default: '' },
            },
            prepend_external_input: {
              op: 'join',
              parts: [{ input: 'text_external', default: '' }, { input: 'text' }],
              separator: { input: 'separator', default: '' },
            },
          },
        },
      ],
    },
    TextLoadFile: UNRESOLVED_TEXT,
    TextShuffle: UNRESOLVED_TEXT,
    TextShuffleAndTruncate: UNRESOLVED_TEXT,
    TextTruncateTokens: UNRESOLVED_TEXT,
    SeedGenerator: { role: 'value', takes: { seed: 'value' }, gives: [['seed'], []] },
    SetImageSize: {
      role: 'value',
      takes: { width: 'value', height: 'value' },
      gives: [['width'], ['height']],
    },
    SetImageSizeWithScale: {
      role: 'value',
      takes: { width: 'value', height: 'value' },
      gives: [['width'], ['height'], [], []],
    },

    // Noise, latents, pictures.
    AdvancedNoise: { role: 'value', reads: { SEED: { input: 'noise_seed', on: 'noise' } } },
    EmptyLatentImage64: { role: 'latent', reads: SIZE_BATCH },
    LatentNoised: { role: 'latent', takes: { latent_image: 'same', latent_noise: 'reference' } },
    'Latent Clear State Info': LATENT,
    'Latent Replace State Info': LATENT,
    'Latent Transfer State Info': {
      role: 'latent',
      takes: { latent_to: 'same', latent_from: 'reference' },
    },
    'Latent TrimVideo State Info': { role: 'latent', takes: { samples: 'same' } },
    'Latent Upscale State Info': {
      role: 'latent',
      takes: { samples: 'same' },
      reads: { SCALE_BY: { input: 'scale_by', on: PICTURE } },
    },
    LatentUpscaleWithVAE: {
      role: 'latent',
      takes: { latent: 'same' },
      reads: {
        IMAGE_WIDTH: { input: 'width', on: PICTURE },
        IMAGE_HEIGHT: { input: 'height', on: PICTURE },
      },
    },
    VAEStyleTransferLatent: { role: 'latent', takes: { latent: 'same', style_ref: 'reference' } },
    // Two pictures, each by its own slot; slot 3 is an empty latent of the same size.
    VAEEncodeAdvanced: {
      role: 'latent',
      takes: { image_1: 'image', image_2: 'image' },
      gives: [['image_1'], ['image_2'], [], [], [], []],
      reads: {
        IMAGE_WIDTH: { input: 'width', on: PICTURE, if: { input: 'resize_to_input', is: 'false' } },
        IMAGE_HEIGHT: { input: 'height', on: PICTURE, if: { input: 'resize_to_input', is: 'false' } },
      },
      resizes: true,
    },
    PrepForUnsampling: {
      role: 'latent',
      takes: { image_1: 'image', image_2: 'image' },
      gives: [['image_1'], ['image_2'], [], [], [], []],
      reads: {
        IMAGE_WIDTH: { input: 'width', on: PICTURE, if: { input: 'resize_to_input', is: 'false' } },
        IMAGE_HEIGHT: { input: 'height', on: PICTURE, if: { input: 'resize_to_input', is: 'false' } },
      },
      resizes: true,
    },
    SigmasPreview: { role: 'preview' },
    SigmasSchedulePreview: { role: 'preview' },
  },
});
