import { LineageError } from '../kit/errors.ts';
import { assemble, concatBytes, keep, type Piece } from './assemble.ts';
import { latin1Bytes, need, startsWith, u8, u16be, u16beBytes } from './cursor.ts';
import { holdsOurs } from './exif.ts';
import { isInfotext } from './is-infotext.ts';
import { isManifestPacket } from './jumbf.ts';
import { isMultiPictureIndex, moveMultiPictureIndex } from './multi-picture.ts';
import { isPackedSegment } from './packed-segments.ts';
import { EXIF_PREFIX } from './tiff.ts';
import { textOf } from './user-comment.ts';

/** What a JPEG says beside its pixels. Byte blocks are views into the file. */
export type JpegContents = {
  readonly width: number;
  readonly height: number;
  /** The TIFF block of the first EXIF segment, without `Exif\0\0`. */
  readonly exif?: Uint8Array;
  /** The standard XMP packet; extended parts are not joined. */
  readonly xmp?: string;
  /** COM segments in file order. */
  readonly comments: readonly Uint8Array[];
  readonly hasIcc: boolean;
  /** A C2PA manifest in APP11 (JUMBF). */
  readonly hasC2pa: boolean;
  /** Data of the segments with compressed graphs, in file order; see `packed-segments.ts`. */
  readonly packed: readonly Uint8Array[];
};

/** What to change; absent stays as it is, null removes. */
export type JpegChange = {
  readonly exif?: Uint8Array | null;
  readonly xmp?: string | null;
  /** Takes the place of comments that hold generation parameters; other comments stay. */
  readonly comment?: Uint8Array | null;
  /** Data of segments as `packSegments` gives them. */
  readonly packed?: readonly Uint8Array[] | null;
};

/**
 * The most a segment may take, marker included. The length field alone could say two bytes more; readers and
 * budgets count the whole segment.
 */
export const MAX_SEGMENT_BYTES = 0xffff;
/** Segments before the scan. The longest profiles and manifests take some hundred. */
const MAX_SEGMENTS = 100_000;
const MARKER = {
  soi: 0xd8,
  eoi: 0xd9,
  sos: 0xda,
  app0: 0xe0,
  app1: 0xe1,
  app2: 0xe2,
  app11: 0xeb,
  com: 0xfe,
} as const;
const XMP_HEAD = latin1Bytes('http://ns.adobe.com/xap/1.0/\0');
const ICC_HEAD = latin1Bytes('ICC_PROFILE\0');
const EOI = Uint8Array.of(0xff, MARKER.eoi);

/** One segment: its data are [data, end). */
export type JpegSegment = {
  readonly marker: number;
  readonly start: number;
  readonly data: number;
  readonly end: number;
};

/** The error every structural fault of a JPEG ends in. */
function malformed(message: string, byte: number): LineageError {
  return new LineageError('jpeg/malformed', message, { byte });
}

/**
 * Walks the segments from SOI up to the first SOS, which is the last one given; a segment starts behind the one
 * before, so fill bytes belong to the segment they precede.
 *
 * @see ITU-T T.81, annex B
 */
function* walkSegments(bytes: Uint8Array): Generator<JpegSegment> {
  if (u16be(bytes, 0, 'jpeg/malformed') !== 0xffd8) throw malformed('expected SOI, got other bytes', 0);
  let start = 2;
  for (;;) {
    let at = start;
    if (u8(bytes, at, 'jpeg/malformed') !== 0xff) throw malformed('expected a marker, got other bytes', at);
    while (u8(bytes, at, 'jpeg/malformed') === 0xff) at++;
    const marker = u8(bytes, at, 'jpeg/malformed');
    if (marker < 0xc0 || (marker >= 0xd0 && marker <= MARKER.eoi)) {
      throw malformed(`expected a segment before the scan, got marker 0x${marker.toString(16)}`, at);
    }
    const length = u16be(bytes, at + 1, 'jpeg/malformed');
    if (length < 2) throw malformed(`expected a segment length of 2 or more, got ${length}`, at + 1);
    need(bytes, at + 1, length, 'jpeg/malformed');
    const end = at + 1 + length;
    yield { marker, start, data: at + 3, end };
    if (marker === MARKER.sos) return;
    start = end;
  }
}

/** Start of frame: C0 to CF but DHT (C4), JPG (C8) and DAC (CC). */
export function isFrame(marker: number): boolean {
  return marker >= 0xc0 && marker <= 0xcf && marker !== 0xc4 && marker !== 0xc8 && marker !== 0xcc;
}

/**
 * The segments up to the first scan; the file as a whole is checked: a frame before the scan, and an end of image
 * somewhere behind it.
 *
 * @throws LineageError `jpeg/malformed`
 */
