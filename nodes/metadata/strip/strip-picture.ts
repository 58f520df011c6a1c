import { concatBytes } from '../../formats/assemble.ts';
import { type Container, readContainer, spliceContainer } from '../../formats/container.ts';
import { readExif } from '../../formats/exif.ts';
import { commentSegmentBytes, exifSegmentBytes, MAX_SEGMENT_BYTES } from '../../formats/jpeg.ts';
import { strangersInAvif, unreadInAvif } from '../../formats/parts/erase-avif.ts';
import { mapExifTexts } from '../../formats/parts/exif-texts.ts';
import { createPartLister, type PartedFormat, type PartLister } from '../../formats/parts/list-parts.ts';
import { inflatedBlocks } from '../../formats/parts/png-text.ts';
import { EXIF_PREFIX, withoutExifPrefix } from '../../formats/tiff.ts';
import { isLineageError, LineageError } from '../../kit/errors.ts';
import type { ImageFormat } from '../../kit/values.ts';
import type { WarningSink } from '../../kit/warnings.ts';
import { readCarried } from '../carried.ts';
import { withDigitalSource } from '../digital-source.ts';
import { exifWith } from '../fit-jpeg.ts';
import { parseInfotext } from '../infotext.ts';
import { unpackGraphs } from '../packed-graphs.ts';
import { archivePicture } from './archive-picture.ts';
import { barePicture } from './bare-picture.ts';
import { clientText } from './client-text.ts';
import { holdsKey } from './key-shapes.ts';
import {
  findNeedles,
  MIN_NEEDLE_BYTES,
  type Needle,
  needlesOfBytes,
  needlesOfPieces,
  needlesOfText,
  openSearch,
} from './needles.ts';
import type { StripProfile } from './profiles.ts';
import { createScrubber, type Secret } from './scrub.ts';

/** A stripped picture, proved to be so. */
export type Stripped = {
  readonly bytes: Uint8Array;
  /** Names of the parts that went as a whole. */
  readonly removed: readonly string[];
  /** What was taken out of texts, by kind. */
  readonly secrets: readonly Secret[];
  /** How many pieces of what was taken out were looked for, and found nowhere. */
  readonly searched: number;
  /**
   * What was kept as it is without being followed, so that bytes which decoders pass over may be among it. Of `archive`,
   * which keeps everything, none is named.
   */
  readonly unread: readonly string[];
};

/** Folders of paths that are shorter stand in addresses and prompts as well; there recognition alone has to do. */
const MIN_PATH_CHARS = 12;

/**
 * Takes metadata out of a picture, by a profile; the pixels stay as they are, bit for bit. The result is then searched
 * for everything that was taken out, in every part, compressed ones and other encodings included.
 *
 * @param bytes a complete PNG, JPEG, WebP or AVIF; not modified
 * @param beside texts that lie beside the picture (a record, a workflow): what is secret there is secret here
 * @throws LineageError of the container; `strip/left-behind` where the search finds something
 */
export function stripPicture(
  bytes: Uint8Array,
  profile: StripProfile,
  warn: WarningSink,
  beside: readonly string[] = [],
): Stripped {
  const container = readContainer(bytes);
  const listParts = createPartLister();
  const texts = textsOf(bytes, container, listParts);
  const secrets = secretsOf([...texts.map(({ text }) => text), ...beside]);
  const stripped =
    profile === 'archive'
      ? archive(bytes, container, secrets, listParts)
      : bare(bytes, container, profile, texts, secrets, listParts);
  const blocks = searchableBlocks(stripped.bytes, container.format, listParts);
  const found = findNeedles(blocks, stripped.needles);
  const hasKey = profile !== 'public' && blocks.some((block) => holdsKey(block, true));
  const after = readContainer(stripped.bytes);
  const stillSecret =
    profile === 'public' ? [] : secretsOf(textsOf(stripped.bytes, after, listParts).map(({ text }) => text));
  const left = new Set([
    ...found.map(({ of }) => of),
    ...stillSecret.map(({ kind }) => kind),
    ...(hasKey ? ['key'] : []),
  ]);
  if (left.size > 0) {
    throw new LineageError(
      'strip/left-behind',
      `expected nothing to be left, got parts of: ${[...left].join(', ')}`,
    );
  }
  if (container.hasC2pa && !after.hasC2pa)
    warn('strip/c2pa', 'it could not vouch for the changed file', container.format);
  const unread = profile === 'archive' ? [] : unreadOf(stripped.bytes, container.format, listParts);
  if (unread.length > 0)
    warn('strip/unread', `bytes inside ${unread.join(', ')} were not followed`, container.format);
  const { removed, needles } = stripped;
  return { bytes: stripped.bytes, removed: [...new Set(removed)], secrets, searched: needles.length, unread };
}

