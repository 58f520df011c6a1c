import { type Container, readContainer, spliceContainer } from '../formats/container.ts';
import { MAX_SEGMENT_BYTES, xmpSegmentBytes } from '../formats/jpeg.ts';
import { setXmpProperty } from '../formats/xmp.ts';
import type { WarningSink } from '../kit/warnings.ts';
import { withDigitalSource } from './digital-source.ts';
import type { FileMetadata } from './file-metadata.ts';
import { exifWith, fitJpeg } from './fit-jpeg.ts';
import { renderParameters } from './infotext.ts';
import { fitSegments, type Kept, keepOwnBlocks, leftBehind, withoutOurs, withoutTag } from './kept-blocks.ts';
import { packGraphs } from './packed-graphs.ts';
import { RECORD_KEYWORD, RECORD_XMP } from './record-places.ts';
import { COMPRESSED, type Dropped, type Stage, TOO_SMALL } from './stages.ts';

/** A JPEG budget counts the whole APP1 segment, marker included; it is at most what a segment holds. */
const MIN_EXIF_BYTES = 4 * 1024;
/** In KiB: a little room is left for what other programs add to the same segment. */
export const DEFAULT_MAX_EXIF_KB = 60;

export type EmbedRequest = FileMetadata & {
  /** For JPEG: the largest APP1 segment; brought into 4,096 to 65,535 bytes. */
  readonly maxExifBytes: number;
  /** The file the pixels came from, where they were encoded anew: its own metadata is carried over. */
  readonly carriedFrom?: Container;
};

export type Embedded = {
  readonly bytes: Uint8Array;
  readonly stage: Stage;
  /** The infotext as it was written. */
  readonly text: string;
  readonly dropped: readonly Dropped[];
};

/**
 * Puts the metadata into an encoded picture by splicing; its pixels stay as they are, bit for bit. What the
 * picture carried stays (ICC, XMP, camera EXIF, C2PA); our own and A1111 fields are replaced.
 *
 * @param bytes a complete PNG, JPEG, WebP or AVIF file; not modified
 * @throws LineageError `<format>/malformed`
 */
export function embedMetadata(bytes: Uint8Array, request: EmbedRequest, warn: WarningSink): Embedded {
  const container = readContainer(bytes);
  const found = keepOwnBlocks(container, request.carriedFrom, warn);
  const { kept, dropped: tooLong } =
    container.format === 'jpeg' ? fitSegments(found) : { kept: found, dropped: [] };
  if (container.hasC2pa)
    warn('embed/c2pa', 'its signature does not cover the new metadata', container.format);
  const embedded = embedByFormat(bytes, container, request, kept);
  const dropped = [
    ...leftBehind(request.carriedFrom),
    ...tooLong,
    ...withoutTag(container, kept, request),
    ...embedded.dropped,
  ];
  for (const { what, why } of dropped) warn('embed/dropped', `${what}: ${why}`, container.format);
  return { ...embedded, dropped };
}

function embedByFormat(bytes: Uint8Array, container: Container, request: EmbedRequest, kept: Kept): Embedded {
  if (container.format === 'png') return embedPng(bytes, request, kept);
  if (container.format === 'jpeg') return embedJpeg(bytes, request, kept);
  const text = renderParameters(request.parameters);
  const exif = exifWith(kept, request, text, 'unicode', true);
  const xmp = setXmpProperty(
    withDigitalSource(kept.xmp, request.digitalSource),
    RECORD_XMP,
    withoutMarkup(request.record),
  );
  return { bytes: spliceContainer(bytes, { exif, xmp }), stage: 'full', text, dropped: [] };
}

function embedPng(bytes: Uint8Array, request: EmbedRequest, kept: Kept): Embedded {
  const text = renderParameters(request.parameters);
  const texts = new Map(text === '' ? [] : [['parameters', text]]);
  if (request.prompt !== undefined) texts.set('prompt', request.prompt);
  if (request.workflow !== undefined) texts.set('workflow', request.workflow);
  const stale = ['parameters', 'prompt', 'workflow'].filter((keyword) => !texts.has(keyword));
  const spliced = spliceContainer(bytes, {
    texts,
    itxt: new Map([[RECORD_KEYWORD, request.record]]),
    removeKeywords: stale,
    exif: withoutOurs(kept) ?? null,
    xmp: withDigitalSource(withoutRecord(kept.xmp), request.digitalSource) ?? null,
  });
  return { bytes: spliced, stage: 'full', text, dropped: [] };
}

function embedJpeg(bytes: Uint8Array, request: EmbedRequest, kept: Kept): Embedded {
  const budget = Math.min(MAX_SEGMENT_BYTES, Math.max(MIN_EXIF_BYTES, request.maxExifBytes));
  const blocks = fitJpeg(request, kept, budget);
  const own = withoutRecord(kept.xmp);
  const marked = withDigitalSource(own, request.digitalSource);
  const isMarked = marked === undefined || xmpSegmentBytes(marked) <= MAX_SEGMENT_BYTES;
  const rest = isMarked ? marked : own;
  const whole = setXmpProperty(rest, RECORD_XMP, withoutMarkup(request.record));
  const holdsRecord = blocks.stage === 'full' && xmpSegmentBytes(whole) <= budget;
  const dropped = [
    ...blocks.dropped,
    ...(holdsRecord ? [] : [{ what: 'lineage:record', why: TOO_SMALL }]),
    ...(isMarked ? [] : [{ what: 'digital source type', why: 'the XMP of the picture fills its segment' }]),
  ];
  const packed = blocks.stage === 'full' ? undefined : packGraphs(request);
  if (packed) for (const [i, each] of dropped.entries()) dropped[i] = asPacked(each);
  const { exif, text, stage } = blocks;
  const comment = stage === 'com-marker' && text !== '' ? new TextEncoder().encode(text) : null;
  const spliced = spliceContainer(bytes, {
    exif,
    xmp: holdsRecord ? whole : (rest ?? null),
    comment,
    packed: packed ?? null,
  });
  return { bytes: spliced, stage, text, dropped };
}

/** No program but ours finds them there, so they are still told. */
function asPacked({ what, why }: Dropped): Dropped {
  return what === 'prompt' || what === 'workflow' ? { what, why: COMPRESSED } : { what, why };
}

/** The picture's own XMP. */
function withoutRecord(packet: string | undefined): string | undefined {
  return packet === undefined ? undefined : setXmpProperty(packet, RECORD_XMP, null);
}

/** JSON without the characters that XML would have to escape: one popular reader does not resolve entities. */
function withoutMarkup(json: string): string {
  return json.replace(/[&<>]/g, (char) => `\\u00${char.charCodeAt(0).toString(16)}`);
}
