import { crc32, inflateSync } from 'node:zlib';
import { LineageError } from '../kit/errors.ts';
import { assemble, concatBytes, keep, type Piece } from './assemble.ts';
import { fourCharsAt, latin1, latin1Bytes, need, startsWith, u8, u32be, u32beBytes } from './cursor.ts';
import { PNG_SIGNATURE } from './detect.ts';
import { isManifestStore } from './jumbf.ts';
import { withoutExifPrefix } from './tiff.ts';

/** One text chunk as it stands in the file. */
export type PngText = {
  readonly keyword: string;
  readonly text: string;
  readonly chunk: 'tEXt' | 'iTXt' | 'zTXt';
};

/** A text chunk that cannot be read. It is reported, and kept by a splice unless its keyword is replaced. */
export type PngDamage = { readonly chunk: string; readonly byte: number; readonly reason: string };

/** What a PNG says beside its pixels. Byte blocks are views into the file. */
export type PngContents = {
  readonly width: number;
  readonly height: number;
  /** An alpha channel, or transparency by `tRNS`. */
  readonly hasAlpha: boolean;
  /** An APNG of several frames (`acTL`). */
  readonly isAnimated: boolean;
  /** In file order, duplicates included; the XMP packet is not among them. */
  readonly texts: readonly PngText[];
  /** The TIFF block of `eXIf`. */
  readonly exif?: Uint8Array;
  readonly xmp?: string;
  readonly hasIcc: boolean;
  /** A C2PA manifest (`caBX`). */
  readonly hasC2pa: boolean;
  readonly damaged: readonly PngDamage[];
};

/** What to change. Whatever is not named stays byte for byte. */
export type PngChange = {
  /** Keyword to text; all chunks of a keyword are replaced by one: tEXt where Latin-1 holds the text, else iTXt. */
  readonly texts?: ReadonlyMap<string, string>;
  /** The same, always as uncompressed iTXt. */
  readonly itxt?: ReadonlyMap<string, string>;
  readonly removeKeywords?: readonly string[];
  /** A TIFF block; null removes it. */
  readonly exif?: Uint8Array | null;
  /** An XMP packet; null removes it. */
  readonly xmp?: string | null;
};

const XMP_KEYWORD = 'XML:com.adobe.xmp';
const XMP_HEAD = latin1Bytes(`${XMP_KEYWORD}\0`);
/** Chunk lengths and image sides are below 2^31. @see https://www.w3.org/TR/png-3/#7Integers-and-byte-order */
const MAX_PNG_INTEGER = 0x7fff_ffff;
/** Compressed text may grow to this and no further; the longest workflows met are about 2 MiB. */
const MAX_INFLATED_BYTES = 16 * 1024 * 1024;
/** A thousand texts are more than any writer makes; the rest is reported as damage, unread. */
const MAX_TEXTS = 1_000;
/** length u32 · type u32, before the data; CRC u32 behind it. */
const CHUNK_HEAD_BYTES = 8;
const CHUNK_BYTES = 12;
const TEXT_CHUNKS = ['tEXt', 'zTXt', 'iTXt'];
const utf8 = new TextDecoder('utf-8', { ignoreBOM: true });

/** One chunk: its content is [data, end - 4), the CRC behind it. */
export type PngChunk = {
  readonly type: string;
  readonly start: number;
  readonly data: number;
  readonly end: number;
};

/** The error every structural fault of a PNG ends in. */
function malformed(message: string, byte: number): LineageError {
  return new LineageError('png/malformed', message, { byte });
}

/**
 * Walks the chunks from IHDR to IEND, checking lengths and order but no CRC.
 *
 * @throws LineageError `png/malformed`
 */
export function* walkPngChunks(bytes: Uint8Array): Generator<PngChunk> {
  if (!startsWith(bytes, PNG_SIGNATURE)) throw malformed('expected the PNG signature, got other bytes', 0);
  let at = PNG_SIGNATURE.length;
  let hasPixels = false;
  for (;;) {
    const length = u32be(bytes, at, 'png/malformed');
    if (length > MAX_PNG_INTEGER) throw malformed(`expected a chunk length below 2^31, got ${length}`, at);
    const type = fourCharsAt(bytes, at + 4, 'png/malformed');
    if (!/^[A-Za-z]{4}$/.test(type))
      throw malformed('expected a chunk type of four letters, got other bytes', at + 4);
    need(bytes, at, length + CHUNK_BYTES, 'png/malformed');
    const isFirst = at === PNG_SIGNATURE.length;
    if (isFirst !== (type === 'IHDR'))
      throw malformed(`expected IHDR as the first chunk only, got ${type}`, at);
    if (type === 'IDAT') hasPixels = true;
    const end = at + length + CHUNK_BYTES;
    yield { type, start: at, data: at + CHUNK_HEAD_BYTES, end };
    if (type === 'IEND') {
      if (!hasPixels) throw malformed('expected an IDAT chunk before IEND, got none', at);
      return;
    }
    at = end;
  }
}

