import { encodePixels } from '../formats/pixels.ts';
import { splicePng } from '../formats/png.ts';
import { stringifyAscii } from '../kit/exact-json.ts';
import type { GraphNode, GraphResult, RunContext } from '../kit/graph-node.ts';
import type { Host } from '../kit/host.ts';
import { type SavedFile, toSavedFile } from '../kit/saved-file.ts';
import type { Pixels } from '../kit/values.ts';
import { input } from './declare-inputs.ts';
import pickChannels from './kernels/pick-channels.ts';
import truncate from './kernels/truncate.ts';
import { mapBatch } from './map-batch.ts';
import { picturesOf, textOf } from './read-inputs.ts';
import { fillPrefix, previewMark } from './save-prefix.ts';

/**
 * Pictures as PNG files that carry their graph, as ComfyUI saves them: `255 * sample` cut off, text chunks `prompt` and
 * one for each key of `extra_pnginfo`. Each file takes the next free counter of its own name, and none is replaced.
 * @see ComfyUI 618b803d nodes.py SaveImage, PreviewImage; comfy_api/latest/_ui.py PreviewMask
 */

/** ComfyUI's name for pictures nobody named. */
const DEFAULT_PREFIX = 'ComfyUI';
const HIDDEN = { prompt: 'PROMPT', extra_pnginfo: 'EXTRA_PNGINFO' };

async function save(
  images: readonly [Pixels, ...Pixels[]],
  prefix: string,
  folder: 'output' | 'temp',
  { host, compute }: RunContext,
): Promise<readonly SavedFile[]> {
  const texts = host.disableMetadata ? new Map<string, string>() : textsOf(host);
  const saved: SavedFile[] = [];
  for (const [index, image] of images.entries()) {
    host.signal.throwIfAborted();
    const picture = await compute(truncate, image);
    const encoded = await encodePixels(picture, { format: 'png', quality: 100 });
    const path = await host.writeOutput({
      folder,
      prefix: fillPrefix(prefix, images[0], host.now, index),
      extension: 'png',
      counter: true,
      bytes: splicePng(encoded, { texts }),
    });
    saved.push(toSavedFile(path, folder));
  }
  return saved;
}

/** Keywords and JSON; numbers keep the spelling that the prompt has. */
function textsOf(host: Host): ReadonlyMap<string, string> {
  const texts = new Map<string, string>();
  if (host.prompt !== undefined) texts.set('prompt', stringifyAscii(host.prompt));
  for (const [key, value] of Object.entries(host.extraPnginfo)) texts.set(key, stringifyAscii(value));
  return texts;
}

const saveImage: GraphNode = {
  id: 'SaveImage',
  title: 'Save Image',
  category: 'image',
  description: 'Saves pictures as PNG in the output folder, with their graph.',
  required: {
    images: input('IMAGE', { tooltip: 'The pictures to save.' }),
    filename_prefix: input('STRING', {
      default: DEFAULT_PREFIX,
      tooltip: 'How the names start; may hold folders and tokens such as %year% or %width%.',
    }),
  },
  hidden: HIDDEN,
  outputs: [],
  terminal: true,
  async run(inputs, context): Promise<GraphResult> {
    const images = picturesOf(inputs, 'images');
    return { ui: { images: await save(images, textOf(inputs, 'filename_prefix'), 'output', context) } };
  },
};

const previewImage: GraphNode = {
  id: 'PreviewImage',
  title: 'Preview Image',
  category: 'image',
  description: 'Shows pictures; they lie in the folder for temporary files.',
  required: { images: input('IMAGE') },
  hidden: HIDDEN,
  outputs: [],
  terminal: true,
  async run(inputs, context): Promise<GraphResult> {
    const images = picturesOf(inputs, 'images');
    return { ui: { images: await save(images, previewPrefix(context.host), 'temp', context) } };
  },
};

const maskPreview: GraphNode = {
  id: 'MaskPreview',
  title: 'Preview Mask',
  category: 'mask',
  description: 'Shows masks as grey pictures; they lie in the folder for temporary files.',
  required: { mask: input('MASK') },
  hidden: HIDDEN,
  outputs: [],
  terminal: true,
  async run(inputs, context): Promise<GraphResult> {
    const [first, ...others] = picturesOf(inputs, 'mask');
    const [grey, ...greys] = await mapBatch([first, ...others], (picture) =>
      context.compute(pickChannels, { picture, channels: [0, 0, 0] }),
    );
    const images = await save([grey ?? first, ...greys], previewPrefix(context.host), 'temp', context);
    return { ui: { images, animated: [false] } };
  },
};

function previewPrefix({ nodeId, now }: Host): string {
  return DEFAULT_PREFIX + previewMark(nodeId, now);
}

/** The nodes that save and show pictures. */
export default [saveImage, previewImage, maskPreview];
