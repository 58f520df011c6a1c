import type { GraphNode } from '../kit/graph-node.ts';
import { input, MAX_SIDE, wholeNumber } from './declare-inputs.ts';
import crop from './kernels/crop.ts';
import feather from './kernels/feather.ts';
import fill from './kernels/fill.ts';
import pad from './kernels/pad.ts';
import pickChannels from './kernels/pick-channels.ts';
import { mapBatch } from './map-batch.ts';
import { partOf } from './part-of.ts';
import { checkBatch, integerOf, picturesOf } from './read-inputs.ts';

/**
 * Pictures made and changed sample by sample.
 * @see ComfyUI 618b803d nodes.py EmptyImage, ImageInvert, ImagePadForOutpaint; comfy_extras/nodes_images.py
 */

const IMAGE = { type: 'IMAGE', name: 'IMAGE' };
const ALL_CHANNELS = { 1: [0], 3: [0, 1, 2], 4: [0, 1, 2, 3] } as const;

const emptyImage: GraphNode = {
  id: 'EmptyImage',
  title: 'EmptyImage',
  category: 'image',
  description: 'Makes pictures of one colour.',
  required: {
    width: wholeNumber(512, 1, MAX_SIDE, { step: 1 }),
    height: wholeNumber(512, 1, MAX_SIDE, { step: 1 }),
    batch_size: wholeNumber(1, 1, 4096),
    color: wholeNumber(0, 0, 0xffffff, { step: 1, display: 'color' }),
  },
  outputs: [IMAGE],
  async run(inputs, { compute }) {
    const colour = integerOf(inputs, 'color');
    const count = integerOf(inputs, 'batch_size');
    checkBatch(count);
    const picture = await compute(fill, {
      width: integerOf(inputs, 'width'),
      height: integerOf(inputs, 'height'),
      colour: [(colour >> 16) & 0xff, (colour >> 8) & 0xff, colour & 0xff],
      as: 'bytes',
    });
    // One picture stands for all of the batch.
    return { outputs: [Array.from({ length: count }, () => picture)] };
  },
};

const imageInvert: GraphNode = {
  id: 'ImageInvert',
  title: 'Invert Image',
  category: 'image',
  description: 'Makes the negative of pictures, alpha included.',
  required: { image: input('IMAGE') },
  outputs: [IMAGE],
  async run(inputs, { compute }) {
    const images = await mapBatch(picturesOf(inputs, 'image'), (picture) =>
      compute(pickChannels, { picture, channels: ALL_CHANNELS[picture.channels], inverted: true }),
    );
    return { outputs: [images] };
  },
};

const imageCrop: GraphNode = {
  id: 'ImageCrop',
  title: 'Image Crop',
  category: 'image/transform',
  description: 'Cuts a part out of pictures; what would lie beyond them is left out.',
  required: {
    image: input('IMAGE'),
    width: wholeNumber(512, 1, MAX_SIDE, { step: 1 }),
    height: wholeNumber(512, 1, MAX_SIDE, { step: 1 }),
    x: wholeNumber(0, 0, MAX_SIDE, { step: 1 }),
    y: wholeNumber(0, 0, MAX_SIDE, { step: 1 }),
  },
  outputs: [IMAGE],
  async run(inputs, { compute }) {
    const wanted = { width: integerOf(inputs, 'width'), height: integerOf(inputs, 'height') };
    const images = await mapBatch(picturesOf(inputs, 'image'), (picture) => {
      const left = Math.min(integerOf(inputs, 'x'), picture.width - 1);
      const top = Math.min(integerOf(inputs, 'y'), picture.height - 1);
      return compute(crop, { picture, part: partOf(picture, { left, top, ...wanted }) });
    });
    return { outputs: [images] };
  },
};

const imagePadForOutpaint: GraphNode = {
  id: 'ImagePadForOutpaint',
  title: 'Pad Image for Outpainting',
  category: 'image',
  description: 'Adds a grey border to pictures, and gives the mask of what is to be painted.',
  required: {
    image: input('IMAGE'),
    left: wholeNumber(0, 0, MAX_SIDE, { step: 8 }),
    top: wholeNumber(0, 0, MAX_SIDE, { step: 8 }),
    right: wholeNumber(0, 0, MAX_SIDE, { step: 8 }),
    bottom: wholeNumber(0, 0, MAX_SIDE, { step: 8 }),
    feathering: wholeNumber(40, 0, MAX_SIDE, { step: 1 }),
  },
  outputs: [IMAGE, { type: 'MASK', name: 'MASK' }],
  async run(inputs, { compute }) {
    const images = picturesOf(inputs, 'image');
    const [{ width, height }] = images;
    const [left, top] = [integerOf(inputs, 'left'), integerOf(inputs, 'top')];
    const border = { left, top, right: integerOf(inputs, 'right'), bottom: integerOf(inputs, 'bottom') };
    const padded = await mapBatch(images, (picture) => compute(pad, { picture, ...border, value: 0.5 }));
    const inside = await compute(feather, {
      width,
      height,
      feathering: integerOf(inputs, 'feathering'),
      sides: { left: left > 0, top: top > 0, right: border.right > 0, bottom: border.bottom > 0 },
    });
    return { outputs: [padded, [await compute(pad, { picture: inside, ...border, value: 1 })]] };
  },
};

const getImageSize: GraphNode = {
  id: 'GetImageSize',
  title: 'Get Image Size',
  category: 'image',
  description: 'Tells the width and height of pictures in samples, and how many there are.',
  required: { image: input('IMAGE') },
  hidden: { unique_id: 'UNIQUE_ID' },
  outputs: [
    { type: 'INT', name: 'width' },
    { type: 'INT', name: 'height' },
    { type: 'INT', name: 'batch_size' },
  ],
  run(inputs) {
    const images = picturesOf(inputs, 'image');
    return { outputs: [images[0].width, images[0].height, images.length] };
  },
};

/** The nodes that make, change and measure pictures. */
export default [emptyImage, imageInvert, imageCrop, imagePadForOutpaint, getImageSize];
