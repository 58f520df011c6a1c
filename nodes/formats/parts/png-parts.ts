import { deflateSync } from 'node:zlib';
import { assemble, concatBytes, joinBytes, keep, type Piece } from '../assemble.ts';
import { latin1Bytes, startsWith } from '../cursor.ts';
import { PNG_SIGNATURE } from '../detect.ts';
import { isManifestStore } from '../jumbf.ts';
import { makeChunk, walkPngChunks } from '../png.ts';
import { openZlib } from '../zlib-bytes.ts';
import { type BareProfile, bareProfile, isStandardProfile } from './bare-profile.ts';
import { BEHIND_THE_END, type NewPart, type Part, type PartRole } from './part.ts';
import { filteredBytes, MAX_PALETTE_WIDTH, openRows, type PngHeader, readPngHeader } from './png-pixels.ts';
import { deflatedStart, inflatePieces } from './zlib-pieces.ts';

/** @see https://www.w3.org/TR/png-3/#11Chunks */
const PIXELS = new Set(['IHDR', 'PLTE', 'tRNS', 'IDAT', 'IEND', 'acTL', 'fcTL', 'fdAT']);
/** With the bytes that each has: decoders pass over others, so they could hold anything. */
const COLOUR = new Map([
  ['sRGB', 1],
  ['gAMA', 4],
  ['cHRM', 32],
  ['cICP', 4],
  ['mDCV', 24],
  ['cLLI', 8],
]);
/** Significant bits, one byte a sample. */
const MAX_SBIT_BYTES = 4;
/** Decoders take the first of these, and of an animation each. */
const MANY = new Set(['IDAT', 'fcTL', 'fdAT']);
/** Of chunks without which there is no picture, or another one; fields of these lengths are all that they have. */
const FIXED_BYTES = new Map([
  ['IEND', 0],
  ['acTL', 8],
  ['fcTL', 26],
]);
const PROFILE_HEAD = latin1Bytes('icc\0\0');
/**
 * Of all pictures of a file, filter bytes included: two of 8192 by 8192 in 16 bits with alpha. It bounds the time, since
 * rows are met one by one; those of pictures beyond are not looked through.
 */
const MAX_PIXEL_BYTES = 1026 * 1024 * 1024;
/** Profiles of printers take some megabytes; libpng takes none of more than 8 MB. */
const MAX_PROFILE_BYTES = 8_000_000;
/** Of chromaticities, in 100,000ths. */
const MAX_CHROMATICITY = 100_000;
const COLOUR_TYPE = { grey: 0, colours: 2, palette: 3 } as const;
/** Before the data of `fdAT`, its number. */
const SEQUENCE_BYTES = 4;
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
  const seen = new Set<string>();
  for (const { type: name, start, data: at, end: behind } of walkPngChunks(bytes)) {
    const data = bytes.subarray(at, behind - 4);
    const isFurther = seen.has(name) && !MANY.has(name);
    const isLate = seen.has('IDAT') && (COLOUR.has(name) || ['iCCP', 'sBIT', 'PLTE', 'tRNS'].includes(name));
    const role =
      (isFurther && !TEXT.has(name)) || isLate ? otherThan(roleOf(name, data)) : roleOf(name, data);
    const used = FIXED_BYTES.get(name) ?? data.length;
    const bare = data.length > used ? { bare: data.subarray(0, used) } : {};
    parts.push({ name, role, start, end: behind, data, ...bare });
    seen.add(name);
    end = behind;
  }
  const isWhole = bytes.length === end;
  if (!isWhole)
    parts.push({
      name: BEHIND_THE_END,
      role: 'other',
      start: end,
      end: bytes.length,
      data: bytes.subarray(end),
    });
  markColours(parts);
  markUnusedFrames(parts);
  markUnusedPalette(parts);
  markUnusedPixels(parts);
  return parts;
}

/** What describes stays what it is. */
function otherThan(role: PartRole): PartRole {
  return role === 'pixels' || role === 'colour' ? 'other' : role;
}

/** Changes the parts of a name; those that are another's business already stay as they are. */
function mark(parts: Part[], name: string, change: (part: Part) => Partial<Part>): void {
  for (const [at, part] of parts.entries())
    if (part.name === name && (part.role === 'pixels' || part.role === 'colour'))
      parts[at] = { ...part, ...change(part) };
}

