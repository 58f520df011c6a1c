import { defineRules, type NodeRule, type Stream } from '../define.ts';

/**
 * WanVideoWrapper: Wan's own sampler, with both prompts on one link (`text_embeds`) and the size of the video on
 * another (`image_embeds`). What it calls the scheduler is the solver, KSampler's sampler, with the curve of the
 * sigmas behind a slash: `unipc/beta`. A step range ends before its last step; -1 is to the end.
 *
 * What the words can't say, and is left out: a sampler whose settings come from another node (WanVideoSamplerSettings,
 * WanVideoSamplerFromSettings), which would count as two, and what prompt extenders write.
 */

const PICTURE: readonly Stream[] = ['latent', 'image'];

const SIZE = {
  IMAGE_WIDTH: { input: 'width', on: PICTURE },
  IMAGE_HEIGHT: { input: 'height', on: PICTURE },
} satisfies NodeRule['reads'];
const VIDEO_SIZE = {
  ...SIZE,
  FRAME_COUNT: { input: 'num_frames', on: PICTURE },
} satisfies NodeRule['reads'];
/** Long videos are made in windows of so many frames; how many there are in all, only the sound says. */
const WINDOWS = {
  role: 'latent',
  takes: { start_image: 'image', clip_embeds: 'reference' },
  reads: SIZE,
} as const;

const NOTHING: NodeRule = { role: 'value' };
const MODEL_PATCH: NodeRule = { role: 'patch', takes: { model: 'same' } };
/** Hangs something that guides on the embeddings of the picture. */
const guided = (...references: readonly string[]): NodeRule => ({
  role: 'latent',
  takes: { embeds: 'same', ...Object.fromEntries(references.map((input) => [input, 'reference' as const])) },
});

/** Where the schedule comes from a node of its own, that node says how many steps there are and which of them run. */
const OWN_SCHEDULE = { input: 'scheduler', linked: false } as const;
const OWN_SIGMAS = { input: 'sigmas', linked: false } as const;

/** A strength of 0 loads nothing. */
const LOADED = { input: 'strength', not: 0 } as const;

