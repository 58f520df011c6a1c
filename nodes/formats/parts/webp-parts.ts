import { concatBytes } from '../assemble.ts';
import { latin1Bytes, u32leBytes } from '../cursor.ts';
import { isManifestStore } from '../jumbf.ts';
import { makeWebpChunk, readRiffEnd, type WebpChunk, walkWebpChunks } from '../webp.ts';
import { BEHIND_THE_END, type NewPart, type Part, type PartRole } from './part.ts';

const RIFF_HEAD_BYTES = 12;
const IMAGE = new Set(['VP8 ', 'VP8L', 'ALPH']);
const PIXELS = new Set([...IMAGE, 'VP8X', 'ANIM', 'ANMF']);
/** Of an `ANMF`, before its own chunks: place, size, duration and flags. */
const FRAME_HEAD_BYTES = 16;
/** Of the chunks that have a length; decoders pass over what follows. */
const FIXED_BYTES = new Map([
  ['VP8X', 10],
  ['ANIM', 6],
]);
/** Flags of VP8X that say that there is an EXIF or XMP chunk. */
const METADATA_FLAGS = 0x0c;

/**
 * All of a WebP, part by part.
 *
 * @throws LineageError `webp/malformed`
 */
export function listWebpParts(bytes: Uint8Array): Part[] {
  const riffEnd = readRiffEnd(bytes);
  const head = bytes.subarray(0, RIFF_HEAD_BYTES);
  const parts: Part[] = [{ name: 'RIFF', role: 'pixels', start: 0, end: RIFF_HEAD_BYTES, data: head }];
  for (const chunk of walkWebpChunks(bytes, riffEnd)) {
    const data = bytes.subarray(chunk.data, chunk.data + chunk.length);
    const length = FIXED_BYTES.get(chunk.type) ?? data.length;
    const bare = data.length > length ? { bare: data.subarray(0, length) } : {};
    const { type: name, start, end } = chunk;
    parts.push({ name, role: roleOf(chunk, data), start, end, data, ...bare });
  }
  markSecondPicture(parts);
  if (riffEnd < bytes.length) {
    const behind = bytes.subarray(riffEnd);
    parts.push({ name: BEHIND_THE_END, role: 'other', start: riffEnd, end: bytes.length, data: behind });
  }
  return parts;
}

/** Decoders take the first picture, and its alpha before it. */
function markSecondPicture(parts: Part[]): void {
  const first = parts.findIndex(({ name }) => name === 'VP8 ' || name === 'VP8L');
  if (first < 0) return;
  for (const [at, part] of parts.entries())
    if (at > first && IMAGE.has(part.name)) parts[at] = { ...part, role: 'other' };
}

function roleOf({ type }: WebpChunk, data: Uint8Array): PartRole {
  if (PIXELS.has(type)) return 'pixels';
  if (type === 'ICCP') return 'colour';
  if (type === 'EXIF') return 'exif';
  if (type === 'XMP ') return 'xmp';
  return type === 'C2PA' && isManifestStore(data) ? 'c2pa' : 'other';
}

/** What a decoder uses of a part of any format; of a frame, its picture chunks. Undefined where that is all of it. */
export function frameWithoutStrangers({ name, data, bare }: Part): Uint8Array | undefined {
  if (bare) return bare;
  if (name !== 'ANMF') return undefined;
  const chunks = [...walkWebpChunks(data, data.length, FRAME_HEAD_BYTES)];
  if (chunks.every(({ type }) => IMAGE.has(type))) return undefined;
  const kept = chunks
    .filter(({ type }) => IMAGE.has(type))
    .map((chunk) => makeWebpChunk(chunk.type, data.subarray(chunk.data, chunk.data + chunk.length)));
  return concatBytes(data.subarray(0, FRAME_HEAD_BYTES), ...kept);
}

/** The file of these parts, with the RIFF size and the flags of `VP8X` that they ask for. */
export function joinWebpParts(parts: readonly NewPart[]): Uint8Array {
  const names = new Set(parts.map(({ part }) => part.name));
  const flags = (names.has('EXIF') ? 0x08 : 0) | (names.has('XMP ') ? 0x04 : 0);
  const isChunk = ({ part }: NewPart): boolean => part.name !== 'RIFF' && part.name !== BEHIND_THE_END;
  const chunks = parts.filter(isChunk).map(({ part, data = part.data }) => {
    if (part.name !== 'VP8X') return makeWebpChunk(part.name, data);
    const changed = Uint8Array.from(data);
    changed[0] = ((changed[0] ?? 0) & ~METADATA_FLAGS) | flags;
    return makeWebpChunk(part.name, changed);
  });
  const behind = parts.filter(({ part }) => part.name === BEHIND_THE_END).map(({ part }) => part.data);
  const body = concatBytes(latin1Bytes('WEBP'), ...chunks);
  return concatBytes(latin1Bytes('RIFF'), u32leBytes(body.length), body, ...behind);
}
