import { defineRules, type NodeRule, type Stream } from '../define.ts';

/**
 * The Inspire Pack: samplers with noise of their own, wildcards, regions, lists and shared loaders.
 *
 * GlobalSeed and GlobalSampler change the other nodes' inputs before the prompt is queued: what a prompt says is what
 * they made of it.
 *
 * What the words can't say, and is left out: the seeds of a SeedExplorer, which come as a text; a text in a
 * RegionalPrompt node, which stands instead of its pipe's conditioning.
 */

const PICTURE: readonly Stream[] = ['latent', 'image'];
const LOADED: readonly Stream[] = ['model', 'clip'];

const NOTHING: NodeRule = { role: 'value', gives: [[]] };
const DATA: NodeRule = { role: 'passthrough', takes: { data: 'same' } };
const CONDITIONING: NodeRule = { role: 'passthrough', takes: { conditioning: 'same' } };

/** A function for the schedule counts instead of the scheduler that is chosen; it has no name. */
const SCHEDULER = {
  SCHEDULER: { input: 'scheduler', if: { input: 'scheduler_func_opt', linked: false } },
} satisfies NodeRule['reads'];
const SETTINGS = {
  ...SCHEDULER,
  STEPS: { input: 'steps' },
  CFG: { input: 'cfg' },
  SAMPLER_NAME: { input: 'sampler_name' },
} satisfies NodeRule['reads'];
const RUN = {
  ...SETTINGS,
  SEED: { input: 'seed' },
  DENOISE: { input: 'denoise' },
} satisfies NodeRule['reads'];
/** Noise that is plugged in was made from other seeds. */
const RANGE = {
  ...SETTINGS,
  SEED: { input: 'noise_seed', if: { input: 'noise_opt', linked: false } },
  START_STEP: { input: 'start_at_step' },
  END_STEP: { input: 'end_at_step' },
} satisfies NodeRule['reads'];

const CONDITIONED = { model: 'model', positive: 'positive', negative: 'negative' } as const;
const SAMPLER = {
  role: 'sampler',
  takes: { ...CONDITIONED, latent_image: 'latent' },
  puts: ['latent'],
} satisfies NodeRule;
const PROGRESS = { ...SAMPLER, puts: ['latent', 'latent'] } satisfies NodeRule;
const PIPE_SAMPLER = {
  role: 'sampler',
  pipe: { from: ['basic_pipe'], slots: [null, 'vae'] },
  takes: { latent_image: 'latent' },
  uses: CONDITIONED,
  puts: ['latent', 'vae'],
} satisfies NodeRule;

const REGION: NodeRule = {
  role: 'combiner',
  pipe: { from: ['basic_pipe'], slots: [null, null] },
  uses: CONDITIONED,
  only: { positive: { input: 'wildcard_prompt', is: '' } },
  reads: {
    CFG: { input: 'cfg', on: 'sampler' },
    SAMPLER_NAME: { input: 'sampler_name', on: 'sampler' },
    SCHEDULER: {
      input: 'scheduler',
      on: 'sampler',
      if: { input: 'scheduler_func_opt', linked: false },
    },
  },
};
const REGION_ENCODER: NodeRule = {
  role: 'encoder',
  takes: { clip: 'clip' },
  reads: {
    POSITIVE_PROMPT: { input: 'prompt', on: 'positive' },
    NEGATIVE_PROMPT: { input: 'prompt', on: 'negative' },
  },
};

const IPADAPTER = ['ipadapter', 'model', 'clip_vision', 'insightface'];
const GUIDER = {
  role: 'guider',
  gives: [['model', 'positive', 'negative'], ['sigmas']],
  takes: { ...CONDITIONED, sigmas: 'same' },
  reads: { CFG: { input: 'from_cfg', on: 'guider' } },
} satisfies NodeRule;

