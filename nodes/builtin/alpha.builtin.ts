import { LineageError } from '../kit/errors.ts';
import type { GraphNode } from '../kit/graph-node.ts';
import { input } from './declare-inputs.ts';
import fill from './kernels/fill.ts';
import joinAlpha from './kernels/join-alpha.ts';
import pickChannels from './kernels/pick-channels.ts';
import resize from './kernels/resize.ts';
import { mapBatch } from './map-batch.ts';
import { picturesOf } from './read-inputs.ts';

/**
 * Transparency apart from colours: as a mask it is 1 where a picture is transparent.
 * @see ComfyUI 618b803d comfy_extras/nodes_compositing.py
 */

const IMAGE = { type: 'IMAGE', name: 'IMAGE' };

const splitImageWithAlpha: GraphNode = {
  id: 'SplitImageWithAlpha',
  title: 'Split Image with Alpha',
  category: 'mask/compositing',
  description: 'Parts pictures into colours and transparency.',
  required: { image: input('IMAGE') },
  outputs: [IMAGE, { type: 'MASK', name: 'MASK' }],
  async run(inputs, { compute }) {
    const images = picturesOf(inputs, 'image');
    const colours = await mapBatch(images, async (picture) =>
      picture.channels === 4 ? await compute(pickChannels, { picture, channels: [0, 1, 2] }) : picture,
    );
    const masks = await mapBatch(images, (picture) =>
      picture.channels === 4
        ? compute(pickChannels, { picture, channels: [3], floats: true, inverted: true })
        : compute(fill, { width: picture.width, height: picture.height, colour: [0], as: 'floats' }),
    );
    return { outputs: [colours, masks] };
  },
};

const joinImageWithAlpha: GraphNode = {
  id: 'JoinImageWithAlpha',
  title: 'Join Image with Alpha',
  category: 'mask/compositing',
  description: 'Makes pictures transparent where a mask is 1; the shorter batch decides how many.',
  required: { image: input('IMAGE'), alpha: input('MASK') },
  outputs: [IMAGE],
  async run(inputs, { compute }) {
    const images = picturesOf(inputs, 'image');
    const masks = picturesOf(inputs, 'alpha');
    const [{ width, height }] = images;
    const fitted = await mapBatch(masks.slice(0, images.length), (picture) =>
      compute(resize, { picture, width, height, method: 'bilinear', crop: 'disabled' }),
    );
    const joined = await Promise.all(
      fitted.map((mask, i) => {
        const picture = images[i] ?? images[0];
        if (picture.channels < 3) throw new LineageError('builtin/shapes', 'expected pictures with colours');
        return compute(joinAlpha, { picture, mask });
      }),
    );
    return { outputs: [joined] };
  },
};

/** The nodes for transparency. */
export default [splitImageWithAlpha, joinImageWithAlpha];
