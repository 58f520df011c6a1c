import { LineageError } from '../kit/errors.ts';
import type { GraphNode, RunContext } from '../kit/graph-node.ts';
import type { Pixels } from '../kit/values.ts';
import { input, wholeNumber } from './declare-inputs.ts';
import pickChannels from './kernels/pick-channels.ts';
import resize from './kernels/resize.ts';
import { mapBatch } from './map-batch.ts';
import { checkBatch, integerOf, picturesOf } from './read-inputs.ts';

/**
 * Batches of pictures, joined and taken apart. Pictures are shared between batches, never copied.
 * @see ComfyUI 618b803d nodes.py ImageBatch; comfy_extras/nodes_rebatch.py, nodes_images.py
 */

const BATCH_MAX = 4096;
const OUTPUT = [{ type: 'IMAGE', name: 'IMAGE' }];

const imageBatch: GraphNode = {
  id: 'ImageBatch',
  title: 'Batch Images',
  category: 'image',
  description: 'Joins two batches; the second takes the size of the first.',
  deprecated: true,
  required: { image1: input('IMAGE'), image2: input('IMAGE') },
  outputs: OUTPUT,
  async run(inputs, context) {
    const channels = Math.max(
      picturesOf(inputs, 'image1')[0].channels,
      picturesOf(inputs, 'image2')[0].channels,
    );
    const first = await withChannels(picturesOf(inputs, 'image1'), channels, context);
    const second = await withChannels(picturesOf(inputs, 'image2'), channels, context);
    checkBatch(first.length + second.length);
    const { width, height } = picturesOf(inputs, 'image1')[0];
    const fitted = await mapBatch(second, async (picture) =>
      picture.width === width && picture.height === height
        ? picture
        : await context.compute(resize, { picture, width, height, method: 'bilinear', crop: 'center' }),
    );
    return { outputs: [[...first, ...fitted]] };
  },
};

/** Adds an opaque alpha channel where the other batch has one. */
async function withChannels(
  pictures: readonly Pixels[],
  channels: number,
  { compute }: RunContext,
): Promise<readonly Pixels[]> {
  return await mapBatch(pictures, async (picture) => {
    if (picture.channels === channels) return picture;
    if (picture.channels === 3)
      return await compute(pickChannels, { picture, channels: [0, 1, 2, 'opaque'] });
    throw new LineageError(
      'builtin/shapes',
      `expected pictures of ${channels} channels, got ${picture.channels}`,
    );
  });
}

const rebatchImages: GraphNode = {
  id: 'RebatchImages',
  title: 'Rebatch Images',
  category: 'image/batch',
  description: 'Puts all pictures of a list into batches of one length.',
  inputIsList: true,
  required: { images: input('IMAGE'), batch_size: wholeNumber(1, 1, BATCH_MAX) },
  outputs: [{ type: 'IMAGE', name: 'IMAGE', isList: true }],
  run(inputs) {
    const batches = listOf(inputs['images']).map((images) => picturesOf({ images }, 'images'));
    const length = integerOf({ batch_size: listOf(inputs['batch_size'])[0] }, 'batch_size');
    checkBatch(batches.reduce((sum, batch) => sum + batch.length, 0));
    const all = batches.flat();
    const [first] = all;
    const other = all.find((each) => !hasShapeOf(each, first));
    if (first && other && length > 1) {
      throw new LineageError(
        'builtin/shapes',
        `expected pictures of ${shapeOf(first)}, got one of ${shapeOf(other)}`,
      );
    }
    const step = Math.max(1, length);
    const count = Math.ceil(all.length / step);
    const rebatched = Array.from({ length: count }, (_, i) => all.slice(i * step, (i + 1) * step));
    return { outputs: [rebatched] };
  },
};

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [value];
}

function hasShapeOf(one: Pixels, other: Pixels | undefined): boolean {
  return other !== undefined && shapeOf(one) === shapeOf(other);
}

function shapeOf({ width, height, channels }: Pixels): string {
  return `${width}x${height}x${channels}`;
}

const imageFromBatch: GraphNode = {
  id: 'ImageFromBatch',
  title: 'ImageFromBatch',
  category: 'image/batch',
  description: 'Takes pictures out of a batch, by their number from 0.',
  required: {
    image: input('IMAGE'),
    batch_index: wholeNumber(0, 0, BATCH_MAX - 1),
    length: wholeNumber(1, 1, BATCH_MAX),
  },
  outputs: OUTPUT,
  run(inputs) {
    const images = picturesOf(inputs, 'image');
    const from = Math.max(0, Math.min(images.length - 1, integerOf(inputs, 'batch_index')));
    return { outputs: [images.slice(from, from + Math.max(1, integerOf(inputs, 'length')))] };
  },
};

const repeatImageBatch: GraphNode = {
  id: 'RepeatImageBatch',
  title: 'RepeatImageBatch',
  category: 'image/batch',
  description: 'Repeats a batch.',
  required: { image: input('IMAGE'), amount: wholeNumber(1, 1, BATCH_MAX) },
  outputs: OUTPUT,
  run(inputs) {
    const images = picturesOf(inputs, 'image');
    const amount = Math.max(1, integerOf(inputs, 'amount'));
    checkBatch(images.length * amount);
    const repeated: Pixels[] = [];
    for (let i = 0; i < amount; i++) for (const image of images) repeated.push(image);
    return { outputs: [repeated] };
  },
};

/** The nodes that join and part batches. */
export default [imageBatch, rebatchImages, imageFromBatch, repeatImageBatch];