const OTHER = { role: 'other' } as const;

/** Of several ways to say what the colours are, readers take the first of: code points, profile, sRGB, curve. */
function markColours(parts: Part[]): void {
  const has = (name: string): boolean => parts.some((part) => part.name === name && part.role === 'colour');
  const isCoded = has('cICP');
  let isTold = isCoded || has('sRGB');
  mark(parts, 'iCCP', (part) => {
    const { data, bare } = profileOf(part.data) ?? {};
    if (data === undefined || bare === undefined || isCoded) return OTHER;
    isTold = true;
    if (isStandardProfile(bare.icc)) return OTHER;
    const isBare = startsWith(part.data, data) && part.data.length === data.length;
    return { ...(bare.isUnread && { isUnread: true }), ...(isBare ? {} : { bare: data }) };
  });
  for (const name of ['gAMA', 'cHRM']) if (isTold) mark(parts, name, () => OTHER);
  if (parts.some(({ name, role }) => name === 'iCCP' && role !== 'other')) mark(parts, 'sRGB', () => OTHER);
  mark(parts, 'cHRM', ({ data }) => {
    const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
    const isPossible = [0, 4, 8, 12, 16, 20, 24, 28].every((at) => view.getUint32(at) <= MAX_CHROMATICITY);
    return isPossible ? {} : OTHER;
  });
  if (!isCoded) for (const name of ['mDCV', 'cLLI']) mark(parts, name, () => OTHER);
}

/** The profile without words, and the chunk of it by a name that says nothing; undefined for what is none. */
function profileOf(data: Uint8Array): { readonly bare: BareProfile; readonly data: Uint8Array } | undefined {
  const nul = data.indexOf(0);
  const packed = data.subarray(nul + 2);
  const open = nul < 1 ? undefined : openZlib(packed, MAX_PROFILE_BYTES);
  const bare = open && bareProfile(open.inflated);
  if (open === undefined || bare === undefined) return undefined;
  const { icc } = bare;
  const isSame = icc.length === open.inflated.length && startsWith(open.inflated, icc);
  const stream = isSame ? packed.subarray(0, open.used) : deflateSync(icc, { level: 9 });
  return { bare, data: concatBytes(PROFILE_HEAD, stream) };
}

/** Without `acTL` before the pixels there is no animation; with it, as many frames as it says. */
function markUnusedFrames(parts: Part[]): void {
  const control = parts.findIndex(({ name, role }) => name === 'acTL' && role === 'pixels');
  const pixels = parts.findIndex(({ name }) => name === 'IDAT');
  const { data } = parts[control] ?? {};
  const isAnimated = data !== undefined && data.length >= 8 && control < pixels;
  let left = isAnimated ? new DataView(data.buffer, data.byteOffset).getUint32(0) : 0;
  if (!isAnimated) mark(parts, 'acTL', () => OTHER);
  for (const [at, part] of parts.entries()) {
    if (part.name === 'fcTL' && part.data.length >= 26) left--;
    if ((part.name === 'fcTL' || part.name === 'fdAT') && (!isAnimated || left < 0))
      parts[at] = { ...part, ...OTHER };
  }
}

/** Where every pixel has its own colour, a palette is advice; transparency that does not fit is passed over. */
function markUnusedPalette(parts: Part[]): void {
  const header = readPngHeader(parts.find(({ name }) => name === 'IHDR')?.data ?? new Uint8Array(0));
  if (header === undefined) return;
  const { colourType, depth } = header;
  if (colourType !== COLOUR_TYPE.palette) mark(parts, 'PLTE', () => OTHER);
  const entries =
    (parts.find(({ name, role }) => name === 'PLTE' && role === 'pixels')?.data.length ?? 0) / 3;
  const used = Math.min(entries, 2 ** depth) * 3;
  mark(parts, 'PLTE', ({ data }) => (data.length > used ? { bare: data.subarray(0, used) } : {}));
  mark(parts, 'tRNS', ({ data: { length } }) => {
    if (colourType === COLOUR_TYPE.palette) return length <= used / 3 ? {} : OTHER;
    const wanted = colourType === COLOUR_TYPE.grey ? 2 : colourType === COLOUR_TYPE.colours ? 6 : -1;
    return length === wanted ? {} : OTHER;
  });
}