/**
 * Reads everything a PNG carries beside its pixels; nothing is decoded but text.
 *
 * @throws LineageError `png/malformed` for a broken structure. A broken text chunk is in `damaged` instead.
 * @see https://www.w3.org/TR/png-3/
 */
export function readPng(bytes: Uint8Array): PngContents {
  const texts: PngText[] = [];
  const damaged: PngDamage[] = [];
  const budget = { inflatedBytes: MAX_INFLATED_BYTES };
  const seen = new Set<string>();
  let header = { width: 0, height: 0, colourType: 0 };
  let exif: Uint8Array | undefined;
  let xmp: string | undefined;
  let hasC2pa = false;
  for (const chunk of walkPngChunks(bytes)) {
    seen.add(chunk.type);
    const data = bytes.subarray(chunk.data, chunk.end - 4);
    if (chunk.type === 'IHDR') header = readHeader(data);
    else if (chunk.type === 'eXIf') exif ??= withoutExifPrefix(data);
    else if (chunk.type === 'caBX') hasC2pa ||= isManifestStore(data);
    else if (TEXT_CHUNKS.includes(chunk.type)) {
      const count = texts.length + damaged.length;
      // The XMP is read wherever it stands: whoever writes metadata would lose it otherwise.
      const isXmp = xmp === undefined && startsWith(data, XMP_HEAD);
      if (count > MAX_TEXTS && !isXmp) continue;
      const text =
        count < MAX_TEXTS || isXmp
          ? readText(chunk.type, data, budget)
          : `more than ${MAX_TEXTS} texts; the rest was not read`;
      if (typeof text === 'string') damaged.push({ chunk: chunk.type, byte: chunk.start, reason: text });
      else if (text.keyword === XMP_KEYWORD) xmp ??= text.text;
      else texts.push(text);
    }
  }
  return {
    width: header.width,
    height: header.height,
    hasAlpha: (header.colourType & 4) !== 0 || seen.has('tRNS'),
    isAnimated: seen.has('acTL'),
    texts,
    ...(exif === undefined ? {} : { exif }),
    ...(xmp === undefined ? {} : { xmp }),
    hasIcc: seen.has('iCCP'),
    hasC2pa,
    damaged,
  };
}

/** IHDR: width u32 BE · height u32 BE · bit depth u8 · colour type u8 · compression, filter, interlace u8 each. */
function readHeader(data: Uint8Array): { width: number; height: number; colourType: number } {
  if (data.length !== 13)
    throw malformed(`expected an IHDR of 13 bytes, got ${data.length}`, PNG_SIGNATURE.length);
  const width = u32be(data, 0, 'png/malformed');
  const height = u32be(data, 4, 'png/malformed');
  if (width < 1 || height < 1 || width > MAX_PNG_INTEGER || height > MAX_PNG_INTEGER) {
    throw malformed(`expected sides of 1 to 2^31 - 1, got ${width}x${height}`, PNG_SIGNATURE.length);
  }
  return { width, height, colourType: u8(data, 9, 'png/malformed') };
}

/**
 * tEXt: keyword · 0 · Latin-1. zTXt: keyword · 0 · method u8 · zlib. iTXt: keyword · 0 · compressed u8 ·
 * method u8 · language · 0 · translated keyword · 0 · UTF-8 or zlib. Answers with a reason where it is none of these.
 */
function readText(type: string, data: Uint8Array, budget: { inflatedBytes: number }): PngText | string {
  const nul = data.indexOf(0);
  if (nul < 1 || nul > 79) return 'no keyword of 1 to 79 bytes';
  const keyword = latin1(data.subarray(0, nul));
  if (type === 'tEXt') return { keyword, text: latin1(data.subarray(nul + 1)), chunk: 'tEXt' };
  if (type === 'zTXt') {
    const inflated = inflate(data.subarray(nul + 2), budget);
    if (data[nul + 1] !== 0 || inflated === undefined)
      return `compressed text of ${keyword} cannot be inflated`;
    return { keyword, text: latin1(inflated), chunk: 'zTXt' };
  }
  const language = data.indexOf(0, nul + 3);
  const translated = language < 0 ? -1 : data.indexOf(0, language + 1);
  if (translated < 0) return `text of ${keyword} lacks its language or translated keyword`;
  const body = data.subarray(translated + 1);
  if (data[nul + 1] === 0) return { keyword, text: utf8.decode(body), chunk: 'iTXt' };
  const inflated = inflate(body, budget);
  if (inflated === undefined) return `compressed text of ${keyword} cannot be inflated`;
  return { keyword, text: utf8.decode(inflated), chunk: 'iTXt' };
}

/** Inflates within what is left of the file's budget, so that many small bombs cost no more than one. */
function inflate(data: Uint8Array, budget: { inflatedBytes: number }): Uint8Array | undefined {
  try {
    const out = inflateSync(data, { maxOutputLength: Math.max(1, budget.inflatedBytes) });
    budget.inflatedBytes -= out.length;
    return out;
  } catch {
    // Damaged or too large: one unreadable text is reported as damage, not a reason to refuse the picture.
    budget.inflatedBytes -= Math.min(budget.inflatedBytes, data.length * 1_032);
    return undefined;
  }
}

