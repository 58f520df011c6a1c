import { concatBytes } from '../assemble.ts';
import { latin1Bytes, u32leBytes } from '../cursor.ts';
import { isManifestStore } from '../jumbf.ts';
import { makeWebpChunk, readRiffEnd, type WebpChunk, walkWebpChunks } from '../webp.ts';
import { bareProfile, isStandardProfile } from './bare-profile.ts';
import { BEHIND_THE_END, type NewPart, type Part, type PartRole } from './part.ts';
import { losslessBytes, MAX_LOSSLESS_PIXELS } from './webp-lossless.ts';

const RIFF_HEAD_BYTES = 12;
const IMAGE = new Set(['VP8 ', 'VP8L', 'ALPH']);
const PIXELS = new Set([...IMAGE, 'VP8X', 'ANIM', 'ANMF']);
/** Of an `ANMF`, before its own chunks: place, size, duration and flags. */
const FRAME_HEAD_BYTES = 16;
/** In it: x u24 and y u24, then the size. */
const FRAME_SIZE_AT = 6;
const VP8X_BYTES = 10;
const ANIM_BYTES = 6;
const ANIMATION_FLAG = 0x02;
/** Animation, XMP, EXIF, alpha, profile. */
const KNOWN_FLAGS = 0x3e;
/** Flags of VP8X that say that there is a profile, EXIF or XMP. */
const CHUNK_FLAGS = 0x2c;

/** A file is listed several times on its way, and following its coded data costs more than all else. */
const listed = new WeakMap<Uint8Array, readonly Part[]>();

/**
 * All of a WebP, part by part.
 *
 * @param bytes not modified between two calls
 * @throws LineageError `webp/malformed`
 */
export function listWebpParts(bytes: Uint8Array): Part[] {
  const known = listed.get(bytes);
  if (known) return [...known];
  const riffEnd = readRiffEnd(bytes);
  const head = bytes.subarray(0, RIFF_HEAD_BYTES);
  const parts: Part[] = [{ name: 'RIFF', role: 'pixels', start: 0, end: RIFF_HEAD_BYTES, data: head }];
  for (const chunk of walkWebpChunks(bytes, riffEnd)) {
    const data = bytes.subarray(chunk.data, chunk.data + chunk.length);
    const { type: name, start, end } = chunk;
    parts.push({ name, role: roleOf(chunk, data), start, end, data });
  }
  markUnused(parts);
  const canvas = sizeAt(parts[1]?.data ?? head, 4);
  const room = { left: MAX_LOSSLESS_PIXELS };
  for (const [at, part] of parts.entries()) {
    const bare = part.role === 'pixels' || part.role === 'colour' ? bareChunk(part, canvas, room) : part.data;
    if (bare === undefined) parts[at] = { ...part, role: 'other' };
    else if (!isSame(bare, part.data)) parts[at] = { ...part, role: 'pixels', bare };
  }
  if (riffEnd < bytes.length) {
    const behind = bytes.subarray(riffEnd);
    parts.push({ name: BEHIND_THE_END, role: 'other', start: riffEnd, end: bytes.length, data: behind });
  }
  listed.set(bytes, parts);
  return [...parts];
}

type Size = { readonly width: number; readonly height: number };
type Room = { left: number };

/** width - 1 u24 LE · height - 1 u24 LE; of a chunk that is too short, no size. */
function sizeAt(data: Uint8Array, at: number): Size {
  const [a = 0, b = 0, c = 0, d = 0, e = 0, f = 0] = data.subarray(at, at + 6);
  return { width: (a | (b << 8) | (c << 16)) + 1, height: (d | (e << 8) | (f << 16)) + 1 };
}

/**
 * Decoders take the first of each, but for frames: frames of an animation, a picture otherwise, and without VP8X what
 * stands first. An alpha plane stands before a picture that has none of its own.
 */
function markUnused(parts: Part[]): void {
  const frame = parts[1]?.name === 'VP8X' ? parts[1] : undefined;
  const isAnimated = ((frame?.data[0] ?? 0) & ANIMATION_FLAG) !== 0;
  const picture = parts.findIndex(({ name }) => name === 'VP8 ' || name === 'VP8L');
  const seen = new Set<string>();
  for (const [at, part] of parts.entries()) {
    const { name, role } = part;
    if (role !== 'pixels' && role !== 'colour') continue;
    const isUsed =
      name === 'RIFF' ||
      (name === 'ANMF'
        ? isAnimated
        : !seen.has(name) &&
          (name === 'ALPH'
            ? frame !== undefined && !isAnimated && at < picture && parts[picture]?.name === 'VP8 '
            : IMAGE.has(name)
              ? !isAnimated && at === picture
              : name === 'ANIM'
                ? isAnimated
                : frame !== undefined));
    if (!isUsed) parts[at] = { ...part, role: 'other' };
    seen.add(name);
  }
}

