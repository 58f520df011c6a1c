import fc from 'fast-check';
import { spliceContainer } from '../../../nodes/formats/container.ts';
import { writeExif } from '../../../nodes/formats/exif.ts';
import type { ImageFormat } from '../../../nodes/kit/values.ts';
import { makeImage } from '../../formats/samples.ts';
import {
  type Chunk,
  cameraExif,
  internationalChunk,
  textChunk,
  withChunks,
  withSegment,
  XMP_PACKET,
} from '../cli/pictures.ts';

/** A text-to-image graph as ComfyUI writes it, blanks included. */
export function promptText(seed: number, words: string): string {
  const graph = {
    '3': {
      class_type: 'KSampler',
      inputs: {
        seed,
        steps: 20,
        cfg: 7.5,
        sampler_name: 'euler',
        scheduler: 'karras',
        denoise: 1,
        model: ['4', 0],
        positive: ['6', 0],
        negative: ['7', 0],
        latent_image: ['5', 0],
      },
    },
    '4': { class_type: 'CheckpointLoaderSimple', inputs: { ckpt_name: 'old/dream.safetensors' } },
    '5': { class_type: 'EmptyLatentImage', inputs: { width: 64, height: 48, batch_size: 1 } },
    '6': { class_type: 'CLIPTextEncode', inputs: { text: words, clip: ['4', 1] } },
    '7': { class_type: 'CLIPTextEncode', inputs: { text: 'blurry', clip: ['4', 1] } },
    '8': { class_type: 'VAEDecode', inputs: { samples: ['3', 0], vae: ['4', 2] } },
    '9': { class_type: 'SaveImage', inputs: { images: ['8', 0], filename_prefix: 'ComfyUI' } },
  };
  const ascii = JSON.stringify(graph, null, 1).replace(/\n */g, ' ');
  return ascii.replace(/[^\0-\x7e]/g, (sign) => `\\u${sign.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

/** A picture with its graph, and metadata of others around it. */
export type Drawn = {
  readonly format: ImageFormat;
  readonly seed: number;
  readonly words: string;
  /** Texts, chunks or comments that other programs left. */
  readonly others: readonly { readonly kind: number; readonly text: string; readonly isBehind: boolean }[];
  readonly hasExif: boolean;
  readonly hasXmp: boolean;
  /** Bytes behind the end of the picture, as some phones leave them. */
  readonly trailing: Uint8Array;
};

const other = fc.record({
  kind: fc.nat({ max: 5 }),
  text: fc.string({ maxLength: 200 }),
  isBehind: fc.boolean(),
});

export function drawPicture(format: ImageFormat): fc.Arbitrary<Drawn> {
  return fc.record({
    format: fc.constant(format),
    seed: fc.nat(),
    words: fc.string({ maxLength: 80, unit: 'grapheme' }),
    others: fc.array(other, { maxLength: 4 }),
    hasExif: fc.boolean(),
    hasXmp: fc.boolean(),
    trailing: fc.uint8Array({ maxLength: 20 }),
  });
}

export async function makePicture(drawn: Drawn): Promise<Uint8Array> {
  const { format, seed, words, others, hasExif, hasXmp, trailing } = drawn;
  const plain = await makeImage(format, { width: 24, height: 16, lossless: true });
  const prompt = promptText(seed, words);
  const xmp = hasXmp ? XMP_PACKET : undefined;
  if (format === 'png') return makePng(plain, prompt, drawn);
  const exif = writeExif({
    ascii: new Map([[0x10f, `prompt:${prompt}`]]),
    width: 24,
    height: 16,
    ...(hasExif && { base: cameraExif() }),
  });
  let bytes = spliceContainer(plain, { exif, ...(xmp !== undefined && { xmp }) });
  if (format === 'jpeg') {
    for (const { kind, text } of others) {
      const data = Buffer.from(text);
      bytes = withSegment(bytes, { marker: kind === 0 ? 0xfe : 0xe4 + kind, data });
    }
  }
  // What follows belongs to somebody else; in an AVIF it would have to be boxes.
  return format === 'jpeg' ? Buffer.concat([bytes, trailing]) : bytes;
}

function makePng(plain: Uint8Array, prompt: string, drawn: Drawn): Uint8Array {
  const { others, hasExif, hasXmp, trailing } = drawn;
  const chunks = others.map(({ kind, text, isBehind }) => ({ chunk: foreignChunk(kind, text), isBehind }));
  const before = [
    ...(hasExif ? [{ type: 'eXIf', data: cameraExif() }] : []),
    ...(hasXmp ? [internationalChunk('XML:com.adobe.xmp', XMP_PACKET)] : []),
    ...chunks.flatMap(({ chunk, isBehind }) => (isBehind ? [] : [chunk])),
    textChunk('prompt', prompt),
  ];
  const whole = withChunks(plain, before);
  // IEND is 12 bytes; what stands right before it stands behind the pixels.
  const behind = chunks.flatMap(({ chunk, isBehind }) => (isBehind ? [chunk] : []));
  const [head, end] = [whole.subarray(0, -12), whole.subarray(-12)];
  const added = withChunks(plain, behind).subarray(33, -1 * (plain.length - 33));
  return Buffer.concat([head, added, end, trailing]);
}

function foreignChunk(kind: number, text: string): Chunk {
  if (kind === 0) return internationalChunk('parameters', text);
  if (kind === 1) return textChunk('Software', text.replace(/[^\x20-\x7e]/g, '.'));
  if (kind === 2) return internationalChunk('Comment', text);
  if (kind === 5) return internationalChunk('lineage', text);
  if (kind === 3) return { type: 'tIME', data: Buffer.from([7, 234, 1, 2, 3, 4, 5]) };
  return { type: 'prVt', data: Buffer.from(text) };
}
