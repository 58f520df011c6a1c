import { defineRules, type NodeRule, type Stream } from '../define.ts';

/**
 * ComfyUI's own nodes: `nodes.py`, `comfy_extras/` and `custom_nodes/websocket_image_save.py`, read at commit
 * a125cd84b054 (October 2025). The nodes under "Newer than that" were read in `comfy_extras/` at
 *
 *   Comfy-Org/ComfyUI        nodes_custom_sampler.py 4be318aa1a66 · nodes_logic.py 256997712ced
 *                            nodes_string.py 4bf9c525e53d · nodes_qwen.py ed26919dd2dd
 *                            nodes_hunyuan.py 9ca52b464794 · nodes_model_patch.py 08f68f0919d2
 *                            nodes_post_processing.py 0c85348956e6 · nodes_images.py f26e5c27e34d
 *                            nodes_lt.py 8258cfe4d222 · nodes_math.py 3ca4e548f635
 *   comfyanonymous/ComfyUI   nodes_zimage.py 72e42846fb62 · nodes_resolution.py baf4dbe46cc7
 *   berryber09/ComfyUI       nodes_flux.py ecec1310b282 (a fork that holds the Flux 2 nodes of upstream)
 *
 * Newer nodes with a growing number of inputs (BatchImagesNode, LoadLoraModel) are left out on purpose: a class
 * type that no pack knows is followed by the names of its inputs, and said to be unknown.
 *
 * How the words are used here, so that rules of other packs agree with these:
 * - A conditioning input is `same`, not `positive`: which side it is on was settled at the sampler or guider.
 * - A VAE is followed only where it decodes. The one that encodes a source picture is no fact of the saved one.
 * - A start picture enters by the latent slot, as `image`; on the conditioning slots only what guides is followed.
 * - Masks, and the model a scheduler reads its noise range from, name nothing and are not followed.
 */

/** Sizes count on the picture's own way, never on a picture that only guides. */
const PICTURE: readonly Stream[] = ['latent', 'image'];

const SIZE = {
  IMAGE_WIDTH: { input: 'width', on: PICTURE },
  IMAGE_HEIGHT: { input: 'height', on: PICTURE },
} satisfies NodeRule['reads'];
const SIZE_BATCH = { ...SIZE, BATCH_SIZE: { input: 'batch_size', on: PICTURE } } satisfies NodeRule['reads'];
const VIDEO_SIZE = {
  ...SIZE_BATCH,
  FRAME_COUNT: { input: 'length', on: PICTURE },
} satisfies NodeRule['reads'];

const TEXT = {
  POSITIVE_PROMPT: { input: 'text', on: 'positive' },
  NEGATIVE_PROMPT: { input: 'text', on: 'negative' },
} satisfies NodeRule['reads'];
const PROMPT = {
  POSITIVE_PROMPT: { input: 'prompt', on: 'positive' },
  NEGATIVE_PROMPT: { input: 'prompt', on: 'negative' },
} satisfies NodeRule['reads'];

const CHECKPOINT = { MODEL_NAME: { input: 'ckpt_name', on: 'model' } } satisfies NodeRule['reads'];
const SHIFT = { SHIFT: { input: 'shift', on: 'model' } } satisfies NodeRule['reads'];
/** A model's shift, set on the model or on the sigmas made for it. */
const SHIFTED: readonly Stream[] = ['model', 'sigmas'];
const SHIFT_RANGE = {
  MAX_SHIFT: { input: 'max_shift', on: SHIFTED },
  BASE_SHIFT: { input: 'base_shift', on: SHIFTED },
} satisfies NodeRule['reads'];
/** A LoRA is loaded into a model or a text encoder, or hangs on a prompt by a hook. */
const LOADED: readonly Stream[] = ['model', 'clip', 'positive', 'negative'];
const LORA = {
  LORA_MODEL_NAME: { input: 'lora_name', on: LOADED },
  LORA_STRENGTH_MODEL: { input: 'strength_model', on: 'model' },
} satisfies NodeRule['reads'];
const LORA_BOTH = {
  ...LORA,
  LORA_STRENGTH_CLIP: { input: 'strength_clip', on: 'clip' },
} satisfies NodeRule['reads'];

/** Known, and nothing in it or behind it names anything. */
const NOTHING: NodeRule = { role: 'value' };
const VALUE: NodeRule = { role: 'value', takes: { value: 'same' }, gives: [['value']] };
/** Text that only running the node can make. */
const UNRESOLVED_TEXT: NodeRule = { role: 'string' };

const MODEL_PATCH: NodeRule = { role: 'patch', takes: { model: 'same' } };
const CLIP_PATCH: NodeRule = { role: 'patch', takes: { clip: 'same' } };
const MODEL_MERGE: NodeRule = { role: 'combiner', takes: { model1: 'same', model2: 'same' } };
const CLIP_MERGE: NodeRule = { role: 'combiner', takes: { clip1: 'same', clip2: 'same' } };
const CONDITIONING: NodeRule = { role: 'passthrough', takes: { conditioning: 'same' } };
const ENCODER: NodeRule = { role: 'encoder', takes: { clip: 'clip' }, reads: TEXT };

const SIGMAS: NodeRule = { role: 'passthrough', takes: { sigmas: 'same' } };
const EMPTY_LATENT: NodeRule = { role: 'latent', reads: SIZE_BATCH };
const EMPTY_VIDEO: NodeRule = { role: 'latent', reads: VIDEO_SIZE };
const LATENT: NodeRule = { role: 'latent', takes: { samples: 'same' } };
const TWO_LATENTS: NodeRule = { role: 'latent', takes: { samples1: 'same', samples2: 'same' } };
const IMAGE: NodeRule = { role: 'image', takes: { image: 'same' } };
const RESIZED_IMAGE: NodeRule = { ...IMAGE, resizes: true };
const MASK: NodeRule = { role: 'image', takes: { mask: 'same' } };
const LOADED_IMAGE: NodeRule = { role: 'source', reads: { SOURCE_IMAGE: { input: 'image', on: PICTURE } } };

/** What a ControlNet steers: a conditioning, or the model itself. */
const STEERED: readonly Stream[] = ['positive', 'negative', 'model'];

/** Positive, negative and, where there is a third slot, a latent, each on its own way. */
const BOTH_SIDES: NodeRule = {
  role: 'passthrough',
  takes: { positive: 'same', negative: 'same' },
  gives: [['positive'], ['negative']],
};
const BOTH_SIDES_AND_LATENT: NodeRule = {
  role: 'passthrough',
  takes: { positive: 'same', negative: 'same', latent: 'same' },
  gives: [['positive'], ['negative'], ['latent']],
};
const CONTROLLED: NodeRule = {
  role: 'passthrough',
  takes: { positive: 'same', negative: 'same', control_net: 'control', image: 'reference' },
  gives: [
    ['positive', 'control_net', 'image'],
    ['negative', 'control_net', 'image'],
  ],
  reads: { CONTROLNET_STRENGTH: { input: 'strength', on: STEERED } },
};
/** Image to video: a start picture in the latent slot, what guides on the positive one. */
const START_TO_VIDEO: NodeRule = {
  role: 'passthrough',
  takes: { positive: 'same', negative: 'same', start_image: 'image', clip_vision_output: 'reference' },
  gives: [['positive', 'clip_vision_output'], ['negative'], ['start_image']],
  reads: VIDEO_SIZE,
};