/** What decoders use of a chunk; undefined where that is nothing. */
function bareChunk({ name, data }: Part, canvas: Size, room: Room): Uint8Array | undefined {
  if (name === 'VP8X' && data.length >= VP8X_BYTES)
    return concatBytes(Uint8Array.of((data[0] ?? 0) & KNOWN_FLAGS, 0, 0, 0), data.subarray(4, VP8X_BYTES));
  if (name === 'ANIM') return data.subarray(0, ANIM_BYTES);
  if (name === 'ANMF') return bareFrame(data, room);
  if (name === 'VP8L' || name === 'ALPH') return bareCoded(name, data, canvas, room);
  if (name !== 'ICCP') return data;
  const icc = bareProfile(data);
  return icc && isStandardProfile(icc) ? undefined : icc;
}

/** Of a frame its head, an alpha plane and a picture. */
function bareFrame(data: Uint8Array, room: Room): Uint8Array {
  const size = sizeAt(data, FRAME_SIZE_AT);
  const chunks = [...walkWebpChunks(data, data.length, FRAME_HEAD_BYTES)];
  const picture = chunks.findIndex(({ type }) => type === 'VP8 ' || type === 'VP8L');
  const alpha = chunks.findIndex(({ type }) => type === 'ALPH');
  const kept = chunks.filter(
    ({ type }, at) =>
      at === picture || (at === alpha && at < picture && type === 'ALPH' && chunks[picture]?.type === 'VP8 '),
  );
  return concatBytes(
    data.subarray(0, FRAME_HEAD_BYTES),
    ...kept.map((chunk) => {
      const own = data.subarray(chunk.data, chunk.data + chunk.length);
      return makeWebpChunk(chunk.type, bareCoded(chunk.type, own, size, room));
    }),
  );
}

/** A lossless picture or plane; one that cannot be followed to its end stays as it is, and so do others. */
function bareCoded(type: string, data: Uint8Array, size: Size, room: Room): Uint8Array {
  if (type === 'VP8L') return data.subarray(0, losslessBytes(data, room) ?? data.length);
  if (type !== 'ALPH') return data;
  // The first byte says in its lowest two bits whether the plane is as it is (0), or coded (1).
  const method = (data[0] ?? 0) & 3;
  if (method === 0) return data.subarray(0, 1 + size.width * size.height);
  const used = method === 1 ? losslessBytes(data.subarray(1), room, size) : undefined;
  return used === undefined ? data : data.subarray(0, 1 + used);
}

function isSame(a: Uint8Array, b: Uint8Array): boolean {
  return Buffer.compare(a, b) === 0;
}

function roleOf({ type }: WebpChunk, data: Uint8Array): PartRole {
  if (PIXELS.has(type)) return 'pixels';
  if (type === 'ICCP') return 'colour';
  if (type === 'EXIF') return 'exif';
  if (type === 'XMP ') return 'xmp';
  return type === 'C2PA' && isManifestStore(data) ? 'c2pa' : 'other';
}

/** The file of these parts, with the RIFF size and the flags of `VP8X` that they ask for. */
export function joinWebpParts(parts: readonly NewPart[]): Uint8Array {
  const names = new Set(parts.map(({ part }) => part.name));
  const flags =
    (names.has('EXIF') ? 0x08 : 0) | (names.has('XMP ') ? 0x04 : 0) | (names.has('ICCP') ? 0x20 : 0);
  const isChunk = ({ part }: NewPart): boolean => part.name !== 'RIFF' && part.name !== BEHIND_THE_END;
  const chunks = parts.filter(isChunk).map(({ part, data = part.data }) => {
    if (part.name !== 'VP8X') return makeWebpChunk(part.name, data);
    const changed = Uint8Array.from(data);
    changed[0] = ((changed[0] ?? 0) & ~CHUNK_FLAGS) | flags;
    return makeWebpChunk(part.name, changed);
  });
  const behind = parts.filter(({ part }) => part.name === BEHIND_THE_END).map(({ part }) => part.data);
  const body = concatBytes(latin1Bytes('WEBP'), ...chunks);
  return concatBytes(latin1Bytes('RIFF'), u32leBytes(body.length), body, ...behind);
}
