import { decodeFrames } from '../formats/pixels.ts';
import { LineageError } from '../kit/errors.ts';
import type { GraphNode, RunContext, RunInputs, Validator } from '../kit/graph-node.ts';
import type { Pixels } from '../kit/values.ts';
import { input, oldMenu } from './declare-inputs.ts';
import fill from './kernels/fill.ts';
import pickChannels from './kernels/pick-channels.ts';
import sha256 from './kernels/sha256.ts';
import { mapBatch } from './map-batch.ts';
import { choiceOf, textOf } from './read-inputs.ts';

/**
 * Pictures from the host's folders, as ComfyUI reads them: upright, without their colour profile, all frames of an
 * animation; masks are 1 where a picture is transparent. Pictures stay bytes. Their menus are empty
 * here: the host fills in the files of its input folder (`image_upload`).
 * @see ComfyUI 618b803d nodes.py LoadImage, LoadImageMask, LoadImageOutput
 */

const MASK_CHANNELS = ['alpha', 'red', 'green', 'blue'] as const;
/** ComfyUI's side of the mask of a picture without alpha. */
const EMPTY_MASK_SIDE = 64;

const validate: Validator = {
  inputs: ['image'],
  async check(inputs, _types, files) {
    const name = inputs['image'];
    if (name === undefined || files === undefined) return true;
    return typeof name === 'string' && (await files.has(name)) ? true : `Invalid image file: ${name}`;
  },
};

async function readBytes(inputs: RunInputs, { host }: RunContext): Promise<Uint8Array> {
  const name = textOf(inputs, 'image');
  const bytes = await host.readInput?.(name);
  if (bytes) return bytes;
  throw new LineageError('file/missing', `expected a picture of the input folder, got ${name}`, {
    input: 'image',
  });
}

/** The content decides whether a result is kept, as with `IS_CHANGED`. A linked name is not known yet. */
async function fingerprint(inputs: RunInputs, context: RunContext): Promise<string | undefined> {
  if (inputs['image'] === undefined) return undefined;
  return await context.compute(sha256, await readBytes(inputs, context));
}

async function load(inputs: RunInputs, context: RunContext) {
  const frames = await decodeFrames(await readBytes(inputs, context));
  const images = await mapBatch(frames, async (picture) =>
    picture.channels === 4 ? await context.compute(pickChannels, { picture, channels: [0, 1, 2] }) : picture,
  );
  return { outputs: [images, await masksOf(frames, 3, context)] };
}

/** One channel of each frame, alpha inverted; empty masks where there is no such channel. */
async function masksOf(
  frames: readonly Pixels[],
  channel: number,
  context: RunContext,
): Promise<readonly Pixels[]> {
  return await mapBatch(frames, (picture) =>
    channel < picture.channels
      ? context.compute(pickChannels, {
          picture,
          channels: [channel],
          floats: true,
          inverted: channel === 3,
        })
      : context.compute(fill, {
          width: EMPTY_MASK_SIDE,
          height: EMPTY_MASK_SIDE,
          colour: [0],
          as: 'floats',
        }),
  );
}

const loadImage: GraphNode = {
  id: 'LoadImage',
  title: 'Load Image',
  category: 'image',
  description: 'Loads a picture of the input folder, and its transparency as a mask.',
  required: { image: { type: [], options: { image_upload: true } } },
  outputs: [
    { type: 'IMAGE', name: 'IMAGE' },
    { type: 'MASK', name: 'MASK' },
  ],
  validate,
  fingerprint,
  run: load,
};

const loadImageOutput: GraphNode = {
  ...loadImage,
  id: 'LoadImageOutput',
  title: 'Load Image (from Outputs)',
  description: 'Loads a picture of the output folder. Its button reads the folder anew and takes the first.',
  required: {
    image: input('COMBO', {
      image_upload: true,
      image_folder: 'output',
      remote: { route: '/internal/files/output', refresh_button: true, control_after_refresh: 'first' },
    }),
  },
  experimental: true,
};

const loadImageMask: GraphNode = {
  id: 'LoadImageMask',
  title: 'Load Image (as Mask)',
  category: 'mask',
  description: 'Loads one channel of a picture of the input folder as a mask; its alpha is inverted.',
  required: {
    image: { type: [], options: { image_upload: true } },
    channel: oldMenu(MASK_CHANNELS),
  },
  outputs: [{ type: 'MASK', name: 'MASK' }],
  validate,
  fingerprint,
  async run(inputs, context) {
    const channel = choiceOf(inputs, 'channel', MASK_CHANNELS);
    // Of an animation, ComfyUI takes the first frame here. Without alpha a picture is opaque: the mask is 0.
    const frames = (await decodeFrames(await readBytes(inputs, context), true)).slice(0, 1);
    const opaque = frames.some(({ channels }) => channels === 3);
    if (channel !== 'alpha' || !opaque) {
      const number = channel === 'alpha' ? 3 : MASK_CHANNELS.indexOf(channel) - 1;
      return { outputs: [await masksOf(frames, number, context)] };
    }
    const empty = ({ width, height }: Pixels) =>
      context.compute(fill, { width, height, colour: [0], as: 'floats' });
    return { outputs: [await mapBatch(frames, empty)] };
  },
};

/** The nodes that load pictures. */
export default [loadImage, loadImageMask, loadImageOutput];