function unreadOf(bytes: Uint8Array, format: ImageFormat, listParts: PartLister): string[] {
  const parts =
    format === 'avif' ? unreadInAvif(bytes) : listParts(bytes, format).filter(({ isUnread }) => isUnread);
  const named = parts.map(
    ({ name, role }) => `${role === 'colour' ? 'colour tables' : 'coded pixel data'} of ${name.trim()}`,
  );
  return [...new Set(named)];
}

/** What is secret in these texts, whichever of them gives it away. */
function secretsOf(texts: readonly string[]): readonly Secret[] {
  const scrubber = createScrubber();
  for (const text of new Set(texts)) scrubber.scrub(text);
  return scrubber.secrets;
}

type Work = {
  readonly bytes: Uint8Array;
  readonly removed: readonly string[];
  readonly needles: readonly Needle[];
};

function archive(
  bytes: Uint8Array,
  container: Container,
  secrets: readonly Secret[],
  listParts: PartLister,
): Work {
  const needles = secrets.flatMap(({ kind, text }) =>
    text.length >= (kind === 'path' ? MIN_PATH_CHARS : MIN_NEEDLE_BYTES)
      ? needlesOfText(text.slice(0, 4_096), kind)
      : [],
  );
  const { scrub } = createScrubber(secrets);
  return { ...archivePicture(bytes, container, scrub, openSearch(needles), listParts), needles };
}

function bare(
  bytes: Uint8Array,
  container: Container,
  profile: Exclude<StripProfile, 'archive'>,
  texts: readonly NamedText[],
  secrets: readonly Secret[],
  listParts: PartLister,
): Work {
  const picture = barePicture(bytes, container, listParts);
  const { parameters, digitalSource } = readCarried(container);
  const isClient = profile === 'client';
  const text = isClient && parameters !== undefined ? clientText(parameters, createScrubber(secrets)) : '';
  const xmp = isClient ? withDigitalSource(undefined, digitalSource) : undefined;
  const exif = text === '' ? picture.exif : exifOfText(text, picture.exif, container);
  const out = putBack(picture.bytes, container.format, { text, xmp, exif });
  const allowed = [text, xmp ?? ''].join('\n');
  const needles = [
    ...needlesOfPieces(texts, allowed),
    ...strangersOf(bytes, picture.bytes, container, exif ? [concatBytes(EXIF_PREFIX, exif)] : [], listParts),
  ];
  return { bytes: out, removed: picture.removed, needles };
}

/** The EXIF block that carries a generation text; none where only a comment can hold it. */
function exifOfText(
  text: string,
  turned: Uint8Array | undefined,
  container: Container,
): Uint8Array | undefined {
  const { format, width, height, hasIcc } = container;
  if (format === 'png') return turned;
  const kept = { width, height, hasIcc, ...(turned && { exif: turned }) };
  const metadata = { parameters: parseInfotext(text), record: '' };
  const unicode = exifWith(kept, metadata, text, 'unicode', false);
  if (format !== 'jpeg' || exifSegmentBytes(unicode) <= MAX_SEGMENT_BYTES) return unicode;
  const ascii = /^[\x01-\x7f]*$/.test(text) ? exifWith(kept, metadata, text, 'ascii', false) : undefined;
  return ascii && exifSegmentBytes(ascii) <= MAX_SEGMENT_BYTES ? ascii : turned;
}

type Kept = {
  readonly text: string;
  readonly xmp: string | undefined;
  readonly exif: Uint8Array | undefined;
};

