import { LineageError } from '../kit/errors.ts';
import type { GraphNode } from '../kit/graph-node.ts';
import { input, MAX_SIDE, menu, wholeNumber } from './declare-inputs.ts';
import colourToMask from './kernels/colour-to-mask.ts';
import compositeMasks, { MASK_OPERATIONS } from './kernels/composite-masks.ts';
import crop from './kernels/crop.ts';
import fill from './kernels/fill.ts';
import pickChannels from './kernels/pick-channels.ts';
import threshold from './kernels/threshold.ts';
import { mapBatch } from './map-batch.ts';
import { partOf } from './part-of.ts';
import { choiceOf, integerOf, numberOf, picturesOf } from './read-inputs.ts';

/**
 * Masks, alone and out of pictures. A mask is a batch of one channel of floats.
 * @see ComfyUI 618b803d comfy_extras/nodes_mask.py
 */

const CHANNELS = ['red', 'green', 'blue', 'alpha'] as const;
const MASK = { type: 'MASK', name: 'MASK' };

const imageToMask: GraphNode = {
  id: 'ImageToMask',
  title: 'Convert Image to Mask',
  category: 'mask',
  description: 'Takes one channel of pictures as a mask.',
  required: { image: input('IMAGE'), channel: menu(CHANNELS) },
  outputs: [MASK],
  async run(inputs, { compute }) {
    const name = choiceOf(inputs, 'channel', CHANNELS);
    const channel = CHANNELS.indexOf(name);
    const masks = await mapBatch(picturesOf(inputs, 'image'), (picture) => {
      if (channel >= picture.channels) {
        throw new LineageError(
          'builtin/shapes',
          `expected pictures with ${name}, got ${picture.channels} channels`,
        );
      }
      return compute(pickChannels, { picture, channels: [channel], floats: true });
    });
    return { outputs: [masks] };
  },
};

const maskToImage: GraphNode = {
  id: 'MaskToImage',
  title: 'Convert Mask to Image',
  category: 'mask',
  description: 'Makes grey pictures of masks.',
  required: { mask: input('MASK') },
  outputs: [{ type: 'IMAGE', name: 'IMAGE' }],
  async run(inputs, { compute }) {
    const images = await mapBatch(picturesOf(inputs, 'mask'), (picture) =>
      compute(pickChannels, { picture, channels: [0, 0, 0] }),
    );
    return { outputs: [images] };
  },
};

const imageColorToMask: GraphNode = {
  id: 'ImageColorToMask',
  title: 'ImageColorToMask',
  category: 'mask',
  description: 'Makes masks of where pictures have a colour.',
  required: {
    image: input('IMAGE'),
    color: wholeNumber(0, 0, 0xffffff, { step: 1, display: 'number' }),
  },
  outputs: [MASK],
  async run(inputs, { compute }) {
    const masks = await mapBatch(picturesOf(inputs, 'image'), (picture) => {
      if (picture.channels < 3) throw new LineageError('builtin/shapes', 'expected pictures with colours');
      return compute(colourToMask, { picture, colour: integerOf(inputs, 'color') });
    });
    return { outputs: [masks] };
  },
};

const solidMask: GraphNode = {
  id: 'SolidMask',
  title: 'SolidMask',
  category: 'mask',
  description: 'Makes a mask of one value.',
  required: {
    value: input('FLOAT', { default: 1.0, min: 0.0, max: 1.0, step: 0.01 }),
    width: wholeNumber(512, 1, MAX_SIDE, { step: 1 }),
    height: wholeNumber(512, 1, MAX_SIDE, { step: 1 }),
  },
  outputs: [MASK],
  async run(inputs, { compute }) {
    const size = { width: integerOf(inputs, 'width'), height: integerOf(inputs, 'height') };
    return {
      outputs: [[await compute(fill, { ...size, colour: [numberOf(inputs, 'value')], as: 'floats' })]],
    };
  },
};

const invertMask: GraphNode = {
  id: 'InvertMask',
  title: 'InvertMask',
  category: 'mask',
  description: 'Makes 1 of 0 and 0 of 1.',
  required: { mask: input('MASK') },
  outputs: [MASK],
  async run(inputs, { compute }) {
    const masks = await mapBatch(picturesOf(inputs, 'mask'), (picture) =>
      compute(pickChannels, { picture, channels: [0], inverted: true }),
    );
    return { outputs: [masks] };
  },
};

const cropMask: GraphNode = {
  id: 'CropMask',
  title: 'CropMask',
  category: 'mask',
  description: 'Cuts a part out of masks; what would lie beyond them is left out.',
  required: {
    mask: input('MASK'),
    x: wholeNumber(0, 0, MAX_SIDE, { step: 1 }),
    y: wholeNumber(0, 0, MAX_SIDE, { step: 1 }),
    width: wholeNumber(512, 1, MAX_SIDE, { step: 1 }),
    height: wholeNumber(512, 1, MAX_SIDE, { step: 1 }),
  },
  outputs: [MASK],
  async run(inputs, { compute }) {
    const [left, top] = [integerOf(inputs, 'x'), integerOf(inputs, 'y')];
    const wanted = { left, top, width: integerOf(inputs, 'width'), height: integerOf(inputs, 'height') };
    const masks = await mapBatch(picturesOf(inputs, 'mask'), (picture) =>
      compute(crop, { picture, part: partOf(picture, wanted) }),
    );
    return { outputs: [masks] };
  },
};

const thresholdMask: GraphNode = {
  id: 'ThresholdMask',
  title: 'ThresholdMask',
  category: 'mask',
  description: 'Makes 1 of what is above a value, and 0 of the rest.',
  required: {
    mask: input('MASK'),
    value: input('FLOAT', { default: 0.5, min: 0.0, max: 1.0, step: 0.01 }),
  },
  outputs: [MASK],
  async run(inputs, { compute }) {
    const value = numberOf(inputs, 'value');
    const masks = await mapBatch(picturesOf(inputs, 'mask'), (mask) => compute(threshold, { mask, value }));
    return { outputs: [masks] };
  },
};

const maskComposite: GraphNode = {
  id: 'MaskComposite',
  title: 'MaskComposite',
  category: 'mask',
  description: 'Lays masks on others and combines the samples that meet.',
  required: {
    destination: input('MASK'),
    source: input('MASK'),
    x: wholeNumber(0, 0, MAX_SIDE, { step: 1 }),
    y: wholeNumber(0, 0, MAX_SIDE, { step: 1 }),
    operation: menu(MASK_OPERATIONS),
  },
  outputs: [MASK],
  async run(inputs, { compute }) {
    const destinations = picturesOf(inputs, 'destination');
    const sources = picturesOf(inputs, 'source');
    if (sources.length !== 1 && sources.length !== destinations.length) {
      throw new LineageError(
        'builtin/shapes',
        `expected 1 or ${destinations.length} masks to lay on, got ${sources.length}`,
      );
    }
    const place = { x: integerOf(inputs, 'x'), y: integerOf(inputs, 'y') };
    const operation = choiceOf(inputs, 'operation', MASK_OPERATIONS);
    const masks = await Promise.all(
      destinations.map((destination, i) =>
        compute(compositeMasks, { destination, source: sources[i] ?? sources[0], ...place, operation }),
      ),
    );
    return { outputs: [masks] };
  },
};

/** The nodes for masks. */
export default [
  imageToMask,
  maskToImage,
  imageColorToMask,
  solidMask,
  invertMask,
  cropMask,
  thresholdMask,
  maskComposite,
];
