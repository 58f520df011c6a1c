import { assemble, concatBytes, keep, type Piece } from '../assemble.ts';
import { latin1Bytes, startsWith } from '../cursor.ts';
import { PNG_SIGNATURE } from '../detect.ts';
import { isManifestStore } from '../jumbf.ts';
import { makeChunk, type PngChunk, walkPngChunks } from '../png.ts';
import { zlibBytes } from '../zlib-bytes.ts';
import { BEHIND_THE_END, type NewPart, type Part, type PartRole } from './part.ts';

/** @see https://www.w3.org/TR/png-3/#11Chunks */
const PIXELS = new Set(['IHDR', 'PLTE', 'tRNS', 'IDAT', 'IEND', 'acTL', 'fcTL', 'fdAT']);
/** With the most bytes that each may have: decoders pass over a longer one, so it could hold anything. */
const COLOUR = new Map([
  ['iCCP', Infinity],
  ['sRGB', 1],
  ['gAMA', 4],
  ['cHRM', 32],
  ['cICP', 4],
  ['sBIT', 4],
  ['mDCV', 24],
  ['cLLI', 8],
]);
/** Of chunks without which there is no picture, or another one; fields of these lengths are all that they have. */
const FIXED_BYTES = new Map([
  ['IEND', 0],
  ['acTL', 8],
  ['fcTL', 26],
]);
const PROFILE_HEAD = latin1Bytes('icc\0\0');
/** Of pixels, filter bytes included: 8192 by 8192 in 16 bits with alpha. Larger ones are not looked through. */
const MAX_PIXEL_BYTES = 513 * 1024 * 1024;
/** Profiles of printers take some megabytes. */
const MAX_PROFILE_BYTES = 64 * 1024 * 1024;
const TEXT = new Set(['tEXt', 'zTXt', 'iTXt']);
const XMP_START = 'XML:com.adobe.xmp\0';

/**
 * All of a PNG, part by part.
 *
 * @throws LineageError `png/malformed`
 */
export function listPngParts(bytes: Uint8Array): Part[] {
  const signature = PNG_SIGNATURE.length;
  const parts: Part[] = [
    { name: 'signature', role: 'pixels', start: 0, end: signature, data: bytes.subarray(0, signature) },
  ];
  let end = signature;
  for (const chunk of walkPngChunks(bytes)) {
    const data = bytes.subarray(chunk.data, chunk.end - 4);
    const bare = bareData(chunk, data);
    const role = bare ? 'pixels' : roleOf(chunk, data);
    parts.push({ name: chunk.type, role, start: chunk.start, end: chunk.end, data, ...(bare && { bare }) });
    end = chunk.end;
  }
  markUnusedTransparency(parts);
  markUnusedPixels(parts, bytes);
  if (end < bytes.length)
    parts.push({
      name: BEHIND_THE_END,
      role: 'other',
      start: end,
      end: bytes.length,
      data: bytes.subarray(end),
    });
  return parts;
}

/** What decoders make use of, where a chunk that has to stay holds more. */
function bareData({ type }: PngChunk, data: Uint8Array): Uint8Array | undefined {
  if (type === 'iCCP') return bareProfile(data);
  const used = FIXED_BYTES.get(type) ?? data.length;
  return data.length > used ? data.subarray(0, used) : undefined;
}

/** The profile by a name that says nothing, without what follows it; undefined where it is so already, or damaged. */
function bareProfile(data: Uint8Array): Uint8Array | undefined {
  const nul = data.indexOf(0);
  const packed = data.subarray(nul + 2);
  const used = nul < 1 ? undefined : zlibBytes(packed, MAX_PROFILE_BYTES);
  if (used === undefined) return undefined;
  const isBare = used === packed.length && startsWith(data, PROFILE_HEAD);
  return isBare ? undefined : concatBytes(PROFILE_HEAD, packed.subarray(0, used));
}

/** Decoders stop where the stream of the pixels ends: what follows in its chunks could be anything. */
function markUnusedPixels(parts: Part[], bytes: Uint8Array): void {
  let left = pixelBytes(parts, bytes);
  if (left === undefined) return;
  for (const [at, part] of parts.entries()) {
    if (part.name !== 'IDAT') continue;
    const { length } = part.data;
    if (left === 0 && length > 0) parts[at] = { ...part, role: 'other' };
    else if (left < length) parts[at] = { ...part, bare: part.data.subarray(0, left) };
    left -= Math.min(left, length);
  }
}

/** A file is listed several times on its way, and inflating its pixels costs more than all else. */
const pixelBytesOf = new WeakMap<Uint8Array, { readonly used: number | undefined }>();

function pixelBytes(parts: readonly Part[], bytes: Uint8Array): number | undefined {
  const known = pixelBytesOf.get(bytes);
  if (known) return known.used;
  const stream = concatBytes(...parts.filter(({ name }) => name === 'IDAT').map(({ data }) => data));
  const used = zlibBytes(stream, MAX_PIXEL_BYTES);
  pixelBytesOf.set(bytes, { used });
  return used;
}

/** Decoders take none of a length that does not fit the colours. */
function markUnusedTransparency(parts: Part[]): void {
  const header = parts.find(({ name }) => name === 'IHDR')?.data ?? new Uint8Array(0);
  const colours = (parts.find(({ name }) => name === 'PLTE')?.data.length ?? 0) / 3;
  const most = [2, 0, 6, colours][header[9] ?? 0] ?? 0;
  for (const [at, part] of parts.entries())
    if (part.name === 'tRNS' && part.data.length > most) parts[at] = { ...part, role: 'other' };
}

function roleOf({ type }: PngChunk, data: Uint8Array): PartRole {
  if (PIXELS.has(type)) return 'pixels';
  if (data.length <= (COLOUR.get(type) ?? -1)) return 'colour';
  if (type === 'eXIf') return 'exif';
  if (type === 'caBX' && isManifestStore(data)) return 'c2pa';
  if (!TEXT.has(type)) return 'other';
  const start = Buffer.from(data.subarray(0, XMP_START.length)).toString('latin1');
  return start === XMP_START ? 'xmp' : 'text';
}

/** The file of these parts: those with data of their own as new chunks, the others byte for byte. */
export function joinPngParts(bytes: Uint8Array, parts: readonly NewPart[]): Uint8Array {
  const pieces: Piece[] = [];
  for (const { part, data } of parts) {
    if (data === undefined) keep(pieces, part.start, part.end);
    else pieces.push(makeChunk(part.name, data));
  }
  return assemble(bytes, pieces);
}