/**
 * Puts texts, EXIF and XMP into a PNG without touching anything else: every chunk that is not replaced keeps its
 * bytes and its order (iCCP, caBX, unknown ones, what follows IEND). New chunks stand before the first IDAT (and
 * before the first fcTL), so that readers find them without the pixels.
 *
 * @param bytes a complete PNG; not modified, not retained.
 * @param change lone surrogates become U+FFFD in iTXt; the caller cleans them where that matters.
 * @returns a new file; splicing the same change again gives the same bytes.
 * @throws LineageError `png/malformed`; `png/keyword` for a keyword the format cannot hold; `png/text` for a NUL in a text
 */
export function splicePng(bytes: Uint8Array, change: PngChange): Uint8Array {
  const replaced = new Set([...(change.texts?.keys() ?? []), ...(change.itxt?.keys() ?? [])]);
  for (const keyword of change.removeKeywords ?? []) replaced.add(keyword);
  if (change.xmp !== undefined) replaced.add(XMP_KEYWORD);
  const fresh = makeChunks(change);
  const pieces: Piece[] = [];
  let inserted = false;
  let at = 0;
  for (const chunk of walkPngChunks(bytes)) {
    if (!inserted && (chunk.type === 'IDAT' || chunk.type === 'fcTL')) {
      keep(pieces, at, chunk.start);
      pieces.push(...fresh);
      at = chunk.start;
      inserted = true;
    }
    if (isReplaced(bytes, chunk, replaced, change.exif !== undefined)) {
      keep(pieces, at, chunk.start);
      at = chunk.end;
    }
  }
  keep(pieces, at, bytes.length);
  return assemble(bytes, pieces);
}

/** Whether the change takes this chunk's place. */
function isReplaced(
  bytes: Uint8Array,
  chunk: PngChunk,
  replaced: ReadonlySet<string>,
  replacesExif: boolean,
): boolean {
  if (chunk.type === 'eXIf') return replacesExif;
  if (!TEXT_CHUNKS.includes(chunk.type)) return false;
  const head = bytes.subarray(chunk.data, Math.min(chunk.data + 80, chunk.end - 4));
  const nul = head.indexOf(0);
  return replaced.has(latin1(nul < 0 ? head : head.subarray(0, nul)));
}

/** The new chunks, in the order the change names them. */
function makeChunks(change: PngChange): Uint8Array[] {
  const chunks: Uint8Array[] = [];
  if (change.exif) chunks.push(makeChunk('eXIf', change.exif));
  for (const [keyword, text] of change.texts ?? []) {
    if (!change.itxt?.has(keyword))
      chunks.push(isLatin1Text(text) ? makeTextChunk(keyword, text) : makeItxtChunk(keyword, text));
  }
  for (const [keyword, text] of change.itxt ?? []) chunks.push(makeItxtChunk(keyword, text));
  if (typeof change.xmp === 'string') chunks.push(makeItxtChunk(XMP_KEYWORD, change.xmp));
  return chunks;
}

/** Printable Latin-1, tab and newlines: what every reader takes from tEXt unharmed. */
function isLatin1Text(text: string): boolean {
  return /^[\t\n\r\x20-\x7e\xa0-\xff]*$/.test(text);
}

function makeTextChunk(keyword: string, text: string): Uint8Array {
  return makeChunk('tEXt', keywordBytes(keyword), latin1Bytes(text));
}

/** keyword · 0 · uncompressed · method 0 · empty language · empty translated keyword · UTF-8 */
function makeItxtChunk(keyword: string, text: string): Uint8Array {
  if (text.includes('\0')) {
    throw new LineageError(
      'png/text',
      `expected text without NUL for ${keyword}, got one at ${text.indexOf('\0')}`,
    );
  }
  return makeChunk('iTXt', keywordBytes(keyword), new Uint8Array(4), new TextEncoder().encode(text));
}

/** The keyword and its NUL. Printable Latin-1 without leading, trailing or doubled spaces. */
function keywordBytes(keyword: string): Uint8Array {
  if (!/^[\x21-\x7e\xa1-\xff]+(?: [\x21-\x7e\xa1-\xff]+)*$/.test(keyword) || keyword.length > 79) {
    throw new LineageError(
      'png/keyword',
      `expected a PNG keyword, got ${JSON.stringify(keyword.slice(0, 100))}`,
    );
  }
  return latin1Bytes(`${keyword}\0`);
}

/** length u32 BE · type (4 ASCII) · data · CRC-32 over type and data u32 BE */
export function makeChunk(type: string, ...data: readonly Uint8Array[]): Uint8Array {
  const body = concatBytes(latin1Bytes(type), ...data);
  return concatBytes(u32beBytes(body.length - 4), body, u32beBytes(crc32(body)));
}
