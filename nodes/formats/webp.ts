import { LineageError } from '../kit/errors.ts';
import { assemble, concatBytes, keep, type Piece } from './assemble.ts';
import { fourCharsAt, latin1Bytes, need, u8, u16le, u32le, u32leBytes } from './cursor.ts';
import { isManifestStore } from './jumbf.ts';
import { withoutExifPrefix } from './tiff.ts';

/** What a WebP says beside its pixels. Byte blocks are views into the file. */
export type WebpContents = {
  /** Pixels of the canvas. */
  readonly width: number;
  readonly height: number;
  readonly hasAlpha: boolean;
  readonly isAnimated: boolean;
  /** The TIFF block of the first EXIF chunk; a JPEG-style `Exif\0\0` before it is taken off. */
  readonly exif?: Uint8Array;
  readonly xmp?: string;
  readonly hasIcc: boolean;
  /** A C2PA manifest. */
  readonly hasC2pa: boolean;
};

/** What to change; absent stays as it is, null removes. */
export type WebpChange = {
  /** A TIFF block without `Exif\0\0`. */
  readonly exif?: Uint8Array | null;
  readonly xmp?: string | null;
};

/** One chunk: its data are [data, data + length), a pad byte may follow. */
export type WebpChunk = {
  readonly type: string;
  readonly start: number;
  readonly data: number;
  readonly length: number;
  readonly end: number;
};
type Canvas = { readonly width: number; readonly height: number; readonly hasAlpha: boolean };

/** Flags of VP8X. @see https://developers.google.com/speed/webp/docs/riff_container#extended_file_format */
const FLAG = { animation: 0x02, xmp: 0x04, exif: 0x08, alpha: 0x10, icc: 0x20 } as const;
const RIFF_HEAD_BYTES = 12;
const CHUNK_HEAD_BYTES = 8;
const VP8X_BYTES = 10;
/** RIFF sizes are u32, and the specification leaves room for the header. */
const MAX_RIFF_BYTES = 0xffff_fff6;

/** The error every structural fault of a WebP ends in. */
function malformed(message: string, byte: number): LineageError {
  return new LineageError('webp/malformed', message, { byte });
}

/**
 * 'RIFF' · size u32 LE · 'WEBP'. Answers with the end of the RIFF form; what follows it is not ours.
 *
 * @throws LineageError `webp/malformed`
 */
export function readRiffEnd(bytes: Uint8Array): number {
  need(bytes, 0, RIFF_HEAD_BYTES, 'webp/malformed');
  if (
    fourCharsAt(bytes, 0, 'webp/malformed') !== 'RIFF' ||
    fourCharsAt(bytes, 8, 'webp/malformed') !== 'WEBP'
  ) {
    throw malformed('expected a RIFF form of type WEBP, got other bytes', 0);
  }
  const end = CHUNK_HEAD_BYTES + u32le(bytes, 4, 'webp/malformed');
  // One writer in the field leaves the last pad byte out of the file but counts it.
  if (end < RIFF_HEAD_BYTES || end > bytes.length + 1) {
    throw malformed(
      `expected a RIFF size inside the file of ${bytes.length} bytes, got ${end - CHUNK_HEAD_BYTES}`,
      4,
    );
  }
  return Math.min(end, bytes.length);
}

/**
 * type (4 ASCII) · length u32 LE · data · pad to even, from the head of the RIFF form or another place on.
 *
 * @throws LineageError `webp/malformed`
 */
export function* walkWebpChunks(
  bytes: Uint8Array,
  riffEnd: number,
  from: number = RIFF_HEAD_BYTES,
): Generator<WebpChunk> {
  let at = from;
  while (at < riffEnd) {
    if (at + CHUNK_HEAD_BYTES > riffEnd)
      throw malformed('expected a chunk, got the end of the RIFF form', at);
    const length = u32le(bytes, at + 4, 'webp/malformed');
    const data = at + CHUNK_HEAD_BYTES;
    if (data + length > riffEnd)
      throw malformed(`expected a chunk inside the RIFF form, got ${length} bytes`, at);
    const end = Math.min(data + length + (length % 2), riffEnd);
    yield { type: fourCharsAt(bytes, at, 'webp/malformed'), start: at, data, length, end };
    at = end;
  }
}

function isImage(type: string): boolean {
  return type === 'VP8 ' || type === 'VP8L' || type === 'ANMF';
}

