import type { GraphNode, RunContext } from '../kit/graph-node.ts';
import type { Pixels } from '../kit/values.ts';
import { input, MAX_SIDE, menu, oldMenu, wholeNumber } from './declare-inputs.ts';
import resize, { type ResizeInput } from './kernels/resize.ts';
import { mapBatch } from './map-batch.ts';
import { roundHalfEven } from './python-number.ts';
import { choiceOf, integerOf, numberOf, picturesOf } from './read-inputs.ts';

/**
 * Pictures of another size, by the methods of ComfyUI's `common_upscale`.
 * @see ComfyUI 618b803d nodes.py ImageScale, ImageScaleBy; comfy_extras/nodes_post_processing.py, nodes_images.py
 */

const METHODS = ['nearest-exact', 'bilinear', 'area', 'bicubic', 'lanczos'] as const;
const CROPS = ['disabled', 'center'] as const;
const OUTPUT = [{ type: 'IMAGE', name: 'IMAGE' }];

function scale(
  images: readonly Pixels[],
  size: Omit<ResizeInput, 'picture'>,
  context: RunContext,
): Promise<readonly Pixels[]> {
  return mapBatch(images, (picture) => context.compute(resize, { picture, ...size }));
}

const imageScale: GraphNode = {
  id: 'ImageScale',
  title: 'Upscale Image',
  category: 'image/upscaling',
  description: 'Resizes pictures. A side of 0 follows the other one; both 0 leave the pictures alone.',
  required: {
    image: input('IMAGE'),
    upscale_method: oldMenu(METHODS),
    width: wholeNumber(512, 0, MAX_SIDE, { step: 1 }),
    height: wholeNumber(512, 0, MAX_SIDE, { step: 1 }),
    crop: oldMenu(CROPS),
  },
  outputs: OUTPUT,
  async run(inputs, context) {
    const images = picturesOf(inputs, 'image');
    const [{ width, height }] = images;
    const wanted = { width: integerOf(inputs, 'width'), height: integerOf(inputs, 'height') };
    if (wanted.width === 0 && wanted.height === 0) return { outputs: [images] };
    const size = {
      width: wanted.width || Math.max(1, roundHalfEven((width * wanted.height) / height)),
      height: wanted.height || Math.max(1, roundHalfEven((height * wanted.width) / width)),
      method: choiceOf(inputs, 'upscale_method', METHODS),
      crop: choiceOf(inputs, 'crop', CROPS),
    };
    return { outputs: [await scale(images, size, context)] };
  },
};

const imageScaleBy: GraphNode = {
  id: 'ImageScaleBy',
  title: 'Upscale Image By',
  category: 'image/upscaling',
  description: 'Resizes pictures by a factor.',
  required: {
    image: input('IMAGE'),
    upscale_method: oldMenu(METHODS),
    scale_by: input('FLOAT', { default: 1.0, min: 0.01, max: 8.0, step: 0.01 }),
  },
  outputs: OUTPUT,
  async run(inputs, context) {
    const images = picturesOf(inputs, 'image');
    const factor = numberOf(inputs, 'scale_by');
    const size = {
      width: roundHalfEven(images[0].width * factor),
      height: roundHalfEven(images[0].height * factor),
      method: choiceOf(inputs, 'upscale_method', METHODS),
      crop: CROPS[0],
    };
    return { outputs: [await scale(images, size, context)] };
  },
};

const imageScaleToTotalPixels: GraphNode = {
  id: 'ImageScaleToTotalPixels',
  title: 'ImageScaleToTotalPixels',
  category: 'image/upscaling',
  description: 'Resizes pictures to about so many mega pixels (of 1024 times 1024), sides in whole steps.',
  required: {
    image: input('IMAGE'),
    upscale_method: menu(METHODS),
    megapixels: input('FLOAT', { default: 1.0, min: 0.01, max: 16.0, step: 0.01 }),
    resolution_steps: wholeNumber(1, 1, 256),
  },
  outputs: OUTPUT,
  async run(inputs, context) {
    const images = picturesOf(inputs, 'image');
    const [{ width, height }] = images;
    const steps = integerOf(inputs, 'resolution_steps');
    const factor = Math.sqrt((numberOf(inputs, 'megapixels') * 1024 * 1024) / (width * height));
    const size = {
      width: roundHalfEven((width * factor) / steps) * steps,
      height: roundHalfEven((height * factor) / steps) * steps,
      method: choiceOf(inputs, 'upscale_method', METHODS),
      crop: CROPS[0],
    };
    return { outputs: [await scale(images, size, context)] };
  },
};

const imageScaleToMaxDimension: GraphNode = {
  id: 'ImageScaleToMaxDimension',
  title: 'ImageScaleToMaxDimension',
  category: 'image/upscaling',
  description: 'Resizes pictures so that their longer side is of this length.',
  required: {
    image: input('IMAGE'),
    // bilinear stands there twice in ComfyUI too.
    upscale_method: menu(['area', 'lanczos', 'bilinear', 'nearest-exact', 'bilinear', 'bicubic']),
    largest_size: wholeNumber(512, 0, MAX_SIDE, { step: 1 }),
  },
  outputs: OUTPUT,
  async run(inputs, context) {
    const images = picturesOf(inputs, 'image');
    const [{ width, height }] = images;
    const longest = integerOf(inputs, 'largest_size');
    const size = {
      width: width >= height ? longest : roundHalfEven((width / height) * longest),
      height: height >= width ? longest : roundHalfEven((height / width) * longest),
      method: choiceOf(inputs, 'upscale_method', METHODS),
      crop: CROPS[0],
    };
    return { outputs: [await scale(images, size, context)] };
  },
};

/** The nodes that resize pictures. */
export default [imageScale, imageScaleBy, imageScaleToTotalPixels, imageScaleToMaxDimension];