/** The generation text and the mark, in the places that readers know. */
function putBack(bytes: Uint8Array, format: ImageFormat, { text, xmp, exif }: Kept): Uint8Array {
  if (text === '' && xmp === undefined) return bytes;
  const blocks = { ...(xmp !== undefined && { xmp }), ...(exif && { exif }) };
  if (format === 'png')
    return spliceContainer(bytes, {
      ...blocks,
      ...(text !== '' && { texts: new Map([['parameters', text]]) }),
    });
  const holdsText = text === '' || (exif !== undefined && readExif(exif).userComment !== undefined);
  if (holdsText) return spliceContainer(bytes, blocks);
  const comment = new TextEncoder().encode(text);
  if (commentSegmentBytes(comment) <= MAX_SEGMENT_BYTES)
    return spliceContainer(bytes, { ...blocks, comment });
  throw new LineageError(
    'jpeg/segment-too-large',
    'expected a generation text that a segment holds, got a longer one',
  );
}

type NamedText = { readonly text: string; readonly of: string };

/** Every text that a reader could find, wherever it lies. */
function textsOf(bytes: Uint8Array, container: Container, listParts: PartLister): NamedText[] {
  const texts: NamedText[] = container.texts.map(({ keyword, text }) => ({ text, of: `text "${keyword}"` }));
  const add = (text: string, of: string): void => void texts.push({ text, of });
  const readBlock = (block: Uint8Array): void => {
    mapExifTexts(block, (text) => {
      add(text, 'EXIF');
      return text;
    });
  };
  if (container.exif) readBlock(container.exif);
  if (container.xmp !== undefined) add(container.xmp, 'XMP');
  for (const comment of container.comments) add(new TextDecoder().decode(comment), 'comment');
  const { prompt, workflow } = packedGraphs(container) ?? {};
  for (const text of [prompt, workflow]) if (text !== undefined) add(text, 'compressed graphs');
  if (container.format === 'avif') return texts;
  for (const part of listParts(bytes, container.format)) {
    // Further blocks of a kind are read by some, too.
    if (part.role === 'exif') readBlock(withoutExifPrefix(part.data));
    if (part.role === 'xmp' && container.format !== 'png') add(new TextDecoder().decode(part.data), 'XMP');
  }
  return texts;
}

function packedGraphs({ packed }: Container): ReturnType<typeof unpackGraphs> | undefined {
  try {
    return packed.length > 0 ? unpackGraphs(packed) : undefined;
  } catch (error) {
    // Nobody can read them; the profiles take them out as they are.
    if (isLineageError(error, 'jpeg/packed')) return undefined;
    throw error;
  }
}

/**
 * Pieces of what is no text: thumbnails, further pictures, unknown data. What the picture itself holds as well, and
 * the blocks that were made for it, may hold the same.
 */
function strangersOf(
  bytes: Uint8Array,
  picture: Uint8Array,
  { format, exif }: Container,
  made: readonly Uint8Array[],
  listParts: PartLister,
): Needle[] {
  const named =
    format === 'avif'
      ? [...(exif ? [exif] : []), ...strangersInAvif(bytes)].map((data) => ({ name: 'a part', data }))
      : listParts(bytes, format).filter(({ role }) => role === 'other' || role === 'exif' || role === 'c2pa');
  const needles = needlesOfBytes(named);
  const own = format === 'avif' ? [] : runsOfPicture(picture, format, listParts);
  const common = new Set(findNeedles([...made, ...own], needles));
  return needles.filter((needle) => !common.has(needle));
}

/** The bytes of the picture proper, as they stand beside one another. */
function runsOfPicture(picture: Uint8Array, format: PartedFormat, listParts: PartLister): Uint8Array[] {
  const runs: Uint8Array[] = [];
  let from = 0;
  for (const { role, start, end } of listParts(picture, format)) {
    if (role === 'pixels' || role === 'colour') continue;
    runs.push(picture.subarray(from, start));
    from = end;
  }
  return [...runs, picture.subarray(from)];
}

/** The file as it is, and what its compressed parts hold. */
function searchableBlocks(bytes: Uint8Array, format: ImageFormat, listParts: PartLister): Uint8Array[] {
  if (format === 'png') return [bytes, ...inflatedBlocks(listParts(bytes, 'png'))];
  const { prompt = '', workflow = '' } = packedGraphs(readContainer(bytes)) ?? {};
  return [bytes, ...[prompt, workflow].map((text) => new TextEncoder().encode(text))];
}
