import { spliceContainer } from '../../../nodes/formats/container.ts';
import { layOutIfds, TYPE } from '../../../nodes/formats/tiff.ts';
import type { ImageFormat } from '../../../nodes/kit/values.ts';
import {
  type Chunk,
  internationalChunk,
  textChunk,
  withChunks,
  withSegment,
} from '../../bridge/cli/pictures.ts';
import { makeImage } from '../../formats/samples.ts';
import { type CommentCoding, userComment } from '../reader-views.ts';

export const GRAPH = '{"1":{"class_type":"KSampler","inputs":{"seed":5}}}';
export const WORKFLOW = '{"nodes":[{"id":1,"type":"KSampler"}],"links":[]}';
const DETAILS: Readonly<Record<string, string>> = {
  Steps: '30',
  Sampler: 'Euler a',
  'CFG scale': '7',
  Seed: '5',
  Size: '832x1216',
  'Model hash': 'abcdef1234',
  Model: 'foo',
  Version: 'ComfyUI',
};

/** A text that every reader understands, with other details (null: without) and other prompts. */
export function infotext(
  details: Readonly<Record<string, string | null>> = {},
  prompts = 'a fox in the snow\nNegative prompt: blurry',
): string {
  const line = Object.entries({ ...DETAILS, ...details }).filter(([, value]) => value !== null);
  return `${prompts}\n${line.map(([key, value]) => `${key}: ${value}`).join(', ')}`;
}

const isLatin1 = (text: string): boolean => /^[\t\n\x20-\x7e\xa0-\xff]*$/.test(text);

/** A PNG with these texts; those that are no Latin-1 as iTXt. */
export async function png(
  texts: Readonly<Record<string, string>>,
  more: readonly Chunk[] = [],
): Promise<Buffer> {
  const chunks = Object.entries(texts).map(([keyword, text]) =>
    isLatin1(text) ? textChunk(keyword, text) : internationalChunk(keyword, text),
  );
  return withChunks(await makeImage('png'), [...chunks, ...more]);
}

/** A PNG that carries all there is. */
export const full = (parameters = infotext()): Promise<Buffer> =>
  png({ parameters, prompt: GRAPH, workflow: WORKFLOW });

/** A TIFF block of just these values, big-endian: a UserComment in this coding, texts of IFD0 by tag. */
function exif(
  text: string | undefined,
  coding: CommentCoding,
  ascii: Readonly<Record<number, string>>,
): Uint8Array {
  const texts = Object.entries(ascii).map(([tag, value]) => {
    const bytes = Buffer.from(`${value}\0`);
    return { tag: Number(tag), type: TYPE.ascii, count: bytes.length, value: bytes };
  });
  const comment = text === undefined ? [] : [userComment(text, coding)];
  const entries = comment.map((value) => ({ tag: 0x9286, type: TYPE.undefined, count: value.length, value }));
  const head = Buffer.from('4d4d002a00000008', 'hex');
  return Buffer.concat([head, layOutIfds(texts, entries, { start: 8, next: 0, order: 'MM' })]);
}

/** A picture with EXIF. */
export async function withExif(
  format: ImageFormat,
  text: string | undefined,
  {
    coding = 'be',
    ascii = {},
    channels = 3,
  }: { coding?: CommentCoding; ascii?: Readonly<Record<number, string>>; channels?: 3 | 4 } = {},
): Promise<Uint8Array> {
  return spliceContainer(await makeImage(format, { channels }), { exif: exif(text, coding, ascii) });
}

/** A JPEG whose text stands in a comment. */
export async function withComment(text: string): Promise<Buffer> {
  return withSegment(await makeImage('jpeg'), { marker: 0xfe, data: Buffer.from(text) });
}
