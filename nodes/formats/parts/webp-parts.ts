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
    const { type: name, start, end } = chunk;
    parts.push({ name, role: roleOf(chunk, data), start, end, data });
  }
  markUnused(parts);
  const canvas = sizeAt(parts[1]?.data ?? head, 4);
  const room = { left: MAX_LOSSLESS_PIXELS };
  for (const [at, part] of parts.entries()) {
    if (part.role !== 'pixels' && part.role !== 'colour') continue;
    const used = bareChunk(part, canvas, room);
    if (used === undefined) parts[at] = { ...part, role: 'other' };
    else {
      const bare = Buffer.compare(used.data, part.data) === 0 ? {} : { bare: used.data };
      parts[at] = { ...part, ...bare, ...(used.isUnread && { isUnread: true }) };
    }
  }
  if (riffEnd < bytes.length) {
    const behind = bytes.subarray(riffEnd);
    parts.push({ name: BEHIND_THE_END, role: 'other', start: riffEnd, end: bytes.length, data: behind });
  }
  return parts;
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

/** What decoders use of a chunk, and whether some of it was not followed. */
type Used = { readonly data: Uint8Array; readonly isUnread?: boolean };

/** Undefined where decoders use nothing. */
function bareChunk({ name, data }: Part, canvas: Size, room: Room): Used | undefined {
  if (name === 'VP8X' && data.length >= VP8X_BYTES)
    return {
      data: concatBytes(Uint8Array.of((data[0] ?? 0) & KNOWN_FLAGS, 0, 0, 0), data.subarray(4, VP8X_BYTES)),
    };
  if (name === 'ANIM') return { data: data.subarray(0, ANIM_BYTES) };
  if (name === 'ANMF') return bareFrame(data, room);
  if (IMAGE.has(name)) return bareCoded(name, data, canvas, room);
  if (name !== 'ICCP') return { data };
  const bare = bareProfile(data);
  return bare === undefined || isStandardProfile(bare.icc)
    ? undefined
    : { data: bare.icc, isUnread: bare.isUnread === true };
}

/** Of a frame its head, an alpha plane and a picture. */
function bareFrame(data: Uint8Array, room: Room): Used {
  const size = sizeAt(data, FRAME_SIZE_AT);
  const chunks = [...walkWebpChunks(data, data.length, FRAME_HEAD_BYTES)];
  const picture = chunks.findIndex(({ type }) => type === 'VP8 ' || type === 'VP8L');
  const alpha = chunks.findIndex(({ type }) => type === 'ALPH');
  const kept = chunks.filter(
    ({ type }, at) =>
      at === picture || (at === alpha && at < picture && type === 'ALPH' && chunks[picture]?.type === 'VP8 '),
  );
  const used = kept.map(({ type, data: at, length }) => ({
    type,
    ...bareCoded(type, data.subarray(at, at + length), size, room),
  }));
  return {
    data: concatBytes(
      data.subarray(0, FRAME_HEAD_BYTES),
      ...used.map((each) => makeWebpChunk(each.type, each.data)),
    ),
    isUnread: used.some(({ isUnread }) => isUnread),
  };
}

/**
 * A lossless picture or plane up to its end. What cannot be followed stays as it is, and so does every lossy picture: its
 * header tells where partitions end (RFC 6386, 9.5), the last one with the chunk, but not where the codes in them do.
 */
function bareCoded(type: string, data: Uint8Array, size: Size, room: Room): Used {
  const upTo = (length: number | undefined): Used =>
    length === undefined ? { data, isUnread: true } : { data: data.subarray(0, length) };
  if (type === 'VP8L') return upTo(losslessBytes(data, room));
  if (type !== 'ALPH') return upTo(undefined);
  // The first byte says in its lowest two bits whether the plane is as it is (0), or coded (1).
  const method = (data[0] ?? 0) & 3;
  if (method === 0) return upTo(1 + size.width * size.height);
  const used = method === 1 ? losslessBytes(data.subarray(1), room, size) : undefined;
  return upTo(used === undefined ? undefined : 1 + used);
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