export default defineRules({
  pack: 'inspire',
  source: 'https://github.com/ltdrdata/ComfyUI-Inspire-Pack/tree/1aef2c57e35078b6017697df9cf30ad595d93826',
  nodes: {
    // Samplers.
    'KSampler //Inspire': { ...SAMPLER, reads: RUN },
    'KSamplerAdvanced //Inspire': { ...SAMPLER, reads: RANGE },
    'KSamplerPipe //Inspire': { ...PIPE_SAMPLER, reads: RUN },
    'KSamplerAdvancedPipe //Inspire': { ...PIPE_SAMPLER, reads: RANGE },
    'KSamplerProgress //Inspire': { ...PROGRESS, reads: RUN },
    'KSamplerAdvancedProgress //Inspire': { ...PROGRESS, reads: RANGE },
    'RandomNoise //Inspire': { role: 'value', reads: { SEED: { input: 'noise_seed', on: 'noise' } } },
    'SeedExplorer //Inspire': NOTHING,
    'CompositeNoise //Inspire': NOTHING,
    'RegionalSeedExplorerMask //Inspire': NOTHING,
    'RegionalSeedExplorerColorMask //Inspire': { role: 'value', gives: [[], []] },
    'ScheduledCFGGuider //Inspire': GUIDER,
    'ScheduledPerpNegCFGGuider //Inspire': GUIDER,

    // Loaders.
    'CheckpointLoaderSimpleShared //Inspire': {
      role: 'loader',
      gives: [[], [], [], []],
      reads: { MODEL_NAME: { input: 'ckpt_name', on: 'model' } },
    },
    'LoadDiffusionModelShared //Inspire': {
      role: 'loader',
      gives: [[], []],
      reads: {
        MODEL_NAME: { input: 'model_name', on: 'model' },
        WEIGHT_DTYPE: { input: 'weight_dtype', on: 'model' },
      },
    },
    'LoadTextEncoderShared //Inspire': {
      role: 'loader',
      gives: [[], []],
      reads: {
        CLIP_MODEL_NAME: { inputs: ['model_name1', 'model_name2', 'model_name3'], on: 'clip' },
      },
    },
    'StableCascade_CheckpointLoader //Inspire': {
      role: 'loader',
      gives: [[], [], [], [], [], [], [], []],
      reads: {
        MODEL_NAME: [
          { input: 'stage_b', on: 'model', slot: 0 },
          { input: 'stage_c', on: 'model', slot: 2 },
        ],
      },
    },
    'LoraLoaderBlockWeight //Inspire': {
      role: 'patch',
      takes: { model: 'same', clip: 'same' },
      gives: [['model'], ['clip'], []],
      reads: {
        LORA_MODEL_NAME: { input: 'lora_name', on: LOADED, if: { input: 'bypass', not: true } },
        LORA_STRENGTH_MODEL: { input: 'strength_model', on: 'model' },
        LORA_STRENGTH_CLIP: { input: 'strength_clip', on: 'clip' },
      },
    },
    // The model and text encoder of MakeLBW only tell the LoRA's kind.
    'MakeLBW //Inspire': {
      role: 'loader',
      gives: [[], []],
      reads: { LORA_MODEL_NAME: { input: 'lora_name', on: LOADED, if: { input: 'bypass', not: true } } },
    },
    'LoadLBW //Inspire': NOTHING,
    'ApplyLBW //Inspire': {
      role: 'patch',
      takes: { model: 'same', clip: 'same', lbw_model: 'same' },
      gives: [
        ['model', 'lbw_model'],
        ['clip', 'lbw_model'],
      ],
    },
    'HyperTile //Inspire': { role: 'patch', takes: { model: 'same' } },
    'IPAdapterModelHelper //Inspire': {
      role: 'patch',
      pipe: { from: [], slots: ['', null, null, null, null, null, null, null], makes: { model: 4 } },
      takes: { model: 'same', clip: 'same' },
      gives: [[], [], [], [], ['model'], ['clip'], [], []],
    },

    // Pipes. One that loads and encodes by itself: what is in it has no outputs, and is the slots from 2 on.
    'MakeBasicPipe //Inspire': {
      role: 'loader',
      pipe: {
        from: [],
        slots: ['', null],
        keys: { vae: 'vae_opt' },
        makes: { model: 2, clip: 3, positive: 4, negative: 5 },
      },
      gives: [[], [], [], [], [], []],
      reads: {
        MODEL_NAME: { input: 'ckpt_name', on: 'model' },
        CLIP_SKIP: {
          input: 'stop_at_clip_layer',
          on: ['clip', 'positive', 'negative'],
          normalise: 'clip-skip',
        },
        POSITIVE_PROMPT: {
          input: 'positive_populated_text',
          on: 'positive',
          slot: 4,
          normalise: 'without-lora-tags',
        },
        NEGATIVE_PROMPT: {
          input: 'negative_populated_text',
          on: 'negative',
          slot: 5,
          normalise: 'without-lora-tags',
        },
        LORA_MODEL_NAME: {
          tags: ['positive_populated_text', 'negative_populated_text'],
          part: 'name',
          on: LOADED,
        },
        LORA_STRENGTH_MODEL: {
          tags: ['positive_populated_text', 'negative_populated_text'],
          part: 'model',
          on: LOADED,
        },
        LORA_STRENGTH_CLIP: {
          tags: ['positive_populated_text', 'negative_populated_text'],
          part: 'clip',
          on: LOADED,
        },
      },
    },
    'ToIPAdapterPipe //Inspire': { role: 'pipe', pipe: { from: [], slots: [''] } },
    'FromIPAdapterPipe //Inspire': { role: 'pipe', pipe: { from: ['ipadapter_pipe'], slots: IPADAPTER } },
    'ApplyRegionalIPAdapters //Inspire': {
      role: 'patch',
      pipe: { from: ['ipadapter_pipe'], slots: [null] },
      uses: { model: 'model' },
    },
    'ZipPrompt //Inspire': { role: 'pipe', pipe: { from: [], slots: [''], keys: { name: 'name_opt' } } },
    'UnzipPrompt //Inspire': {
      role: 'pipe',
      pipe: { from: ['zipped_prompt'], slots: ['positive', 'negative', 'name'] },
    },

    // Prompts. The populated text is what was encoded; what files hold is known to the run.
    'WildcardEncode //Inspire': {
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
    'CLIPTextEncodeWithWeight //Inspire': {
      role: 'encoder',
      takes: { clip: 'clip' },
      reads: {
        POSITIVE_PROMPT: { input: 'text', on: 'positive' },
        NEGATIVE_PROMPT: { input: 'text', on: 'negative' },
      },
    },
    'PromptBuilder //Inspire': { role: 'string', takes: { text: 'same' }, gives: [['text']] },
    'LoadPromptsFromDir //Inspire': { role: 'string', gives: [[], [], []] },
    'LoadPromptsFromFile //Inspire': { role: 'string', gives: [[], [], []] },
    'LoadSinglePromptFromFile //Inspire': { role: 'string', gives: [[]] },
    'PromptExtractor //Inspire': { role: 'string', gives: [[], []] },
    'BindImageListPromptList //Inspire': {
      role: 'image',
      takes: { images: 'same' },
      gives: [['images'], [], [], []],
    },
    'RandomGeneratorForList //Inspire': {
      role: 'value',
      takes: { signal: 'same' },
      gives: [['signal'], []],
    },
    'ListCounter //Inspire': NOTHING,
    'RemoveControlNet //Inspire': CONDITIONING,
    'ConditioningStretch //Inspire': CONDITIONING,
    'ConditioningUpscale //Inspire': CONDITIONING,
    'ConcatConditioningsWithMultiplier //Inspire': {
      role: 'combiner',
      takes: Object.fromEntries([1, 2, 3, 4, 5, 6, 7, 8].map((n) => [`conditioning${n}`, 'same' as const])),
      joins: ' BREAK ',
    },

    // Regions, for the Impact Pack's regional sampler, and for conditioning.
    'RegionalPromptSimple //Inspire': REGION,
    'RegionalPromptColorMask //Inspire': REGION,
    'RegionalConditioningSimple //Inspire': REGION_ENCODER,
    'RegionalConditioningColorMask //Inspire': REGION_ENCODER,
    'RegionalCFG //Inspire': { role: 'patch', takes: { model: 'same' } },
    'RegionalIPAdapterMask //Inspire': NOTHING,
    'RegionalIPAdapterColorMask //Inspire': { role: 'value', gives: [[], []] },
    'RegionalIPAdapterEncodedMask //Inspire': NOTHING,
    'RegionalIPAdapterEncodedColorMask //Inspire': { role: 'value', gives: [[], []] },
    'ColorMaskToDepthMask //Inspire': NOTHING,
    'ColorMapToMasks //Inspire': NOTHING,
    'SelectNthMask //Inspire': NOTHING,

    // Lists. A list is walked once, as a loop's body is.
    'ForeachListBegin //Inspire': {
      role: 'passthrough',
      takes: { initial_input: 'same' },
      gives: [[], [], [], ['initial_input']],
    },
    'ForeachListEnd //Inspire': { role: 'passthrough', takes: { intermediate_output: 'same' } },
    'WorklistToItemList //Inspire': NOTHING,
    'DropItems //Inspire': NOTHING,
    'FloatRange //Inspire': NOTHING,

    // What is kept between runs.
    'CacheBackendData //Inspire': DATA,
    'CacheBackendDataNumberKey //Inspire': DATA,
    'CacheBackendDataList //Inspire': DATA,
    'CacheBackendDataNumberKeyList //Inspire': DATA,
    'RetrieveBackendData //Inspire': NOTHING,
    'RetrieveBackendDataNumberKey //Inspire': NOTHING,

    // Pictures.
    'LoadImage //Inspire': {
      role: 'source',
      gives: [[], []],
      reads: { SOURCE_IMAGE: { input: 'image', on: PICTURE, slot: 0 } },
    },
    'ChangeImageBatchSize //Inspire': {
      role: 'image',
      takes: { image: 'same' },
      reads: { BATCH_SIZE: { input: 'batch_size', on: PICTURE } },
    },
    'ChangeLatentBatchSize //Inspire': {
      role: 'latent',
      takes: { latent: 'same' },
      reads: { BATCH_SIZE: { input: 'batch_size', on: PICTURE } },
    },
    'ImageBatchSplitter //Inspire': { role: 'image', takes: { images: 'same' } },
    'LatentBatchSplitter //Inspire': { role: 'latent', takes: { latent: 'same' } },
    'MediaPipeFaceMeshDetectorProvider //Inspire': { role: 'value', gives: [[], []] },
  },
});