/** Parts of one picture, and what stands before its data in each. */
type Stream = {
  readonly at: readonly number[];
  readonly head: number;
  readonly width: number;
  readonly height: number;
};

function streamsOf(parts: readonly Part[], { width, height }: PngHeader): Stream[] {
  const first = parts.flatMap(({ name }, at) => (name === 'IDAT' ? [at] : []));
  const streams: { at: number[]; head: number; width: number; height: number }[] = [];
  for (const [at, { name, role, data }] of parts.entries()) {
    if (role !== 'pixels') continue;
    if (name === 'fcTL' && data.length >= 26) {
      const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
      streams.push({ at: [], head: SEQUENCE_BYTES, width: view.getUint32(4), height: view.getUint32(8) });
    } else if (name === 'fdAT') streams.at(-1)?.at.push(at);
  }
  return [{ at: first, head: 0, width, height }, ...streams.filter((stream) => stream.at.length > 0)];
}

/**
 * Decoders stop where the stream of the pixels ends, and where there are pixels enough: what follows in the chunks, and
 * what else the stream inflates to, could be anything. So could colours that no pixel has.
 */
function markUnusedPixels(parts: Part[]): void {
  const header = readPngHeader(parts.find(({ name }) => name === 'IHDR')?.data ?? new Uint8Array(0));
  if (header === undefined) return;
  const colours = new Uint8Array(256);
  let isWhole = true;
  let left = MAX_PIXEL_BYTES;
  for (const { at, head, width, height } of streamsOf(parts, header)) {
    const size = { ...header, width, height };
    const pieces = at.flatMap((each) => parts[each]?.data.subarray(head) ?? []);
    const [only] = pieces;
    const stream = pieces.length === 1 && only ? only : joinBytes(pieces);
    const wanted = filteredBytes(size);
    left -= wanted;
    const isPalette = header.colourType === COLOUR_TYPE.palette;
    const isTooLarge = left < 0 || (isPalette && width > MAX_PALETTE_WIDTH);
    const rows = isPalette && !isTooLarge ? openRows(size, colours) : undefined;
    const told = isTooLarge ? undefined : inflatePieces(stream, wanted, rows);
    if (told === undefined || told.length < wanted) {
      isWhole = false;
      for (const each of at) markAt(parts, each, { isUnread: true });
      continue;
    }
    if (told.length > wanted) {
      const again = deflatedStart(stream, wanted);
      for (const [nth, each] of at.entries()) {
        const number = parts[each]?.data.subarray(0, head) ?? new Uint8Array(0);
        // Chunks of an animation are numbered through, so none may be missing.
        if (nth === 0) markAt(parts, each, { bare: concatBytes(number, again) });
        else markAt(parts, each, head === 0 ? OTHER : { bare: number });
      }
      continue;
    }
    let used = told.used;
    for (const each of at) {
      const length = (parts[each]?.data.length ?? head) - head;
      if (used === 0 && length > 0 && head === 0) markAt(parts, each, OTHER);
      else if (used < length)
        markAt(parts, each, { bare: parts[each]?.data.subarray(0, head + used) ?? stream });
      used -= Math.min(used, length);
    }
  }
  if (!isWhole || header.colourType !== COLOUR_TYPE.palette) return;
  mark(parts, 'PLTE', ({ data, bare = data }) => bareEntries(bare, 3, colours, data));
  mark(parts, 'tRNS', ({ data }) => bareEntries(data, 1, colours, data));
}

function markAt(parts: Part[], at: number, change: Partial<Part>): void {
  const part = parts[at];
  if (part) parts[at] = { ...part, ...change };
}

/** Entries that no pixel uses become zero. */
function bareEntries(
  table: Uint8Array,
  entryBytes: number,
  used: Uint8Array,
  data: Uint8Array,
): Partial<Part> {
  const bare = Uint8Array.from(table, (byte, at) => (used[Math.floor(at / entryBytes)] === 1 ? byte : 0));
  return bare.length === data.length && startsWith(data, bare) ? {} : { bare };
}

function roleOf(type: string, data: Uint8Array): PartRole {
  if (PIXELS.has(type)) return 'pixels';
  if (type === 'iCCP' || data.length === COLOUR.get(type)) return 'colour';
  if (type === 'sBIT' && data.length <= MAX_SBIT_BYTES) return 'colour';
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