/** The canvas as VP8X, VP8 or VP8L declares it; undefined for another chunk. */
function readCanvas(bytes: Uint8Array, { type, data, length }: WebpChunk): Canvas | undefined {
  const chunk = bytes.subarray(data, data + length);
  if (type === 'VP8X') {
    // flags u8 · reserved u24 · width - 1 u24 LE · height - 1 u24 LE
    const hasAlpha = (u8(chunk, 0, 'webp/malformed') & FLAG.alpha) !== 0;
    return { width: u24le(chunk, 4) + 1, height: u24le(chunk, 7) + 1, hasAlpha };
  }
  if (type === 'VP8 ') {
    // frame tag u24 · 9D 01 2A · width u14 LE and scale u2 · height u14 LE and scale u2 (RFC 6386, 9.1)
    if (u24le(chunk, 3) !== 0x2a019d) throw malformed('expected a VP8 key frame, got other bytes', data);
    const width = u16le(chunk, 6, 'webp/malformed') & 0x3fff;
    const height = u16le(chunk, 8, 'webp/malformed') & 0x3fff;
    if (width === 0 || height === 0) throw malformed(`expected sides above 0, got ${width}x${height}`, data);
    return { width, height, hasAlpha: false };
  }
  if (type !== 'VP8L') return undefined;
  // 2F · width - 1 u14 · height - 1 u14 · alpha u1 · version u3, from the lowest bit
  if (u8(chunk, 0, 'webp/malformed') !== 0x2f)
    throw malformed('expected a VP8L signature, got other bytes', data);
  const bits = u32le(chunk, 1, 'webp/malformed');
  return {
    width: (bits & 0x3fff) + 1,
    height: ((bits >>> 14) & 0x3fff) + 1,
    hasAlpha: ((bits >>> 28) & 1) === 1,
  };
}

/** Unsigned 24-bit, little-endian. */
function u24le(bytes: Uint8Array, at: number): number {
  return u16le(bytes, at, 'webp/malformed') | (u8(bytes, at + 2, 'webp/malformed') << 16);
}

type Layout = {
  readonly canvas: Canvas;
  readonly riffEnd: number;
  readonly vp8x?: WebpChunk;
  /** The first of each kind that matters. */
  readonly first: ReadonlyMap<string, WebpChunk>;
};

/** One pass over the chunks: structure checked, the first of each type remembered. */
function readLayout(bytes: Uint8Array): Layout {
  const riffEnd = readRiffEnd(bytes);
  const first = new Map<string, WebpChunk>();
  const known = new Set(['VP8X', 'VP8 ', 'VP8L', 'ANMF', 'ANIM', 'ICCP', 'ALPH', 'EXIF', 'XMP ', 'C2PA']);
  for (const chunk of walkWebpChunks(bytes, riffEnd)) {
    if (known.has(chunk.type) && !first.has(chunk.type)) first.set(chunk.type, chunk);
    if (chunk.type === 'VP8X' && chunk.start !== RIFF_HEAD_BYTES) {
      throw malformed('expected VP8X as the first chunk only, got it later', chunk.start);
    }
  }
  const vp8x = first.get('VP8X');
  const image = first.get('VP8 ') ?? first.get('VP8L') ?? first.get('ANMF');
  const canvas = image && readCanvas(bytes, vp8x ?? image);
  if (canvas === undefined) throw malformed('expected an image chunk, got none', RIFF_HEAD_BYTES);
  return { canvas, riffEnd, first, ...(vp8x === undefined ? {} : { vp8x }) };
}

/**
 * Reads what a WebP carries beside its pixels.
 *
 * @throws LineageError `webp/malformed`
 * @see https://developers.google.com/speed/webp/docs/riff_container
 */
export function readWebp(bytes: Uint8Array): WebpContents {
  const { canvas, first } = readLayout(bytes);
  const dataOf = (type: string): Uint8Array | undefined => {
    const chunk = first.get(type);
    return chunk && bytes.subarray(chunk.data, chunk.data + chunk.length);
  };
  const exif = dataOf('EXIF');
  const xmp = dataOf('XMP ');
  return {
    width: canvas.width,
    height: canvas.height,
    hasAlpha: canvas.hasAlpha || first.has('ALPH'),
    isAnimated: first.has('ANIM'),
    ...(exif === undefined ? {} : { exif: withoutExifPrefix(exif) }),
    ...(xmp === undefined ? {} : { xmp: new TextDecoder().decode(xmp) }),
    hasIcc: first.has('ICCP'),
    hasC2pa: isManifestStore(dataOf('C2PA') ?? new Uint8Array(0)),
  };
}

/**
 * Puts EXIF and XMP into a WebP, right behind the image data, in the order the format asks for. A simple file gets
 * the VP8X header it then needs; every other chunk keeps its bytes and order.
 *
 * @param bytes a complete WebP; not modified, not retained.
 * @returns a new file; splicing the same change again gives the same bytes.
 * @throws LineageError `webp/malformed`
 */