export function listJpegSegments(bytes: Uint8Array): JpegSegment[] {
  const segments: JpegSegment[] = [];
  for (const segment of walkSegments(bytes)) {
    if (segments.push(segment) > MAX_SEGMENTS)
      throw malformed(`expected at most ${MAX_SEGMENTS} segments, got more`, segment.start);
  }
  if (!segments.some(({ marker }) => isFrame(marker)))
    throw malformed('expected a frame before the scan, got none', 2);
  const scanAt = segments.at(-1)?.end ?? 0;
  // From the end: there it is found at once, and a scan of the entropy-coded data would cost more than the copy.
  if (Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).lastIndexOf(EOI) < scanAt) {
    throw malformed('expected an end of image, got a truncated scan', bytes.length);
  }
  return segments;
}

/**
 * Reads what a JPEG carries beside its pixels.
 *
 * @throws LineageError `jpeg/malformed`
 */
export function readJpeg(bytes: Uint8Array): JpegContents {
  const comments: Uint8Array[] = [];
  const packed: Uint8Array[] = [];
  let width = 0;
  let height = 0;
  let exif: Uint8Array | undefined;
  let xmp: string | undefined;
  let hasIcc = false;
  let hasC2pa = false;
  for (const segment of listJpegSegments(bytes)) {
    const data = bytes.subarray(segment.data, segment.end);
    if (isFrame(segment.marker)) {
      // precision u8 · height u16 · width u16 · components
      height = u16be(data, 1, 'jpeg/malformed');
      width = u16be(data, 3, 'jpeg/malformed');
      if (width === 0 || height === 0)
        throw malformed(`expected sides above 0, got ${width}x${height}`, segment.start);
    } else if (segment.marker === MARKER.com) comments.push(data);
    else if (isExif(segment, data)) exif ??= data.subarray(EXIF_PREFIX.length);
    else if (isXmp(segment, data)) xmp ??= new TextDecoder().decode(data.subarray(XMP_HEAD.length));
    else if (segment.marker === MARKER.app2 && startsWith(data, ICC_HEAD)) hasIcc = true;
    else if (isPacked(segment, data)) packed.push(data);
    else if (segment.marker === MARKER.app11) hasC2pa ||= isManifestPacket(data);
  }
  return {
    width,
    height,
    ...(exif === undefined ? {} : { exif }),
    ...(xmp === undefined ? {} : { xmp }),
    comments,
    hasIcc,
    hasC2pa,
    packed,
  };
}

function isExif(segment: JpegSegment, data: Uint8Array): boolean {
  return segment.marker === MARKER.app1 && startsWith(data, EXIF_PREFIX);
}

function isPacked(segment: JpegSegment, data: Uint8Array): boolean {
  return segment.marker === MARKER.app11 && isPackedSegment(data);
}

function isXmp(segment: JpegSegment, data: Uint8Array): boolean {
  return segment.marker === MARKER.app1 && startsWith(data, XMP_HEAD);
}

/**
 * Puts EXIF, XMP and a comment into a JPEG: EXIF stands first (behind JFIF's APP0, which must be the first), then
 * XMP; packed segments stand behind the other application segments; the comment stands behind all others, since readers of the field take the last. Every other segment and the
 * scans keep their bytes and order, extended XMP included, and so do pictures behind the first: the index of a
 * Multi-Picture file follows them. Of several EXIF or XMP segments the first is changed; of the other EXIF ones, ours
 * go. Where XMP is removed, all of it goes: the second would be the first then.
 *
 * @param bytes a complete JPEG; not modified, not retained.
 * @returns a new file; splicing the same change again gives the same bytes.
 * @throws LineageError `jpeg/malformed`, `jpeg/segment-too-large`
 */
