import type { MetaField, Stream } from '../../../rules/define.ts';

/** How sure a proposal is. */
export type Confidence = 'high' | 'medium' | 'low';

/** An input whose name and type tell which field it holds. */
export type NamedField = {
  readonly field: MetaField;
  /** The whole name of the input, in lower case. */
  readonly name: RegExp;
  readonly types: readonly string[];
  /** Only on classes that put out one of these. */
  readonly puts?: readonly string[];
  readonly on?: Stream | readonly Stream[];
  /** Only on a class that looks like a sampler, or also elsewhere. */
  readonly of: 'sampler' | 'any';
  readonly confidence: Confidence;
};

const NUMBER = ['INT', 'FLOAT'];
const MENU = ['COMBO', 'STRING'];
const PICTURE = ['latent', 'image'] as const;

/** From names that ComfyUI's own nodes and those of many packs use. A rule is only proposed by them, never made. */
export const NAMED_FIELDS: readonly NamedField[] = [
  { field: 'SEED', name: /^(noise_)?seed$/, types: ['INT'], of: 'sampler', confidence: 'high' },
  { field: 'STEPS', name: /^(num_)?(inference_)?steps$/, types: ['INT'], of: 'sampler', confidence: 'high' },
  { field: 'CFG', name: /^cfg(_scale)?$/, types: NUMBER, of: 'sampler', confidence: 'high' },
  { field: 'CFG', name: /^guidance_scale$/, types: NUMBER, of: 'sampler', confidence: 'low' },
  {
    field: 'GUIDANCE',
    name: /^(flux_)?guidance$/,
    types: NUMBER,
    on: 'positive',
    puts: ['CONDITIONING'],
    of: 'any',
    confidence: 'medium',
  },
  { field: 'SAMPLER_NAME', name: /^sampler(_name)?$/, types: MENU, of: 'sampler', confidence: 'high' },
  { field: 'SCHEDULER', name: /^scheduler(_name)?$/, types: MENU, of: 'sampler', confidence: 'high' },
  { field: 'DENOISE', name: /^denoise(_strength)?$/, types: ['FLOAT'], of: 'sampler', confidence: 'high' },
  { field: 'START_STEP', name: /^start_(at_)?step$/, types: ['INT'], of: 'sampler', confidence: 'medium' },
  { field: 'END_STEP', name: /^end_(at_)?step$/, types: ['INT'], of: 'sampler', confidence: 'medium' },
  {
    field: 'MODEL_NAME',
    name: /^(ckpt|checkpoint|unet|diffusion_model|model)(_name)?$/,
    types: MENU,
    puts: ['MODEL'],
    on: 'model',
    of: 'any',
    confidence: 'high',
  },
  {
    field: 'WEIGHT_DTYPE',
    name: /^weight_dtype$/,
    types: MENU,
    puts: ['MODEL'],
    on: 'model',
    of: 'any',
    confidence: 'high',
  },
  {
    field: 'VAE_NAME',
    name: /^vae(_name)?$/,
    types: MENU,
    puts: ['VAE'],
    on: 'vae',
    of: 'any',
    confidence: 'high',
  },
  {
    field: 'CLIP_MODEL_NAME',
    name: /^(clip|text_encoder)(_name)?\d?$/,
    types: MENU,
    puts: ['CLIP'],
    on: 'clip',
    of: 'any',
    confidence: 'high',
  },
  {
    field: 'CLIP_SKIP',
    name: /^(clip_skip|stop_at_clip_layer)$/,
    types: ['INT'],
    puts: ['CLIP'],
    on: 'clip',
    of: 'any',
    confidence: 'medium',
  },
  {
    field: 'LORA_MODEL_NAME',
    name: /^lora(_name)?$/,
    types: MENU,
    puts: ['MODEL', 'CLIP'],
    on: ['model', 'clip'],
    of: 'any',
    confidence: 'high',
  },
  {
    field: 'LORA_STRENGTH_MODEL',
    name: /^(strength_model|model_strength|lora_strength|lora_weight)$/,
    types: ['FLOAT'],
    puts: ['MODEL'],
    on: ['model', 'clip'],
    of: 'any',
    confidence: 'high',
  },
  {
    field: 'LORA_STRENGTH_CLIP',
    name: /^(strength_clip|clip_strength)$/,
    types: ['FLOAT'],
    puts: ['CLIP'],
    on: ['model', 'clip'],
    of: 'any',
    confidence: 'high',
  },
  {
    field: 'CONTROLNET_NAME',
    name: /^control_?net(_name)?$/,
    types: MENU,
    puts: ['CONTROL_NET'],
    on: 'control',
    of: 'any',
    confidence: 'high',
  },
  {
    field: 'UPSCALE_MODEL_NAME',
    name: /^(upscale_)?model_name$/,
    types: MENU,
    puts: ['UPSCALE_MODEL'],
    on: 'upscale',
    of: 'any',
    confidence: 'high',
  },
  {
    field: 'NEGATIVE_PROMPT',
    name: /^(text_)?neg(ative)?(_prompt|_text)?$/,
    types: ['STRING'],
    puts: ['CONDITIONING'],
    on: 'negative',
    of: 'any',
    confidence: 'high',
  },
  {
    field: 'POSITIVE_PROMPT',
    name: /^(text_)?pos(itive)?(_prompt|_text)?$/,
    types: ['STRING'],
    puts: ['CONDITIONING'],
    on: 'positive',
    of: 'any',
    confidence: 'high',
  },
  {
    field: 'IMAGE_WIDTH',
    name: /^(empty_latent_)?width$/,
    types: ['INT'],
    puts: ['LATENT'],
    on: PICTURE,
    of: 'any',
    confidence: 'high',
  },
  {
    field: 'IMAGE_HEIGHT',
    name: /^(empty_latent_)?height$/,
    types: ['INT'],
    puts: ['LATENT'],
    on: PICTURE,
    of: 'any',
    confidence: 'high',
  },
  {
    field: 'BATCH_SIZE',
    name: /^batch_size$/,
    types: ['INT'],
    puts: ['LATENT'],
    on: PICTURE,
    of: 'any',
    confidence: 'high',
  },
  {
    field: 'SHIFT',
    name: /^shift$/,
    types: NUMBER,
    puts: ['MODEL'],
    on: 'model',
    of: 'any',
    confidence: 'medium',
  },
];

/** The stream of a socket type. Conditioning has none of its own: it is on the side that the sampler gave it. */
export const STREAM_OF_TYPE: Readonly<Record<string, Stream | 'same'>> = {
  MODEL: 'model',
  CLIP: 'clip',
  VAE: 'vae',
  LATENT: 'latent',
  IMAGE: 'image',
  NOISE: 'noise',
  SAMPLER: 'sampler',
  SIGMAS: 'sigmas',
  GUIDER: 'guider',
  CONDITIONING: 'same',
  CONTROL_NET: 'control',
  UPSCALE_MODEL: 'upscale',
  CLIP_VISION: 'reference',
  CLIP_VISION_OUTPUT: 'reference',
  STYLE_MODEL: 'reference',
  MASK: 'reference',
};