export function spliceWebp(bytes: Uint8Array, change: WebpChange): Uint8Array {
  const layout = readLayout(bytes);
  const body: Piece[] = [];
  let lastImage = RIFF_HEAD_BYTES;
  for (const chunk of walkWebpChunks(bytes, layout.riffEnd)) if (isImage(chunk.type)) lastImage = chunk.start;
  for (const chunk of walkWebpChunks(bytes, layout.riffEnd)) {
    const isOurs = chunk.type === 'EXIF' || chunk.type === 'XMP ' || chunk.type === 'VP8X';
    if (!isOurs) {
      keep(body, chunk.start, chunk.end);
      if (chunk.end - chunk.data < chunk.length + (chunk.length % 2)) body.push(new Uint8Array(1));
    }
    if (chunk.start === lastImage) body.push(...makeMetadata(bytes, layout, change));
  }
  const head = makeVp8x(bytes, layout, change);
  const pieces: Piece[] = [...head, ...body];
  let riffBytes = 4;
  for (const piece of pieces) riffBytes += piece instanceof Uint8Array ? piece.length : piece.to - piece.from;
  if (riffBytes > MAX_RIFF_BYTES)
    throw malformed(`expected at most ${MAX_RIFF_BYTES} bytes, got ${riffBytes}`, 4);
  pieces.unshift(concatBytes(latin1Bytes('RIFF'), u32leBytes(riffBytes), latin1Bytes('WEBP')));
  keep(pieces, layout.riffEnd, bytes.length);
  return assemble(bytes, pieces);
}

/** The bytes of the EXIF and XMP chunks after the change; undefined where there will be none. */
function metadataAfter(
  bytes: Uint8Array,
  { first }: Layout,
  change: WebpChange,
): { exif?: Uint8Array; xmp?: Uint8Array } {
  const after = (type: string, fresh: Uint8Array | null | undefined): Uint8Array | undefined => {
    const chunk = first.get(type);
    if (fresh === null) return undefined;
    return fresh ?? (chunk && bytes.subarray(chunk.data, chunk.data + chunk.length));
  };
  const exif = after('EXIF', change.exif);
  const xmp = after(
    'XMP ',
    typeof change.xmp === 'string' ? new TextEncoder().encode(change.xmp) : change.xmp,
  );
  return { ...(exif === undefined ? {} : { exif }), ...(xmp === undefined ? {} : { xmp }) };
}

function makeMetadata(bytes: Uint8Array, layout: Layout, change: WebpChange): Uint8Array[] {
  const { exif, xmp } = metadataAfter(bytes, layout, change);
  return [...(exif ? [makeWebpChunk('EXIF', exif)] : []), ...(xmp ? [makeWebpChunk('XMP ', xmp)] : [])];
}

/** VP8X with its metadata flags set; none for a simple file that stays simple. */
function makeVp8x(bytes: Uint8Array, layout: Layout, change: WebpChange): Uint8Array[] {
  const { canvas, vp8x, first } = layout;
  const { exif, xmp } = metadataAfter(bytes, layout, change);
  if (vp8x === undefined && exif === undefined && xmp === undefined) return [];
  const metadata = (exif ? FLAG.exif : 0) | (xmp ? FLAG.xmp : 0);
  if (vp8x !== undefined) {
    // A copy: `slice` of a Buffer would be a view of the caller's bytes.
    const data = Uint8Array.from(bytes.subarray(vp8x.data, vp8x.data + vp8x.length));
    data[0] = (u8(data, 0, 'webp/malformed') & ~(FLAG.exif | FLAG.xmp)) | metadata;
    return [makeWebpChunk('VP8X', data)];
  }
  const data = new Uint8Array(VP8X_BYTES);
  const alpha = canvas.hasAlpha || first.has('ALPH') ? FLAG.alpha : 0;
  data[0] = metadata | alpha | (first.has('ICCP') ? FLAG.icc : 0) | (first.has('ANIM') ? FLAG.animation : 0);
  data.set(u32leBytes(canvas.width - 1).subarray(0, 3), 4);
  data.set(u32leBytes(canvas.height - 1).subarray(0, 3), 7);
  return [makeWebpChunk('VP8X', data)];
}

/** type (4 ASCII) · length u32 LE · data · zero pad to even */
export function makeWebpChunk(type: string, data: Uint8Array): Uint8Array {
  return concatBytes(latin1Bytes(type), u32leBytes(data.length), data, new Uint8Array(data.length % 2));
}
