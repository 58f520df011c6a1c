import { type Graph, node } from '../golden/graphs.ts';

/** What the graph of a picture varies in. */
export type PictureOptions = {
  readonly seed?: number;
  readonly steps?: number;
  readonly batch?: number;
  readonly format?: string;
  readonly prefix?: string;
  /** Put before every id but that of the save node: `57:` as in a subgraph. */
  readonly within?: string;
};

export const POSITIVE = 'a lake at dusk, (first stars:1.2)';
export const NEGATIVE = 'text, watermark';
/** File, as `make_tiny_sd3.py` names it, and its name without extension. */
export const MODEL = { file: 'tiny-sd3.safetensors', name: 'tiny-sd3' } as const;
export const SIDE = 64;
export const CFG = 4.5;
/** The save node of every graph here. */
export const SAVE = '9';

/** A name scheme for ids: plain, or inside a subgraph. */
function idsWithin(prefix = ''): (id: string) => string {
  return (id) => `${prefix}${id}`;
}

function scene(options: PictureOptions): Record<string, Graph> {
  const id = idsWithin(options.within);
  return {
    [id('1')]: node('UNETLoader', { unet_name: MODEL.file, weight_dtype: 'default' }),
    [id('2')]: node('TinyTextLoader', {}),
    [id('3')]: node('CLIPTextEncode', { text: POSITIVE, clip: [id('2'), 0] }),
    [id('4')]: node('CLIPTextEncode', { text: NEGATIVE, clip: [id('2'), 0] }),
    [id('5')]: node('EmptySD3LatentImage', { width: SIDE, height: SIDE, batch_size: options.batch ?? 1 }),
    [id('7')]: node('VAELoader', { vae_name: 'taesd3' }),
  };
}

function finished(latent: readonly [string, number], options: PictureOptions): Record<string, Graph> {
  const id = idsWithin(options.within);
  return {
    [id('8')]: node('VAEDecode', { samples: latent, vae: [id('7'), 0] }),
    [SAVE]: saveNode([id('8'), 0], options),
  };
}

/** The node under test. */
function saveNode(images: readonly [string, number], options: PictureOptions): Graph {
  return node('LineageSaveImage', {
    images,
    filename_prefix: options.prefix ?? 'real',
    file_format: options.format ?? 'png',
    sampler_selection_method: 'range',
    receipt: true,
  });
}

/** One KSampler. */
export function oneSampler(options: PictureOptions): Graph {
  const id = idsWithin(options.within);
  return {
    ...scene(options),
    [id('6')]: node('KSampler', {
      ...{ seed: options.seed ?? 1, steps: options.steps ?? 4, cfg: CFG, denoise: 1 },
      ...{ sampler_name: 'euler', scheduler: 'simple', model: [id('1'), 0] },
      ...{ positive: [id('3'), 0], negative: [id('4'), 0], latent_image: [id('5'), 0] },
    }),
    ...finished([id('6'), 0], options),
  };
}

/** Two KSamplerAdvanced: steps 0 to 3 and 3 to 4 of 4. */
export function twoSamplers(options: PictureOptions): Graph {
  const id = idsWithin(options.within);
  const advanced = (latent: readonly [string, number], range: Graph): Graph =>
    node('KSamplerAdvanced', {
      ...{ noise_seed: options.seed ?? 1, steps: 4, cfg: CFG, scheduler: 'simple', model: [id('1'), 0] },
      ...{ positive: [id('3'), 0], negative: [id('4'), 0], latent_image: latent },
      ...range,
    });
  const first = {
    add_noise: 'enable',
    start_at_step: 0,
    end_at_step: 3,
    return_with_leftover_noise: 'enable',
  };
  const second = {
    ...{ add_noise: 'disable', start_at_step: 3, end_at_step: 4, return_with_leftover_noise: 'disable' },
  };
  return {
    ...scene(options),
    [id('6')]: advanced([id('5'), 0], { ...first, sampler_name: 'euler' }),
    [id('10')]: advanced([id('6'), 0], { ...second, sampler_name: 'heun' }),
    ...finished([id('10'), 0], options),
  };
}

/** Large pictures without a model: work for the bridge alone. */
export function largePictures(
  options: PictureOptions & { readonly side: number; readonly color: number },
): Graph {
  const { side, color, batch = 8 } = options;
  return {
    '1': node('EmptyImage', { width: side, height: side, batch_size: batch, color }),
    [SAVE]: saveNode(['1', 0], options),
  };
}