export default defineRules({
  pack: 'comfy-core',
  source: 'https://github.com/Comfy-Org/ComfyUI/tree/a125cd84b054a57729b5eecab930ca9408719832',
  nodes: {
    // Samplers.
    KSampler: {
      role: 'sampler',
      takes: { model: 'model', positive: 'positive', negative: 'negative', latent_image: 'latent' },
      puts: ['latent'],
      reads: {
        SEED: { input: 'seed' },
        STEPS: { input: 'steps' },
        CFG: { input: 'cfg' },
        SAMPLER_NAME: { input: 'sampler_name' },
        SCHEDULER: { input: 'scheduler' },
        DENOISE: { input: 'denoise' },
      },
    },
    KSamplerAdvanced: {
      role: 'sampler',
      takes: { model: 'model', positive: 'positive', negative: 'negative', latent_image: 'latent' },
      puts: ['latent'],
      reads: {
        SEED: { input: 'noise_seed' },
        STEPS: { input: 'steps' },
        CFG: { input: 'cfg' },
        SAMPLER_NAME: { input: 'sampler_name' },
        SCHEDULER: { input: 'scheduler' },
        START_STEP: { input: 'start_at_step' },
        END_STEP: { input: 'end_at_step' },
      },
    },
    SamplerCustom: {
      role: 'sampler',
      takes: {
        model: 'model',
        positive: 'positive',
        negative: 'negative',
        sampler: 'sampler',
        sigmas: 'sigmas',
        latent_image: 'latent',
      },
      puts: ['latent', 'latent'],
      reads: { SEED: { input: 'noise_seed' }, CFG: { input: 'cfg' } },
    },
    SamplerCustomAdvanced: {
      role: 'sampler',
      takes: {
        noise: 'noise',
        guider: 'guider',
        sampler: 'sampler',
        sigmas: 'sigmas',
        latent_image: 'latent',
      },
      puts: ['latent', 'latent'],
    },

    // Guiders. `cond2` of the dual guider is the middle one: ComfyUI treats it as a negative prompt.
    BasicGuider: { role: 'guider', takes: { model: 'model', conditioning: 'positive' } },
    CFGGuider: {
      role: 'guider',
      takes: { model: 'model', positive: 'positive', negative: 'negative' },
      reads: { CFG: { input: 'cfg', on: 'guider' } },
    },
    DualCFGGuider: {
      role: 'guider',
      takes: { model: 'model', cond1: 'positive', cond2: 'negative', negative: 'negative' },
      reads: { CFG: { input: 'cfg_conds', on: 'guider' } },
    },
    PerpNegGuider: {
      role: 'guider',
      takes: { model: 'model', positive: 'positive', negative: 'negative' },
      reads: { CFG: { input: 'cfg', on: 'guider' } },
    },

    // Schedulers and sigmas. A schedule that belongs to one family of models (LTXV, Flux 2, SD Turbo) has no name.
    BasicScheduler: {
      role: 'scheduler',
      reads: {
        SCHEDULER: { input: 'scheduler', on: 'sigmas' },
        STEPS: { input: 'steps', on: 'sigmas' },
        DENOISE: { input: 'denoise', on: 'sigmas' },
      },
    },
    KarrasScheduler: {
      role: 'scheduler',
      reads: { SCHEDULER: { value: 'karras', on: 'sigmas' }, STEPS: { input: 'steps', on: 'sigmas' } },
    },
    ExponentialScheduler: {
      role: 'scheduler',
      reads: { SCHEDULER: { value: 'exponential', on: 'sigmas' }, STEPS: { input: 'steps', on: 'sigmas' } },
    },
    PolyexponentialScheduler: {
      role: 'scheduler',
      reads: {
        SCHEDULER: { value: 'polyexponential', on: 'sigmas' },
        STEPS: { input: 'steps', on: 'sigmas' },
      },
    },
    LaplaceScheduler: {
      role: 'scheduler',
      reads: { SCHEDULER: { value: 'laplace', on: 'sigmas' }, STEPS: { input: 'steps', on: 'sigmas' } },
    },
    VPScheduler: {
      role: 'scheduler',
      reads: { SCHEDULER: { value: 'vp', on: 'sigmas' }, STEPS: { input: 'steps', on: 'sigmas' } },
    },
    BetaSamplingScheduler: {
      role: 'scheduler',
      reads: { SCHEDULER: { value: 'beta', on: 'sigmas' }, STEPS: { input: 'steps', on: 'sigmas' } },
    },
    SDTurboScheduler: {
      role: 'scheduler',
      reads: {
        STEPS: { input: 'steps', on: 'sigmas' },
        DENOISE: { input: 'denoise', on: 'sigmas' },
      },
    },
    AlignYourStepsScheduler: {
      role: 'scheduler',
      reads: {
        SCHEDULER: { value: 'align_your_steps', on: 'sigmas' },
        STEPS: { input: 'steps', on: 'sigmas' },
        DENOISE: { input: 'denoise', on: 'sigmas' },
      },
    },
    GITSScheduler: {
      role: 'scheduler',
      reads: {
        SCHEDULER: { value: 'gits', on: 'sigmas' },
        STEPS: { input: 'steps', on: 'sigmas' },
        DENOISE: { input: 'denoise', on: 'sigmas' },
      },
    },
    OptimalStepsScheduler: {
      role: 'scheduler',
      reads: {
        SCHEDULER: { value: 'optimal_steps', on: 'sigmas' },
        STEPS: { input: 'steps', on: 'sigmas' },
        DENOISE: { input: 'denoise', on: 'sigmas' },
      },
    },
    LTXVScheduler: {
      role: 'scheduler',
      reads: {
        STEPS: { input: 'steps', on: 'sigmas' },
        ...SHIFT_RANGE,
      },
    },
    // The first output ends where the second begins; the other bound is that of the sigmas that were split.
    SplitSigmas: {
      role: 'passthrough',
      takes: { sigmas: 'same' },
      gives: [['sigmas'], ['sigmas']],
      reads: {
        END_STEP: { input: 'step', on: 'sigmas', slot: 0 },
        START_STEP: { input: 'step', on: 'sigmas', slot: 1 },
      },
    },
    SplitSigmasDenoise: {
      role: 'passthrough',
      takes: { sigmas: 'same' },
      gives: [['sigmas'], ['sigmas']],
      reads: {
        END_STEP: { input: 'denoise', on: 'sigmas', slot: 0, normalise: 'split-at-denoise' },
        START_STEP: { input: 'denoise', on: 'sigmas', slot: 1, normalise: 'split-at-denoise' },
      },
    },
    FlipSigmas: SIGMAS,
    SetFirstSigma: SIGMAS,
    ExtendIntermediateSigmas: SIGMAS,
    SamplingPercentToSigma: NOTHING,

    // Sampler objects. The names are those that KSampler lists for the same function.
    KSamplerSelect: { role: 'value', reads: { SAMPLER_NAME: { input: 'sampler_name', on: 'sampler' } } },
    SamplerEulerAncestral: {
      role: 'value',
      reads: { SAMPLER_NAME: { value: 'euler_ancestral', on: 'sampler' } },
    },
    SamplerEulerAncestralCFGPP: {
      role: 'value',
      reads: { SAMPLER_NAME: { value: 'euler_ancestral_cfg_pp', on: 'sampler' } },
    },
    SamplerEulerCFGpp: { role: 'value', reads: { SAMPLER_NAME: { value: 'euler_cfg_pp', on: 'sampler' } } },
    SamplerLMS: { role: 'value', reads: { SAMPLER_NAME: { value: 'lms', on: 'sampler' } } },
    SamplerDPMPP_3M_SDE: { role: 'value', reads: { SAMPLER_NAME: { value: 'dpmpp_3m_sde', on: 'sampler' } } },
    SamplerDPMPP_2M_SDE: { role: 'value', reads: { SAMPLER_NAME: { value: 'dpmpp_2m_sde', on: 'sampler' } } },
    SamplerDPMPP_SDE: { role: 'value', reads: { SAMPLER_NAME: { value: 'dpmpp_sde', on: 'sampler' } } },
    SamplerDPMPP_2S_Ancestral: {
      role: 'value',
      reads: { SAMPLER_NAME: { value: 'dpmpp_2s_ancestral', on: 'sampler' } },
    },
    SamplerDPMAdaptative: {
      role: 'value',
      reads: { SAMPLER_NAME: { value: 'dpm_adaptive', on: 'sampler' } },
    },
    SamplerER_SDE: { role: 'value', reads: { SAMPLER_NAME: { value: 'er_sde', on: 'sampler' } } },
    SamplerSASolver: { role: 'value', reads: { SAMPLER_NAME: { value: 'sa_solver', on: 'sampler' } } },
    SamplerLCMUpscale: { role: 'value', reads: { SAMPLER_NAME: { value: 'lcm', on: 'sampler' } } },

    // Noise.
    RandomNoise: { role: 'value', reads: { SEED: { input: 'noise_seed', on: 'noise' } } },
    DisableNoise: { role: 'value' },
    AddNoise: { role: 'latent', takes: { latent_image: 'same', noise: 'noise' } },

    // Loaders.
    CheckpointLoaderSimple: { role: 'loader', reads: CHECKPOINT },
    CheckpointLoader: { role: 'loader', reads: CHECKPOINT },
    unCLIPCheckpointLoader: { role: 'loader', reads: CHECKPOINT },
    ImageOnlyCheckpointLoader: { role: 'loader', reads: CHECKPOINT },
    DiffusersLoader: { role: 'loader', reads: { MODEL_NAME: { input: 'model_path', on: 'model' } } },
    UNETLoader: {
      role: 'loader',
      reads: {
        MODEL_NAME: { input: 'unet_name', on: 'model' },
        WEIGHT_DTYPE: { input: 'weight_dtype', on: 'model' },
      },
    },
    VAELoader: { role: 'loader', reads: { VAE_NAME: { input: 'vae_name', on: 'vae' } } },
    CLIPLoader: { role: 'loader', reads: { CLIP_MODEL_NAME: { input: 'clip_name', on: 'clip' } } },
    DualCLIPLoader: {
      role: 'loader',
      reads: { CLIP_MODEL_NAME: { inputs: ['clip_name1', 'clip_name2'], on: 'clip' } },
    },
    TripleCLIPLoader: {
      role: 'loader',
      reads: { CLIP_MODEL_NAME: { inputs: ['clip_name1', 'clip_name2', 'clip_name3'], on: 'clip' } },
    },
    QuadrupleCLIPLoader: {
      role: 'loader',
      reads: {
        CLIP_MODEL_NAME: { inputs: ['clip_name1', 'clip_name2', 'clip_name3', 'clip_name4'], on: 'clip' },
      },
    },
    CLIPVisionLoader: { role: 'loader', reads: { CLIP_VISION_NAME: { input: 'clip_name' } } },
    StyleModelLoader: { role: 'loader', reads: { STYLE_MODEL_NAME: { input: 'style_model_name' } } },
    ControlNetLoader: {
      role: 'loader',
      reads: { CONTROLNET_NAME: { input: 'control_net_name', on: 'control' } },
    },
    DiffControlNetLoader: {
      role: 'loader',
      reads: { CONTROLNET_NAME: { input: 'control_net_name', on: 'control' } },
    },
    ModelPatchLoader: { role: 'loader', reads: { CONTROLNET_NAME: { input: 'name', on: 'control' } } },
    UpscaleModelLoader: {
      role: 'loader',
      reads: { UPSCALE_MODEL_NAME: { input: 'model_name', on: 'upscale' } },
    },
    HypernetworkLoader: {
      role: 'patch',
      takes: { model: 'same' },
      reads: {
        HYPERNETWORK_NAME: { input: 'hypernetwork_name', on: 'model' },
        HYPERNETWORK_STRENGTH: { input: 'strength', on: 'model' },
      },
    },
    GLIGENLoader: NOTHING,
    PhotoMakerLoader: NOTHING,
    AudioEncoderLoader: NOTHING,
    LoadLatent: { role: 'loader' },

    // LoRAs.
    LoraLoader: {
      role: 'patch',
      takes: { model: 'same', clip: 'same' },
      gives: [['model'], ['clip']],
      reads: LORA_BOTH,
    },
    LoraLoaderModelOnly: { role: 'patch', takes: { model: 'same' }, reads: LORA },
    LoraModelLoader: MODEL_PATCH,

    // Text encoders. Where there are several texts, the one that says most comes first.
    CLIPTextEncode: ENCODER,
    CLIPTextEncodePixArtAlpha: ENCODER,
    CLIPTextEncodeSDXLRefiner: ENCODER,
    CLIPTextEncodeSDXL: {
      role: 'encoder',
      takes: { clip: 'clip' },
      reads: {
        POSITIVE_PROMPT: { inputs: ['text_g', 'text_l'], on: 'positive' },
        NEGATIVE_PROMPT: { inputs: ['text_g', 'text_l'], on: 'negative' },
      },
    },
    CLIPTextEncodeSD3: {
      role: 'encoder',
      takes: { clip: 'clip' },
      reads: {
        POSITIVE_PROMPT: { inputs: ['clip_l', 'clip_g', 't5xxl'], on: 'positive' },
        NEGATIVE_PROMPT: { inputs: ['clip_l', 'clip_g', 't5xxl'], on: 'negative' },
      },
    },
    CLIPTextEncodeFlux: {
      role: 'encoder',
      takes: { clip: 'clip' },
      reads: {
        POSITIVE_PROMPT: { inputs: ['t5xxl', 'clip_l'], on: 'positive' },
        NEGATIVE_PROMPT: { inputs: ['t5xxl', 'clip_l'], on: 'negative' },
        T5_PROMPT: { input: 't5xxl', on: 'positive' },
        CLIP_PROMPT: { input: 'clip_l', on: 'positive' },
        GUIDANCE: { input: 'guidance', on: 'positive' },
      },
    },
    CLIPTextEncodeHiDream: {
      role: 'encoder',
      takes: { clip: 'clip' },
      reads: {
        POSITIVE_PROMPT: { inputs: ['clip_l', 'clip_g', 't5xxl', 'llama'], on: 'positive' },
        NEGATIVE_PROMPT: { inputs: ['clip_l', 'clip_g', 't5xxl', 'llama'], on: 'negative' },
      },
    },
    CLIPTextEncodeHunyuanDiT: {
      role: 'encoder',
      takes: { clip: 'clip' },
      reads: {
        POSITIVE_PROMPT: { inputs: ['bert', 'mt5xl'], on: 'positive' },
        NEGATIVE_PROMPT: { inputs: ['bert', 'mt5xl'], on: 'negative' },
      },
    },
    CLIPTextEncodeLumina2: {
      role: 'encoder',
      takes: { clip: 'clip' },
      reads: {
        POSITIVE_PROMPT: { input: 'user_prompt', on: 'positive' },
        NEGATIVE_PROMPT: { input: 'user_prompt', on: 'negative' },
      },
    },
    TextEncodeHunyuanVideo_ImageToVideo: {
      role: 'encoder',
      takes: { clip: 'clip', clip_vision_output: 'reference' },
      reads: PROMPT,
    },
    TextEncodeQwenImageEdit: {
      role: 'encoder',
      takes: { clip: 'clip', image: 'reference' },
      reads: PROMPT,
    },
    TextEncodeQwenImageEditPlus: {
      role: 'encoder',
      takes: { clip: 'clip', image1: 'reference', image2: 'reference', image3: 'reference' },
      reads: PROMPT,
    },
    TextEncodeAceStepAudio: {
      role: 'encoder',
      takes: { clip: 'clip' },
      reads: {
        POSITIVE_PROMPT: { inputs: ['tags', 'lyrics'], on: 'positive' },
        NEGATIVE_PROMPT: { inputs: ['tags', 'lyrics'], on: 'negative' },
      },
    },
    PhotoMakerEncode: { role: 'encoder', takes: { clip: 'clip', image: 'reference' }, reads: TEXT },
    GLIGENTextBoxApply: {
      role: 'encoder',
      takes: { conditioning_to: 'same', clip: 'clip' },
      reads: TEXT,
    },
    // Its text is for a ControlNet alone; the prompt stays that of `conditioning`.
    CLIPTextEncodeControlnet: CONDITIONING,
    CLIPSetLastLayer: {
      role: 'patch',
      takes: { clip: 'same' },
      reads: { CLIP_SKIP: { input: 'stop_at_clip_layer', on: 'clip', normalise: 'clip-skip' } },
    },
    T5TokenizerOptions: CLIP_PATCH,
    CLIPAttentionMultiply: CLIP_PATCH,

    // Conditioning.
    ConditioningCombine: {
      role: 'combiner',
      takes: { conditioning_1: 'same', conditioning_2: 'same' },
      joins: ' AND ',
    },
    ConditioningConcat: {
      role: 'combiner',
      takes: { conditioning_to: 'same', conditioning_from: 'same' },
      joins: ' BREAK ',
    },
    ConditioningAverage: { role: 'combiner', takes: { conditioning_to: 'same', conditioning_from: 'same' } },
    ConditioningZeroOut: { role: 'passthrough', gives: [[]] },
    ConditioningSetArea: CONDITIONING,
    ConditioningSetAreaPercentage: CONDITIONING,
    ConditioningSetAreaPercentageVideo: CONDITIONING,
    ConditioningSetAreaStrength: CONDITIONING,
    ConditioningSetMask: CONDITIONING,
    ConditioningSetTimestepRange: CONDITIONING,
    ConditioningStableAudio: BOTH_SIDES,
    unCLIPConditioning: {
      role: 'passthrough',
      takes: { conditioning: 'same', clip_vision_output: 'reference' },
    },
    StyleModelApply: {
      role: 'passthrough',
      takes: { conditioning: 'same', style_model: 'reference', clip_vision_output: 'reference' },
    },
    CLIPVisionEncode: { role: 'encoder', takes: { clip_vision: 'reference', image: 'reference' } },
    AudioEncoderEncode: NOTHING,
    FluxGuidance: {
      role: 'passthrough',
      takes: { conditioning: 'same' },
      reads: { GUIDANCE: { input: 'guidance', on: 'positive' } },
    },
    FluxDisableGuidance: CONDITIONING,
    FluxKontextMultiReferenceLatentMethod: CONDITIONING,
    ReferenceLatent: { role: 'passthrough', takes: { conditioning: 'same', latent: 'reference' } },
    LotusConditioning: { role: 'encoder' },

    // ControlNets and inpainting.
    ControlNetApply: {
      role: 'passthrough',
      takes: { conditioning: 'same', control_net: 'control', image: 'reference' },
      reads: { CONTROLNET_STRENGTH: { input: 'strength', on: STEERED } },
    },
    ControlNetApplyAdvanced: CONTROLLED,
    ControlNetApplySD3: CONTROLLED,
    ControlNetInpaintingAliMamaApply: CONTROLLED,
    SetUnionControlNetType: { role: 'passthrough', takes: { control_net: 'same' } },
    QwenImageDiffsynthControlnet: {
      role: 'patch',
      takes: { model: 'same', model_patch: 'control', image: 'reference' },
      reads: { CONTROLNET_STRENGTH: { input: 'strength', on: STEERED } },
    },
    USOStyleReference: {
      role: 'patch',
      takes: { model: 'same', model_patch: 'reference', clip_vision_output: 'reference' },
    },
    InpaintModelConditioning: {
      role: 'passthrough',
      takes: { positive: 'same', negative: 'same', pixels: 'image' },
      gives: [['positive'], ['negative'], ['pixels']],
    },
    InstructPixToPixConditioning: {
      role: 'passthrough',
      takes: { positive: 'same', negative: 'same', pixels: 'image' },
      gives: [['positive'], ['negative'], ['pixels']],
    },
    SD_4XUpscale_Conditioning: {
      role: 'passthrough',
      takes: { positive: 'same', negative: 'same', images: 'image' },
      gives: [['positive'], ['negative'], ['images']],
      reads: { SCALE_BY: { input: 'scale_ratio', on: PICTURE } },
    },

    // Hooks. A hook LoRA weighs on one prompt of several, and is a LoRA of the picture all the same.
    CreateHookLora: { role: 'patch', takes: { prev_hooks: 'same' }, reads: LORA_BOTH },
    CreateHookLoraModelOnly: { role: 'patch', takes: { prev_hooks: 'same' }, reads: LORA },
    CreateHookModelAsLora: { role: 'patch', takes: { prev_hooks: 'same' } },
    CreateHookModelAsLoraModelOnly: { role: 'patch', takes: { prev_hooks: 'same' } },
    SetHookKeyframes: { role: 'passthrough', takes: { hooks: 'same' } },
    CreateHookKeyframe: NOTHING,
    CreateHookKeyframesInterpolated: NOTHING,
    CreateHookKeyframesFromFloats: NOTHING,
    ConditioningTimestepsRange: NOTHING,
    CombineHooks2: { role: 'combiner', takes: { hooks_A: 'same', hooks_B: 'same' } },
    CombineHooks4: {
      role: 'combiner',
      takes: { hooks_A: 'same', hooks_B: 'same', hooks_C: 'same', hooks_D: 'same' },
    },
    CombineHooks8: {
      role: 'combiner',
      takes: {
        hooks_A: 'same',
        hooks_B: 'same',
        hooks_C: 'same',
        hooks_D: 'same',
        hooks_E: 'same',
        hooks_F: 'same',
        hooks_G: 'same',
        hooks_H: 'same',
      },
    },
    SetClipHooks: { role: 'patch', takes: { clip: 'same', hooks: 'same' } },
    ConditioningSetProperties: { role: 'passthrough', takes: { cond_NEW: 'same', hooks: 'same' } },
    ConditioningSetPropertiesAndCombine: {
      role: 'combiner',
      takes: { cond: 'same', cond_NEW: 'same', hooks: 'same' },
      joins: ' AND ',
    },
    ConditioningSetDefaultCombine: {
      role: 'combiner',
      takes: { cond: 'same', cond_DEFAULT: 'same', hooks: 'same' },
      joins: ' AND ',
    },
    PairConditioningSetProperties: {
      role: 'passthrough',
      takes: { positive_NEW: 'same', negative_NEW: 'same', hooks: 'same' },
      gives: [
        ['positive_NEW', 'hooks'],
        ['negative_NEW', 'hooks'],
      ],
    },
    PairConditioningSetPropertiesAndCombine: {
      role: 'combiner',
      takes: {
        positive: 'same',
        negative: 'same',
        positive_NEW: 'same',
        negative_NEW: 'same',
        hooks: 'same',
      },
      gives: [
        ['positive', 'positive_NEW', 'hooks'],
        ['negative', 'negative_NEW', 'hooks'],
      ],
      joins: ' AND ',
    },
    PairConditioningCombine: {
      role: 'combiner',
      takes: { positive_A: 'same', negative_A: 'same', positive_B: 'same', negative_B: 'same' },
      gives: [
        ['positive_A', 'positive_B'],
        ['negative_A', 'negative_B'],
      ],
      joins: ' AND ',
    },
    PairConditioningSetDefaultCombine: {
      role: 'combiner',
      takes: {
        positive: 'same',
        negative: 'same',
        positive_DEFAULT: 'same',
        negative_DEFAULT: 'same',
        hooks: 'same',
      },
      gives: [
        ['positive', 'positive_DEFAULT', 'hooks'],
        ['negative', 'negative_DEFAULT', 'hooks'],
      ],
      joins: ' AND ',
    },

    // Model sampling. Width and height of ModelSamplingFlux only set its shift.
    ModelSamplingSD3: { ...MODEL_PATCH, reads: SHIFT },
    ModelSamplingAuraFlow: { ...MODEL_PATCH, reads: SHIFT },
    ModelSamplingStableCascade: { ...MODEL_PATCH, reads: SHIFT },
    ModelSamplingFlux: { ...MODEL_PATCH, reads: SHIFT_RANGE },
    ModelSamplingLTXV: { ...MODEL_PATCH, reads: SHIFT_RANGE },
    ModelSamplingDiscrete: MODEL_PATCH,
    ModelSamplingContinuousEDM: MODEL_PATCH,
    ModelSamplingContinuousV: MODEL_PATCH,

    // Model patches.
    APG: MODEL_PATCH,
    CFGNorm: MODEL_PATCH,
    CFGZeroStar: MODEL_PATCH,
    ChromaRadianceOptions: MODEL_PATCH,
    ContextWindowsManual: MODEL_PATCH,
    DifferentialDiffusion: MODEL_PATCH,
    EasyCache: MODEL_PATCH,
    'Epsilon Scaling': MODEL_PATCH,
    FreeU: MODEL_PATCH,
    FreeU_V2: MODEL_PATCH,
    FreSca: MODEL_PATCH,
    HyperTile: MODEL_PATCH,
    LatentApplyOperationCFG: MODEL_PATCH,
    LazyCache: MODEL_PATCH,
    Mahiro: MODEL_PATCH,
    ModelComputeDtype: MODEL_PATCH,
    PatchModelAddDownscale: MODEL_PATCH,
    PerpNeg: MODEL_PATCH,
    PerturbedAttentionGuidance: MODEL_PATCH,
    RenormCFG: MODEL_PATCH,
    RescaleCFG: MODEL_PATCH,
    SelfAttentionGuidance: MODEL_PATCH,
    SkipLayerGuidanceDiT: MODEL_PATCH,
    SkipLayerGuidanceDiTSimple: MODEL_PATCH,
    SkipLayerGuidanceSD3: MODEL_PATCH,
    TCFG: MODEL_PATCH,
    TomePatchModel: MODEL_PATCH,
    TorchCompileModel: MODEL_PATCH,
    UNetCrossAttentionMultiply: MODEL_PATCH,
    UNetSelfAttentionMultiply: MODEL_PATCH,
    UNetTemporalAttentionMultiply: MODEL_PATCH,
    VideoLinearCFGGuidance: MODEL_PATCH,
    VideoTriangleCFGGuidance: MODEL_PATCH,

    // Merges: every model that went in is a source of the picture.
    ModelMergeSimple: MODEL_MERGE,
    ModelMergeBlocks: MODEL_MERGE,
    ModelMergeAdd: MODEL_MERGE,
    ModelMergeSubtract: MODEL_MERGE,
    ModelMergeSD1: MODEL_MERGE,
    ModelMergeSD2: MODEL_MERGE,
    ModelMergeSDXL: MODEL_MERGE,
    ModelMergeSD3_2B: MODEL_MERGE,
    ModelMergeSD35_Large: MODEL_MERGE,
    ModelMergeAuraflow: MODEL_MERGE,
    ModelMergeFlux1: MODEL_MERGE,
    ModelMergeMochiPreview: MODEL_MERGE,
    ModelMergeLTXV: MODEL_MERGE,
    ModelMergeCosmos7B: MODEL_MERGE,
    ModelMergeCosmos14B: MODEL_MERGE,
    ModelMergeCosmosPredict2_2B: MODEL_MERGE,
    ModelMergeCosmosPredict2_14B: MODEL_MERGE,
    ModelMergeWAN2_1: MODEL_MERGE,
    ModelMergeQwenImage: MODEL_MERGE,
    CLIPMergeSimple: CLIP_MERGE,
    CLIPMergeAdd: CLIP_MERGE,
    CLIPMergeSubtract: CLIP_MERGE,

    // Empty latents.
    EmptyLatentImage: EMPTY_LATENT,
    EmptySD3LatentImage: EMPTY_LATENT,
    EmptyHunyuanImageLatent: EMPTY_LATENT,
    EmptyChromaRadianceLatentImage: EMPTY_LATENT,
    StableCascade_EmptyLatentImage: EMPTY_LATENT,
    EmptyHunyuanLatentVideo: EMPTY_VIDEO,
    EmptyLTXVLatentVideo: EMPTY_VIDEO,
    EmptyMochiLatentVideo: EMPTY_VIDEO,
    EmptyCosmosLatentVideo: EMPTY_VIDEO,
    EmptyLatentAudio: { role: 'latent', reads: { BATCH_SIZE: { input: 'batch_size', on: PICTURE } } },
    EmptyAceStepLatentAudio: { role: 'latent', reads: { BATCH_SIZE: { input: 'batch_size', on: PICTURE } } },
    EmptyLatentHunyuan3Dv2: { role: 'latent' },

    // Latents in, latents out.
    LatentUpscale: { role: 'latent', takes: { samples: 'same' }, reads: SIZE },
    LatentUpscaleBy: {
      role: 'latent',
      takes: { samples: 'same' },
      reads: { SCALE_BY: { input: 'scale_by', on: PICTURE } },
    },
    LatentCrop: { role: 'latent', takes: { samples: 'same' }, reads: SIZE },
    LatentRotate: { ...LATENT, resizes: true },
    LatentConcat: { ...TWO_LATENTS, resizes: true },
    LatentCut: { ...LATENT, resizes: true },
    LatentFlip: LATENT,
    LatentFromBatch: LATENT,
    RepeatLatentBatch: LATENT,
    SetLatentNoiseMask: LATENT,
    LatentMultiply: LATENT,
    LatentBatchSeedBehavior: LATENT,
    LatentApplyOperation: LATENT,
    TrimVideoLatent: LATENT,
    RebatchLatents: { role: 'latent', takes: { latents: 'same' } },
    // What is pasted in does not settle the size; what it is pasted into may lie farther up.
    LatentComposite: { role: 'latent', takes: { samples_to: 'same', samples_from: 'same' }, resizes: true },
    LatentCompositeMasked: { role: 'latent', takes: { destination: 'same', source: 'same' }, resizes: true },
    LatentBlend: TWO_LATENTS,
    LatentAdd: TWO_LATENTS,
    LatentSubtract: TWO_LATENTS,
    LatentInterpolate: TWO_LATENTS,
    LatentBatch: TWO_LATENTS,
    LatentOperationTonemapReinhard: NOTHING,
    LatentOperationSharpen: NOTHING,
    SaveLatent: NOTHING,

    // Between latents and pictures.
    VAEDecode: { role: 'image', takes: { samples: 'latent', vae: 'vae' }, puts: ['image'] },
    VAEDecodeTiled: { role: 'image', takes: { samples: 'latent', vae: 'vae' }, puts: ['image'] },
    VAEDecodeAudio: { role: 'image', takes: { samples: 'latent', vae: 'vae' } },
    VAEEncode: { role: 'latent', takes: { pixels: 'image' } },
    VAEEncodeTiled: { role: 'latent', takes: { pixels: 'image' } },
    VAEEncodeForInpaint: { role: 'latent', takes: { pixels: 'image' } },
    VAEEncodeAudio: { role: 'latent', takes: { audio: 'image' } },

    // Stable Cascade: stage B refines what stage C made, which reaches it through the conditioning.
    StableCascade_StageB_Conditioning: {
      role: 'passthrough',
      takes: { conditioning: 'same', stage_c: 'latent' },
    },
    StableCascade_StageC_VAEEncode: { role: 'latent', takes: { image: 'image' } },
    StableCascade_SuperResolutionControlnet: {
      role: 'latent',
      takes: { image: 'reference' },
      gives: [['image'], [], []],
    },

    // Image to video, and other conditionings that make a latent.
    SVD_img2vid_Conditioning: {
      role: 'passthrough',
      takes: { clip_vision: 'reference', init_image: 'image' },
      gives: [['clip_vision'], ['clip_vision'], ['init_image']],
      reads: {
        ...SIZE,
        FRAME_COUNT: { input: 'video_frames', on: PICTURE },
        FRAME_RATE: { input: 'fps', on: PICTURE },
      },
    },
    SV3D_Conditioning: {
      role: 'passthrough',
      takes: { clip_vision: 'reference', init_image: 'image' },
      gives: [['clip_vision'], ['clip_vision'], ['init_image']],
      reads: { ...SIZE, FRAME_COUNT: { input: 'video_frames', on: PICTURE } },
    },
    StableZero123_Conditioning: {
      role: 'passthrough',
      takes: { clip_vision: 'reference', init_image: 'image' },
      gives: [['clip_vision'], ['clip_vision'], ['init_image']],
      reads: SIZE_BATCH,
    },
    StableZero123_Conditioning_Batched: {
      role: 'passthrough',
      takes: { clip_vision: 'reference', init_image: 'image' },
      gives: [['clip_vision'], ['clip_vision'], ['init_image']],
      reads: SIZE_BATCH,
    },
    CosmosImageToVideoLatent: {
      role: 'latent',
      takes: { start_image: 'image', end_image: 'image' },
      reads: VIDEO_SIZE,
    },
    CosmosPredict2ImageToVideoLatent: {
      role: 'latent',
      takes: { start_image: 'image', end_image: 'image' },
      reads: VIDEO_SIZE,
    },
    HunyuanImageToVideo: {
      role: 'passthrough',
      takes: { positive: 'same', start_image: 'image' },
      gives: [['positive'], ['start_image']],
      reads: VIDEO_SIZE,
    },
    HunyuanRefinerLatent: BOTH_SIDES_AND_LATENT,
    Hunyuan3Dv2Conditioning: {
      role: 'encoder',
      takes: { clip_vision_output: 'reference' },
    },
    Hunyuan3Dv2ConditioningMultiView: {
      role: 'encoder',
      takes: { front: 'reference', left: 'reference', back: 'reference', right: 'reference' },
    },
    LTXVImgToVideo: {
      role: 'passthrough',
      takes: { positive: 'same', negative: 'same', image: 'image' },
      gives: [['positive'], ['negative'], ['image']],
      reads: VIDEO_SIZE,
    },
    LTXVAddGuide: {
      role: 'passthrough',
      takes: { positive: 'same', negative: 'same', latent: 'same', image: 'reference' },
      gives: [['positive', 'image'], ['negative', 'image'], ['latent']],
    },
    LTXVCropGuides: BOTH_SIDES_AND_LATENT,
    LTXVConditioning: {
      ...BOTH_SIDES,
      reads: { FRAME_RATE: { input: 'frame_rate', on: ['positive', 'negative'] } },
    },
    LTXVPreprocess: IMAGE,
    Wan22ImageToVideoLatent: { role: 'latent', takes: { start_image: 'image' }, reads: VIDEO_SIZE },
    WanImageToVideo: START_TO_VIDEO,
    WanCameraImageToVideo: START_TO_VIDEO,
    WanTrackToVideo: START_TO_VIDEO,
    WanFunControlToVideo: {
      role: 'passthrough',
      takes: {
        positive: 'same',
        negative: 'same',
        start_image: 'image',
        clip_vision_output: 'reference',
        control_video: 'reference',
      },
      gives: [['positive', 'clip_vision_output', 'control_video'], ['negative'], ['start_image']],
      reads: VIDEO_SIZE,
    },
    Wan22FunControlToVideo: {
      role: 'passthrough',
      takes: { positive: 'same', negative: 'same', ref_image: 'reference', control_video: 'reference' },
      gives: [['positive', 'ref_image', 'control_video'], ['negative'], []],
      reads: VIDEO_SIZE,
    },
    WanFirstLastFrameToVideo: {
      role: 'passthrough',
      takes: {
        positive: 'same',
        negative: 'same',
        start_image: 'image',
        end_image: 'image',
        clip_vision_start_image: 'reference',
        clip_vision_end_image: 'reference',
      },
      gives: [
        ['positive', 'clip_vision_start_image', 'clip_vision_end_image'],
        ['negative'],
        ['start_image', 'end_image'],
      ],
      reads: VIDEO_SIZE,
    },
    WanFunInpaintToVideo: {
      role: 'passthrough',
      takes: {
        positive: 'same',
        negative: 'same',
        start_image: 'image',
        end_image: 'image',
        clip_vision_output: 'reference',
      },
      gives: [['positive', 'clip_vision_output'], ['negative'], ['start_image', 'end_image']],
      reads: VIDEO_SIZE,
    },
    WanVaceToVideo: {
      role: 'passthrough',
      takes: { positive: 'same', negative: 'same', control_video: 'reference', reference_image: 'reference' },
      gives: [['positive', 'control_video', 'reference_image'], ['negative'], [], []],
      reads: VIDEO_SIZE,
    },
    WanPhantomSubjectToVideo: {
      role: 'passthrough',
      takes: { positive: 'same', negative: 'same', images: 'reference' },
      gives: [['positive', 'images'], ['negative'], ['negative'], []],
      reads: VIDEO_SIZE,
    },
    WanSoundImageToVideo: {
      role: 'passthrough',
      takes: {
        positive: 'same',
        negative: 'same',
        ref_image: 'reference',
        control_video: 'reference',
        ref_motion: 'reference',
      },
      gives: [['positive', 'ref_image', 'control_video', 'ref_motion'], ['negative'], []],
      reads: VIDEO_SIZE,
    },
    WanSoundImageToVideoExtend: {
      role: 'passthrough',
      takes: {
        positive: 'same',
        negative: 'same',
        video_latent: 'latent',
        ref_image: 'reference',
        control_video: 'reference',
      },
      gives: [['positive', 'ref_image', 'control_video'], ['negative'], ['video_latent']],
      reads: { FRAME_COUNT: { input: 'length', on: PICTURE } },
    },
    WanHuMoImageToVideo: {
      role: 'passthrough',
      takes: { positive: 'same', negative: 'same', ref_image: 'reference' },
      gives: [['positive', 'ref_image'], ['negative'], []],
      reads: VIDEO_SIZE,
    },
    WanAnimateToVideo: {
      role: 'passthrough',
      takes: {
        positive: 'same',
        negative: 'same',
        clip_vision_output: 'reference',
        reference_image: 'reference',
        face_video: 'reference',
        pose_video: 'reference',
        background_video: 'reference',
        continue_motion: 'image',
      },
      gives: [
        ['positive', 'clip_vision_output', 'reference_image', 'face_video', 'pose_video', 'background_video'],
        ['negative'],
        ['continue_motion'],
        [],
        [],
        [],
      ],
      reads: VIDEO_SIZE,
    },
    WanCameraEmbedding: {
      role: 'value',
      takes: { width: 'same', height: 'same', length: 'same' },
      gives: [[], ['width'], ['height'], ['length']],
    },

    // Training. What a LoRA that was just trained learnt from is not known here.
    TrainLoraNode: { role: 'patch', takes: { model: 'same' }, gives: [['model'], [], [], []] },
    LoadImageTextSetFromFolderNode: { role: 'source' },
    SaveLoRANode: NOTHING,
    LossGraphNode: NOTHING,

    // Pictures in.
    LoadImage: LOADED_IMAGE,
    LoadImageMask: { role: 'source' },
    LoadImageOutput: LOADED_IMAGE,
    LoadImageSetFromFolderNode: { role: 'source', reads: { SOURCE_IMAGE: { input: 'folder', on: PICTURE } } },
    LoadVideo: { role: 'source', reads: { SOURCE_IMAGE: { input: 'file', on: PICTURE } } },
    LoadAudio: { role: 'source' },
    WebcamCapture: { role: 'source' },
    EmptyImage: { role: 'image', reads: SIZE_BATCH },

    // Pictures in, pictures out.
    ImageScale: { role: 'image', takes: { image: 'same' }, reads: SIZE },
    ImageScaleBy: {
      role: 'image',
      takes: { image: 'same' },
      reads: { SCALE_BY: { input: 'scale_by', on: PICTURE } },
    },
    ImageCrop: { role: 'image', takes: { image: 'same' }, reads: SIZE },
    ResizeAndPadImage: {
      role: 'image',
      takes: { image: 'same' },
      reads: {
        IMAGE_WIDTH: { input: 'target_width', on: PICTURE },
        IMAGE_HEIGHT: { input: 'target_height', on: PICTURE },
      },
    },
    ImageUpscaleWithModel: {
      role: 'image',
      takes: { image: 'same', upscale_model: 'upscale' },
      resizes: true,
    },
    ImageScaleToTotalPixels: RESIZED_IMAGE,
    ImageScaleToMaxDimension: RESIZED_IMAGE,
    ImagePadForOutpaint: RESIZED_IMAGE,
    ImageRotate: RESIZED_IMAGE,
    FluxKontextImageScale: RESIZED_IMAGE,
    ImageStitch: { role: 'image', takes: { image1: 'same', image2: 'same' }, resizes: true },
    Canny: IMAGE,
    ImageAddNoise: IMAGE,
    ImageBlur: IMAGE,
    ImageFlip: IMAGE,
    ImageFromBatch: IMAGE,
    ImageInvert: IMAGE,
    ImageQuantize: IMAGE,
    ImageRGBToYUV: IMAGE,
    ImageSharpen: IMAGE,
    Morphology: IMAGE,
    RepeatImageBatch: IMAGE,
    SplitImageWithAlpha: IMAGE,
    JoinImageWithAlpha: IMAGE,
    RebatchImages: { role: 'image', takes: { images: 'same' } },
    ImageBatch: { role: 'image', takes: { image1: 'same', image2: 'same' } },
    ImageBlend: { role: 'image', takes: { image1: 'same', image2: 'same' } },
    ImageCompositeMasked: { role: 'image', takes: { destination: 'same', source: 'same' }, resizes: true },
    PorterDuffImageComposite: { role: 'image', takes: { destination: 'same', source: 'same' } },
    ImageYUVToRGB: { role: 'image', takes: { Y: 'same', U: 'same', V: 'same' } },
    GetImageSize: { role: 'value', gives: [[], [], []] },

    // Masks: only a saved mask leads here.
    MaskToImage: MASK,
    InvertMask: MASK,
    CropMask: MASK,
    FeatherMask: MASK,
    GrowMask: MASK,
    ThresholdMask: MASK,
    MaskComposite: { role: 'image', takes: { destination: 'same', source: 'same' } },
    ImageToMask: IMAGE,
    ImageColorToMask: IMAGE,
    SolidMask: { role: 'image' },

    // Sound and 3D: named so that nothing of theirs counts as unknown.
    TrimAudioDuration: { role: 'image', takes: { audio: 'same' } },
    SplitAudioChannels: { role: 'image', takes: { audio: 'same' } },
    AudioAdjustVolume: { role: 'image', takes: { audio: 'same' } },
    AudioConcat: { role: 'image', takes: { audio1: 'same', audio2: 'same' } },
    AudioMerge: { role: 'image', takes: { audio1: 'same', audio2: 'same' } },
    EmptyAudio: NOTHING,
    RecordAudio: { role: 'source' },
    VAEDecodeHunyuan3D: { role: 'image', takes: { samples: 'latent', vae: 'vae' } },
    VoxelToMesh: { role: 'image', takes: { voxel: 'same' } },
    VoxelToMeshBasic: { role: 'image', takes: { voxel: 'same' } },
    Load3D: { role: 'source' },
    Load3DAnimation: { role: 'source' },

    // Out. A node that shows or keeps something else than a picture starts no trace.
    SaveImage: { role: 'saver', takes: { images: 'image' } },
    SaveImageWebsocket: { role: 'saver', takes: { images: 'image' } },
    SaveAnimatedWEBP: {
      role: 'saver',
      takes: { images: 'image' },
      reads: { FRAME_RATE: { input: 'fps' } },
    },
    SaveAnimatedPNG: { role: 'saver', takes: { images: 'image' }, reads: { FRAME_RATE: { input: 'fps' } } },
    SaveWEBM: { role: 'saver', takes: { images: 'image' }, reads: { FRAME_RATE: { input: 'fps' } } },
    CreateVideo: { role: 'image', takes: { images: 'same' }, reads: { FRAME_RATE: { input: 'fps' } } },
    GetVideoComponents: { role: 'image', takes: { video: 'same' }, gives: [['video'], [], []] },
    SaveVideo: { role: 'saver', takes: { video: 'image' } },
    SaveAudio: { role: 'saver', takes: { audio: 'image' } },
    SaveAudioMP3: { role: 'saver', takes: { audio: 'image' } },
    SaveAudioOpus: { role: 'saver', takes: { audio: 'image' } },
    PreviewImage: { role: 'preview', takes: { images: 'image' } },
    MaskPreview: { role: 'preview', takes: { mask: 'image' } },
    PreviewAudio: { role: 'preview', takes: { audio: 'image' } },
    PreviewAny: { role: 'preview', takes: { source: 'value' } },
    Preview3D: { role: 'preview' },
    Preview3DAnimation: { role: 'preview' },
    SaveSVGNode: NOTHING,
    SaveGLB: NOTHING,
    CheckpointSave: NOTHING,
    ImageOnlyCheckpointSave: NOTHING,
    ModelSave: NOTHING,
    CLIPSave: NOTHING,
    VAESave: NOTHING,
    LoraSave: NOTHING,

    // Values and text.
    PrimitiveString: VALUE,
    PrimitiveStringMultiline: VALUE,
    PrimitiveInt: VALUE,
    PrimitiveFloat: VALUE,
    PrimitiveBoolean: VALUE,
    StringConcatenate: {
      role: 'string',
      computes: [
        {
          op: 'join',
          parts: [{ input: 'string_a' }, { input: 'string_b' }],
          separator: { input: 'delimiter' },
        },
      ],
    },
    StringSubstring: {
      role: 'string',
      computes: [
        { op: 'slice', text: { input: 'string' }, start: { input: 'start' }, end: { input: 'end' } },
      ],
    },
    StringLength: { role: 'string', computes: [{ op: 'length', text: { input: 'string' } }] },
    CaseConverter: {
      role: 'string',
      computes: [{ op: 'case', text: { input: 'string' }, mode: { input: 'mode' } }],
    },
    StringTrim: {
      role: 'string',
      computes: [{ op: 'trim', text: { input: 'string' }, mode: { input: 'mode' } }],
    },
    StringReplace: {
      role: 'string',
      computes: [
        { op: 'replace', text: { input: 'string' }, find: { input: 'find' }, with: { input: 'replace' } },
      ],
    },
    StringContains: {
      role: 'string',
      computes: [
        {
          op: 'contains',
          text: { input: 'string' },
          find: { input: 'substring' },
          caseSensitive: { input: 'case_sensitive' },
        },
      ],
    },
    StringCompare: {
      role: 'string',
      computes: [
        {
          op: 'compare',
          a: { input: 'string_a' },
          b: { input: 'string_b' },
          mode: { input: 'mode' },
          caseSensitive: { input: 'case_sensitive' },
        },
      ],
    },
    RegexReplace: {
      role: 'string',
      computes: [
        {
          op: 'regex-replace',
          text: { input: 'string' },
          find: { input: 'regex_pattern' },
          with: { input: 'replace' },
          ignoreCase: { input: 'case_insensitive', default: true },
          multiline: { input: 'multiline', default: false },
          dotAll: { input: 'dotall', default: false },
          count: { input: 'count', default: 0 },
        },
      ],
    },
    RegexMatch: UNRESOLVED_TEXT,
    RegexExtract: UNRESOLVED_TEXT,

    // Newer than that: sampling. Sigmas that were typed in follow no named schedule.
    ManualSigmas: {
      role: 'scheduler',
      reads: { STEPS: { input: 'sigmas', on: 'sigmas', normalise: 'sigma-count' } },
    },
    Flux2Scheduler: {
      role: 'scheduler',
      reads: { STEPS: { input: 'steps', on: 'sigmas' } },
    },
    SamplerSEEDS2: { role: 'value', reads: { SAMPLER_NAME: { value: 'seeds_2', on: 'sampler' } } },
    DualModelGuider: {
      role: 'guider',
      takes: { model: 'model', model_negative: 'model', positive: 'positive', negative: 'negative' },
      reads: { CFG: { input: 'cfg', on: 'guider' } },
    },
    CFGOverride: MODEL_PATCH,
    QwenImage21Cache: MODEL_PATCH,

    // Newer than that: text, control, latents.
    TextEncodeZImageOmni: {
      role: 'encoder',
      takes: {
        clip: 'clip',
        image_encoder: 'reference',
        image1: 'reference',
        image2: 'reference',
        image3: 'reference',
      },
      reads: PROMPT,
    },
    TextEncodeQwenImage21: {
      role: 'encoder',
      takes: { clip: 'clip' },
      gives: [['clip'], ['clip'], []],
      reads: {
        POSITIVE_PROMPT: [
          { input: 'prompt', on: 'positive', slot: 0 },
          { input: 'negative_prompt', on: 'positive', slot: 1 },
        ],
        NEGATIVE_PROMPT: [
          { input: 'prompt', on: 'negative', slot: 0 },
          { input: 'negative_prompt', on: 'negative', slot: 1 },
        ],
      },
      resizes: true,
    },
    ZImageFunControlnet: {
      role: 'patch',
      takes: { model: 'same', model_patch: 'control', image: 'reference', inpaint_image: 'reference' },
      reads: { CONTROLNET_STRENGTH: { input: 'strength', on: STEERED } },
    },
    WanUni3CControlnetApply: {
      role: 'patch',
      takes: { model: 'same', model_patch: 'control', render_video: 'reference' },
      reads: { CONTROLNET_STRENGTH: { input: 'strength', on: STEERED } },
    },
    AnimaLLLiteApply: {
      role: 'patch',
      takes: { model: 'same', model_patch: 'control', image: 'reference' },
      reads: { CONTROLNET_STRENGTH: { input: 'strength', on: STEERED } },
    },
    SUPIRApply: {
      role: 'patch',
      takes: { model: 'same', model_patch: 'control', image: 'reference' },
      reads: { CONTROLNET_STRENGTH: { input: 'strength_start', on: STEERED } },
    },
    EmptyFlux2LatentImage: EMPTY_LATENT,
    EmptyQwenImageLayeredLatentImage: EMPTY_LATENT,
    EmptyHunyuanVideo15Latent: EMPTY_VIDEO,
    HunyuanVideo15ImageToVideo: START_TO_VIDEO,
    HunyuanVideo15SuperResolution: {
      role: 'passthrough',
      takes: {
        positive: 'same',
        negative: 'same',
        latent: 'same',
        start_image: 'reference',
        clip_vision_output: 'reference',
      },
      gives: [['positive', 'start_image', 'clip_vision_output'], ['negative'], ['latent']],
    },
    LatentUpscaleModelLoader: {
      role: 'loader',
      reads: { UPSCALE_MODEL_NAME: { input: 'model_name', on: 'upscale' } },
    },
    HunyuanVideo15LatentUpscaleWithModel: {
      role: 'latent',
      takes: { samples: 'same', model: 'upscale' },
      reads: SIZE,
    },
    LTXVImgToVideoInplace: { role: 'latent', takes: { latent: 'same', image: 'image' } },
    GetICLoRAParameters: NOTHING,

    // Newer than that: pictures.
    ResizeImageMaskNode: {
      role: 'image',
      takes: { input: 'same' },
      reads: {
        IMAGE_WIDTH: { input: 'resize_type.width', on: PICTURE },
        IMAGE_HEIGHT: { input: 'resize_type.height', on: PICTURE },
        SCALE_BY: { input: 'resize_type.multiplier', on: PICTURE },
      },
      resizes: true,
    },
    ImageCropV2: RESIZED_IMAGE,
    ImageCropToMask: { role: 'image', takes: { images: 'same' }, reads: SIZE },
    ColorTransfer: { role: 'image', takes: { image_target: 'same', image_ref: 'reference' } },
    SaveImageAdvanced: { role: 'saver', takes: { images: 'image' } },

    // Newer than that: switches, values, text.
    ComfySwitchNode: {
      role: 'switch',
      takes: { on_false: 'same', on_true: 'same' },
      switch: { by: 'switch', cases: { true: 'on_true', false: 'on_false' } },
    },
    ComfyPassOrNoneNode: { role: 'passthrough', takes: { anything: 'same' }, gives: [['anything'], []] },
    CustomCombo: {
      role: 'value',
      takes: { choice: 'same', index: 'same' },
      gives: [['choice'], ['index']],
    },
    ComfyNotNode: NOTHING,
    ComfyAndNode: NOTHING,
    ComfyOrNode: NOTHING,
    ComfyMathExpression: NOTHING,
    ResolutionSelector: NOTHING,
    PrimitiveBoundingBox: NOTHING,
    StringFormat: UNRESOLVED_TEXT,
    JsonExtractString: UNRESOLVED_TEXT,
  },
});