export default defineRules({
  pack: 'wan-video-wrapper',
  source: 'https://github.com/kijai/ComfyUI-WanVideoWrapper/tree/088128b224242e110d3906c6750e9a3a348a659b',
  nodes: {
    // Samplers.
    WanVideoSampler: {
      role: 'sampler',
      takes: {
        model: 'model',
        text_embeds: ['positive', 'negative'],
        image_embeds: 'latent',
        samples: 'latent',
        scheduler: 'sigmas',
        sigmas: 'sigmas',
        uni3c_embeds: 'control',
        unianimate_poses: 'reference',
      },
      only: { scheduler: { input: 'scheduler', linked: true } },
      puts: ['latent', 'latent'],
      reads: {
        SEED: { input: 'seed' },
        STEPS: { input: 'steps', if: [OWN_SCHEDULE, OWN_SIGMAS] },
        CFG: { input: 'cfg' },
        SAMPLER_NAME: { input: 'scheduler' },
        DENOISE: { input: 'denoise_strength' },
        SHIFT: { input: 'shift', if: OWN_SCHEDULE },
        START_STEP: { input: 'start_step', if: OWN_SCHEDULE },
        END_STEP: { input: 'end_step', if: OWN_SCHEDULE },
      },
    },
    WanVideoSamplerv2: {
      role: 'sampler',
      takes: {
        model: 'model',
        text_embeds: ['positive', 'negative'],
        image_embeds: 'latent',
        samples: 'latent',
        scheduler: 'sigmas',
        extra_args: 'control',
      },
      puts: ['latent', 'latent'],
      reads: { SEED: { input: 'seed' }, CFG: { input: 'cfg' } },
    },
    WanVideoSamplerExtraArgs: {
      role: 'value',
      takes: { uni3c_embeds: 'same', unianimate_poses: 'reference' },
    },
    WanVideoDiffusionForcingSampler: {
      role: 'sampler',
      takes: {
        model: 'model',
        text_embeds: ['positive', 'negative'],
        image_embeds: 'latent',
        samples: 'latent',
        prefix_samples: 'reference',
      },
      puts: ['latent'],
      reads: {
        SEED: { input: 'seed' },
        STEPS: { input: 'steps' },
        CFG: { input: 'cfg' },
        SAMPLER_NAME: { input: 'scheduler' },
        DENOISE: { input: 'denoise_strength' },
        SHIFT: { input: 'shift' },
      },
    },
    // Slot 3 is the schedule itself, cut to its range; the slots beside it hand the numbers on.
    WanVideoScheduler: {
      role: 'scheduler',
      takes: {
        steps: 'value',
        shift: 'value',
        scheduler: 'value',
        start_step: 'value',
        end_step: 'value',
      },
      gives: [[], ['steps'], ['shift'], ['scheduler'], ['start_step'], ['end_step']],
      reads: {
        STEPS: [
          { input: 'steps', on: 'sigmas', slot: 0 },
          { input: 'steps', on: 'sigmas', slot: 3 },
        ],
        SHIFT: { input: 'shift', on: 'sigmas', slot: 3 },
        START_STEP: { input: 'start_step', on: 'sigmas', slot: 3 },
        END_STEP: { input: 'end_step', on: 'sigmas', slot: 3 },
      },
    },
    WanVideoSchedulerv2: {
      role: 'scheduler',
      reads: {
        SAMPLER_NAME: { input: 'scheduler', on: 'sigmas' },
        STEPS: { input: 'steps', on: 'sigmas', if: OWN_SIGMAS },
        SHIFT: { input: 'shift', on: 'sigmas' },
        START_STEP: { input: 'start_step', on: 'sigmas' },
        END_STEP: { input: 'end_step', on: 'sigmas' },
      },
    },

    // Loaders. `base_precision` is what is computed in, `quantization` what the weights are kept in.
    WanVideoModelLoader: {
      role: 'loader',
      takes: { lora: 'same' },
      reads: {
        MODEL_NAME: { input: 'model', on: 'model' },
        WEIGHT_DTYPE: {
          input: 'quantization',
          on: 'model',
          if: { input: 'quantization', not: 'disabled' },
        },
      },
    },
    WanVideoVAELoader: { role: 'loader', reads: { VAE_NAME: { input: 'model_name', on: 'vae' } } },
    WanVideoTinyVAELoader: { role: 'loader', reads: { VAE_NAME: { input: 'model_name', on: 'vae' } } },
    LoadWanVideoT5TextEncoder: {
      role: 'loader',
      reads: { CLIP_MODEL_NAME: { input: 'model_name', on: 'clip' } },
    },
    LoadWanVideoClipTextEncoder: {
      role: 'loader',
      reads: { CLIP_VISION_NAME: { input: 'model_name' } },
    },
    WanVideoVACEModelSelect: NOTHING,
    WanVideoExtraModelSelect: NOTHING,
    WanVideoControlnetLoader: {
      role: 'loader',
      reads: { CONTROLNET_NAME: { input: 'model', on: 'control' } },
    },
    WanVideoUni3C_ControlnetLoader: {
      role: 'loader',
      reads: { CONTROLNET_NAME: { input: 'model', on: 'control' } },
    },

    // LoRAs hang on the model's loader, or on a model that is loaded.
    WanVideoLoraSelect: {
      role: 'patch',
      takes: { prev_lora: 'same' },
      reads: {
        LORA_MODEL_NAME: { input: 'lora', on: 'model', if: LOADED },
        LORA_STRENGTH_MODEL: { input: 'strength', on: 'model' },
      },
    },
    WanVideoLoraSelectByName: {
      role: 'patch',
      takes: { prev_lora: 'same' },
      reads: {
        LORA_MODEL_NAME: { input: 'lora_name', on: 'model', if: LOADED },
        LORA_STRENGTH_MODEL: { input: 'strength', on: 'model' },
      },
    },
    WanVideoLoraSelectMulti: {
      role: 'patch',
      takes: { prev_lora: 'same' },
      reads: {
        LORA_MODEL_NAME: { prefix: 'lora_', on: 'model', if: { prefix: 'strength_', not: 0 } },
        LORA_STRENGTH_MODEL: { prefix: 'strength_', on: 'model' },
      },
    },
    WanVideoSetLoRAs: { role: 'patch', takes: { model: 'same', lora: 'same' } },
    WanVideoLoraBlockEdit: NOTHING,

    // Model patches and settings.
    WanVideoSetBlockSwap: MODEL_PATCH,
    WanVideoSetRadialAttention: MODEL_PATCH,
    WanVideoSetAttentionModeOverride: MODEL_PATCH,
    WanVideoUltraVicoSettings: MODEL_PATCH,
    WanVideoControlnet: {
      role: 'patch',
      takes: { model: 'same', controlnet: 'control', control_images: 'reference' },
      reads: { CONTROLNET_STRENGTH: { input: 'strength', on: 'model' } },
    },
    WanVideoATITracks: MODEL_PATCH,
    WanVideoATI_comfy: MODEL_PATCH,
    WanVideoBlockSwap: NOTHING,
    WanVideoVRAMManagement: NOTHING,
    WanVideoTorchCompileSettings: NOTHING,
    WanVideoBlockList: NOTHING,
    WanVideoEnhanceAVideo: NOTHING,
    WanVideoSLG: NOTHING,
    WanVideoContextOptions: NOTHING,
    WanVideoLoopArgs: NOTHING,
    WanVideoExperimentalArgs: NOTHING,
    WanVideoFreeInitArgs: NOTHING,
    WanVideoRoPEFunction: NOTHING,
    WanVideoTeaCache: NOTHING,
    WanVideoMagCache: NOTHING,
    WanVideoEasyCache: NOTHING,

    // Text. A single prompt stands on the positive side of a sampler; the negative side is then empty.
    WanVideoTextEncode: {
      role: 'encoder',
      takes: { t5: 'clip' },
      reads: {
        POSITIVE_PROMPT: { input: 'positive_prompt', on: 'positive' },
        NEGATIVE_PROMPT: { input: 'negative_prompt', on: 'negative' },
      },
    },
    // It loads the text encoder itself. Slot 1 is the negative prompt alone, for nodes that guide by it.
    WanVideoTextEncodeCached: {
      role: 'encoder',
      takes: { positive_prompt: 'value' },
      gives: [[], [], ['positive_prompt']],
      reads: {
        POSITIVE_PROMPT: {
          input: 'positive_prompt',
          on: 'positive',
          slot: 0,
          if: { input: 'extender_args', linked: false },
        },
        NEGATIVE_PROMPT: { input: 'negative_prompt', on: 'negative', slot: 0 },
        CLIP_MODEL_NAME: { input: 'model_name', on: ['positive', 'negative'] },
      },
    },
    WanVideoTextEncodeSingle: {
      role: 'encoder',
      takes: { t5: 'clip' },
      reads: { POSITIVE_PROMPT: { input: 'prompt', on: 'positive' } },
    },
    WanVideoTextEmbedBridge: {
      role: 'passthrough',
      takes: { positive: 'positive', negative: 'negative' },
    },
    WanVideoApplyNAG: { role: 'passthrough', takes: { original_text_embeds: 'same' } },
    // What speaks or sings in a video.
    MultiTalkModelLoader: NOTHING,
    MultiTalkWav2VecEmbeds: NOTHING,
    MultiTalkSilentEmbeds: NOTHING,
    Wav2VecModelLoader: NOTHING,
    DownloadAndLoadWav2VecModel: NOTHING,
    FantasyTalkingModelLoader: NOTHING,
    FantasyTalkingWav2VecEmbeds: NOTHING,
    NormalizeAudioLoudness: NOTHING,
    QwenLoader: NOTHING,
    WanVideoPromptExtender: { role: 'string' },
    WanVideoPromptExtenderSelect: NOTHING,

    // What the video starts from, its size, and what guides it.
    WanVideoEmptyEmbeds: {
      role: 'latent',
      takes: { control_embeds: 'reference', extra_latents: 'reference' },
      reads: VIDEO_SIZE,
    },
    WanVideoImageToVideoEncode: {
      role: 'latent',
      takes: {
        start_image: 'image',
        end_image: 'reference',
        clip_embeds: 'reference',
        control_embeds: 'reference',
        extra_latents: 'reference',
        add_cond_latents: 'reference',
        empty_frame_pad_image: 'reference',
      },
      reads: VIDEO_SIZE,
    },
    WanVideoAnimateEmbeds: {
      role: 'latent',
      takes: {
        clip_embeds: 'reference',
        ref_images: 'reference',
        pose_images: 'reference',
        face_images: 'reference',
        bg_images: 'reference',
        start_ref_image: 'reference',
      },
      reads: VIDEO_SIZE,
    },
    WanVideoVACEEncode: {
      role: 'latent',
      takes: { input_frames: 'reference', ref_images: 'reference', prev_vace_embeds: 'reference' },
      reads: VIDEO_SIZE,
    },
    WanVideoUniLumosEmbeds: {
      role: 'latent',
      takes: { foreground_latents: 'reference', background_latents: 'reference' },
      reads: VIDEO_SIZE,
    },
    WanVideoMiniMaxRemoverEmbeds: {
      role: 'latent',
      takes: { latents: 'image', mask_latents: 'reference' },
      reads: VIDEO_SIZE,
    },
    // Their size is that of the latents they are given.
    WanVideoPhantomEmbeds: {
      role: 'latent',
      takes: {
        phantom_latent_1: 'reference',
        phantom_latent_2: 'reference',
        phantom_latent_3: 'reference',
        phantom_latent_4: 'reference',
        vace_embeds: 'reference',
      },
      reads: { FRAME_COUNT: { input: 'num_frames', on: PICTURE } },
      resizes: true,
    },
    WanVideoSVIProEmbeds: {
      role: 'latent',
      takes: { anchor_samples: 'reference', prev_samples: 'reference' },
      reads: { FRAME_COUNT: { input: 'num_frames', on: PICTURE } },
      resizes: true,
    },
    WanVideoControlEmbeds: {
      role: 'latent',
      takes: { latents: 'reference', fun_ref_image: 'reference' },
    },
    WanVideoImageToVideoMultiTalk: { ...WINDOWS, gives: [['start_image', 'clip_embeds'], []] },
    WanVideoImageToVideoSkyreelsv3_audio: {
      ...WINDOWS,
      takes: { ...WINDOWS.takes, reference_video: 'reference' },
      gives: [['start_image', 'clip_embeds', 'reference_video'], []],
    },
    WanVideoAddExtraLatent: guided('extra_latents'),
    WanVideoAddLucyEditLatents: guided('extra_latents'),
    WanVideoAddStandInLatent: guided('ip_image_latent'),
    WanVideoAddControlEmbeds: guided('latents', 'fun_ref_image'),
    WanVideoAddMTVMotion: guided(),
    WanVideoAddPusaNoise: guided(),
    WanVideoAddStoryMemLatents: guided('memory_images'),
    WanVideoAddTTMLatents: guided('reference_latents'),
    WanVideoAddS2VEmbeds: {
      role: 'latent',
      takes: { embeds: 'same', ref_latent: 'reference', pose_latent: 'reference' },
      gives: [['embeds', 'ref_latent', 'pose_latent'], []],
    },
    WanVideoFunCameraEmbeds: { role: 'latent', reads: SIZE },
    WanVideoReCamMasterCameraEmbed: {
      role: 'latent',
      takes: { latents: 'image' },
      gives: [['latents'], []],
    },
    WanVideoReCamMasterDefaultCamera: NOTHING,
    WanVideoReCamMasterGenerateOrbitCamera: NOTHING,
    ReCamMasterPoseVisualizer: { role: 'image' },
    WanVideoUniAnimatePoseInput: {
      role: 'passthrough',
      takes: { pose_images: 'reference', reference_pose_image: 'reference' },
    },
    WanVideoUniAnimateDWPoseDetector: {
      role: 'image',
      takes: { pose_images: 'reference', reference_pose_image: 'reference' },
      gives: [['pose_images'], ['reference_pose_image']],
    },
    WanVideoRealisDanceLatents: {
      role: 'latent',
      takes: { ref_latent: 'reference', smpl_latent: 'reference', hamer_latent: 'reference' },
    },
    WanVideoClipVisionEncode: {
      role: 'encoder',
      takes: {
        clip_vision: 'reference',
        image_1: 'reference',
        image_2: 'reference',
        negative_image: 'reference',
      },
    },
    WanVideoUni3C_embeds: {
      role: 'passthrough',
      takes: { controlnet: 'control', render_latent: 'reference' },
      reads: { CONTROLNET_STRENGTH: { input: 'strength', on: 'control' } },
    },

    // Latents and pictures.
    WanVideoDecode: { role: 'image', takes: { samples: 'latent', vae: 'vae' } },
    WanVideoPassImagesFromSamples: {
      role: 'image',
      takes: { samples: 'latent' },
      gives: [['samples'], []],
    },
    WanVideoEncode: { role: 'latent', takes: { image: 'image' } },
    WanVideoEncodeLatentBatch: { role: 'latent', takes: { images: 'image' } },
    WanVideoLatentReScale: { role: 'latent', takes: { samples: 'same' } },
    WanVideoImageResizeToClosest: {
      role: 'image',
      takes: { image: 'same' },
      gives: [['image'], [], []],
      resizes: true,
    },
    ExtractStartFramesForContinuations: { role: 'image', takes: { input_video_frames: 'same' } },
    CreateCFGScheduleFloatList: NOTHING,
    CreateScheduleFloatList: NOTHING,
    DummyComfyWanModelObject: NOTHING,
    WanVideoSigmaToStep: NOTHING,
  },
});