export function spliceJpeg(bytes: Uint8Array, change: JpegChange): Uint8Array {
  const segments = listJpegSegments(bytes);
  const firstExif = segments.find((segment) => isExif(segment, bytes.subarray(segment.data, segment.end)));
  const firstXmp = segments.find((segment) => isXmp(segment, bytes.subarray(segment.data, segment.end)));
  const isReplaced = (segment: JpegSegment): boolean => {
    const data = bytes.subarray(segment.data, segment.end);
    if (isExif(segment, data)) {
      return (
        change.exif !== undefined && (segment === firstExif || holdsOurs(data.subarray(EXIF_PREFIX.length)))
      );
    }
    if (isXmp(segment, data))
      return change.xmp === null || (change.xmp !== undefined && segment === firstXmp);
    if (isPacked(segment, data)) return change.packed !== undefined;
    return segment.marker === MARKER.com && change.comment !== undefined && isInfotext(textOf(data));
  };
  const kept = segments.filter((segment) => !isReplaced(segment));
  const headAt = endOfLeading(kept, (segment) => segment.marker === MARKER.app0);
  const packedAt = endOfLeading(kept, isApplication);
  const commentAt = change.comment ? placeOfComment(kept) : -1;
  const pieces: Piece[] = [{ from: 0, to: 2 }];
  let outAt = 2;
  let index:
    | { readonly segment: JpegSegment; readonly place: number; readonly dataOutAt: number }
    | undefined;
  const put = (segmentBytes: Uint8Array): void => {
    pieces.push(segmentBytes);
    outAt += segmentBytes.length;
  };
  for (const [i, segment] of kept.entries()) {
    if (i === headAt) for (const made of makeHead(change)) put(made);
    if (i === packedAt) for (const data of change.packed ?? []) put(makeJpegSegment(MARKER.app11, data));
    if (i === commentAt && change.comment) put(makeJpegSegment(MARKER.com, change.comment));
    const isIndex =
      segment.marker === MARKER.app2 && isMultiPictureIndex(bytes.subarray(segment.data, segment.end));
    if (isIndex && index === undefined) {
      keep(pieces, segment.start, segment.data);
      index = { segment, place: pieces.length, dataOutAt: outAt + segment.data - segment.start };
      pieces.push({ from: segment.data, to: segment.end });
    } else if (index?.place === pieces.length - 1) pieces.push({ from: segment.start, to: segment.end });
    else keep(pieces, segment.start, segment.end);
    outAt += segment.end - segment.start;
  }
  const scanAt = segments.at(-1)?.end ?? bytes.length;
  if (index !== undefined) {
    const { data, end } = index.segment;
    const whole = outAt - scanAt;
    const behind = whole - (index.dataOutAt - data);
    // Offsets count from the TIFF header, which stands behind `MPF\0`.
    pieces[index.place] = moveMultiPictureIndex(
      bytes.subarray(data, end),
      { whole, behind },
      scanAt - data - 4,
    );
  }
  keep(pieces, scanAt, bytes.length);
  return assemble(bytes, pieces);
}

/** How many of the first segments are of this kind. */
function endOfLeading(segments: readonly JpegSegment[], isKind: (segment: JpegSegment) => boolean): number {
  const end = segments.findIndex((segment) => !isKind(segment));
  return end < 0 ? segments.length : end;
}

/** Behind the last comment that stays; without one, behind the application segments. */
function placeOfComment(kept: readonly JpegSegment[]): number {
  const last = kept.findLastIndex(({ marker }) => marker === MARKER.com);
  return last >= 0 ? last + 1 : endOfLeading(kept, isApplication);
}

function isApplication({ marker }: JpegSegment): boolean {
  return marker >= MARKER.app0 && marker <= 0xef;
}

function makeHead(change: JpegChange): Uint8Array[] {
  const head: Uint8Array[] = [];
  if (change.exif) head.push(makeJpegSegment(MARKER.app1, EXIF_PREFIX, change.exif));
  if (typeof change.xmp === 'string')
    head.push(makeJpegSegment(MARKER.app1, XMP_HEAD, new TextEncoder().encode(change.xmp)));
  return head;
}

/**
 * FF · marker · length u16 BE (itself included) · data
 *
 * @throws LineageError `jpeg/segment-too-large`
 */
export function makeJpegSegment(marker: number, ...data: readonly Uint8Array[]): Uint8Array {
  let segmentBytes = 4;
  for (const part of data) segmentBytes += part.length;
  if (segmentBytes > MAX_SEGMENT_BYTES) {
    throw new LineageError(
      'jpeg/segment-too-large',
      `expected a segment of at most ${MAX_SEGMENT_BYTES} bytes, got ${segmentBytes}`,
    );
  }
  return concatBytes(Uint8Array.of(0xff, marker), u16beBytes(segmentBytes - 2), ...data);
}

/** Bytes of the whole APP1 segment that carries this TIFF block: marker, length and `Exif\0\0` included. */
export function exifSegmentBytes(exif: Uint8Array): number {
  return 4 + EXIF_PREFIX.length + exif.length;
}

/** Bytes of the whole COM segment that carries this comment: marker and length included. */
export function commentSegmentBytes(comment: Uint8Array): number {
  return 4 + comment.length;
}

/** Bytes of the whole APP1 segment that carries this XMP packet: marker, length and XMP's own header included. */
export function xmpSegmentBytes(packet: string): number {
  return 4 + XMP_HEAD.length + Buffer.byteLength(packet, 'utf8');
}
