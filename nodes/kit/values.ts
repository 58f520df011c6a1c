/** Plain shapes that cross rooms. */

/** A picture in memory: rows of interleaved samples, shape [height, width, channels]. Not copied without need. */
export type Pixels = {
  readonly width: number;
  readonly height: number;
  /** 1 grey, 3 RGB, 4 RGBA. */
  readonly channels: 1 | 3 | 4;
  /** 8-bit samples; or floats of 0 to 1, which are truncated (not rounded) to 8 bits as ComfyUI does. */
  readonly data: Uint8Array | Float32Array;
};

/** Container formats we write. */
export const IMAGE_FORMATS = ['png', 'jpeg', 'webp', 'avif'] as const;
/** One of `IMAGE_FORMATS`. */
export type ImageFormat = (typeof IMAGE_FORMATS)[number];

/** Hashes of one model file, lower-case hex. */
export type FileHashes = {
  /** SHA-256 of the whole file, 64 digits. AutoV2 is its first 10. */
  readonly sha256: string;
  /** First 8 digits of the SHA-256 of 64 KiB at offset 1 MiB: A1111's oldest hash. */
  readonly autoV1: string;
  readonly autoV2: string;
  /** First 12 digits of the SHA-256 of a safetensors file behind its header; absent for other files. */
  readonly autoV3?: string;
};

/** ComfyUI's names for its model folders, as far as metadata needs them. */
export const MODEL_FOLDERS = [
  'checkpoints',
  'diffusion_models',
  'vae',
  'text_encoders',
  'loras',
  'embeddings',
  'controlnet',
  'upscale_models',
  'clip_vision',
  'style_models',
  'hypernetworks',
] as const;
/** One of `MODEL_FOLDERS`. */
export type ModelFolder = (typeof MODEL_FOLDERS)[number];
