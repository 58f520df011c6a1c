import { assemble, concatBytes, joinBytes, keep, type Piece } from '../assemble.ts';
import { latin1Bytes, need, startsWith, u16be } from '../cursor.ts';
import { isFrame, listJpegSegments, MAX_SEGMENT_BYTES, makeJpegSegment } from '../jpeg.ts';
import { isManifestPacket } from '../jumbf.ts';
import { EXIF_PREFIX } from '../tiff.ts';
import { bareProfile, isStandardProfile } from './bare-profile.ts';
import { markUnusedCoding } from './jpeg-tables.ts';
import { BEHIND_THE_END, type NewPart, type Part, type PartRole } from './part.ts';

const XMP = latin1Bytes('http://ns.adobe.com/xap/1.0/\0');
const ICC = latin1Bytes('ICC_PROFILE\0');
const JFIF = latin1Bytes('JFIF\0');
const ADOBE = latin1Bytes('Adobe');
const APP = { first: 0xe0, last: 0xef } as const;
const COMMENT = 0xfe;
const END_OF_IMAGE = 0xd9;
/** DHT, DAC, SOS, DQT, DRI: what a picture is decoded with, besides its frame. Decoders pass over DNL. */
const CODING = new Set([0xc4, 0xcc, 0xda, 0xdb, 0xdd]);
const RESTART = 0xdd;
const RESTART_BYTES = 2;
const SCAN = 0xda;
const PROFILE = 0xe2;
const ADOBE_MARKER = 0xee;
/** Mark, version, two words of flags, colour transform. */
const ADOBE_BYTES = 12;
/** Version 100, no flags; only the transform says something. */
const ADOBE_HEAD = latin1Bytes('Adobe\0\x64\0\0\0\0');
/** Before a part of a profile stand its number among the segments and how many there are. */
const PROFILE_AT = ICC.length + 2;
const MAX_PROFILE_PART = MAX_SEGMENT_BYTES - 4 - PROFILE_AT;
/** JFIF without a thumbnail: mark, version, units, densities, sides of the thumbnail. */
const JFIF_BYTES = 14;

/**
 * All of the first picture of a JPEG, segments between its scans included, then what lies behind its end: further
 * pictures of a multi-picture file are such bytes.
 *
 * @throws LineageError `jpeg/malformed`
 */
export function listJpegParts(bytes: Uint8Array): Part[] {
  const parts: Part[] = [part('SOI', 'pixels', 0, 2, bytes.subarray(0, 2))];
  for (const { marker, start, data, end } of listJpegSegments(bytes))
    parts.push(segment(marker, start, end, bytes.subarray(data, end)));
  markFurther(parts);
  markProfile(parts);
  let at = parts.at(-1)?.end ?? 2;
  for (;;) {
    const marked = endOfScan(bytes, at);
    if (marked > at) parts.push(part('scan', 'pixels', at, marked, bytes.subarray(at, marked)));
    // A marker may have any number of FF before it.
    let code = marked + 1;
    while (bytes[code] === 0xff) code++;
    const marker = bytes[code] ?? END_OF_IMAGE;
    if (marker === END_OF_IMAGE) {
      at = Math.min(code + 1, bytes.length);
      parts.push(part('EOI', 'pixels', marked, at, bytes.subarray(marked, at)));
      break;
    }
    const length = u16be(bytes, code + 1, 'jpeg/malformed');
    need(bytes, code + 1, Math.max(2, length), 'jpeg/malformed');
    at = code + 1 + Math.max(2, length);
    const found = segment(marker, marked, at, bytes.subarray(code + 3, at));
    // What the colours are is told before the first scan.
    const isColour = found.role === 'colour' || marker === APP.first || marker === ADOBE_MARKER;
    parts.push(isColour ? { ...found, role: 'other' } : found);
  }
  if (at < bytes.length) parts.push(part(BEHIND_THE_END, 'other', at, bytes.length, bytes.subarray(at)));
  markStray(parts);
  markUnusedCoding(parts, bytes);
  return parts;
}

/** Of JFIF the first counts, of Adobe's mark the last. */
function markFurther(parts: Part[]): void {
  const jfif = parts.findIndex(isJfif);
  const adobe = parts.findLastIndex(({ marker, data }) => marker === ADOBE_MARKER && startsWith(data, ADOBE));
  for (const [at, each] of parts.entries()) {
    const isFurther = (isJfif(each) && at !== jfif) || (each.marker === ADOBE_MARKER && at !== adobe);
    if (isFurther) parts[at] = { ...each, role: 'other' };
  }
}

/** Bytes between two segments that follow no scan header. */
function markStray(parts: Part[]): void {
  for (const [at, each] of parts.entries())
    if (each.name === 'scan' && parts[at - 1]?.marker !== SCAN) parts[at] = { ...each, role: 'other' };
}

/** Where the next marker stands that is no restart: behind an FF in the data follows 00. */
function endOfScan(bytes: Uint8Array, from: number): number {
  for (let at = bytes.indexOf(0xff, from); at >= 0; at = bytes.indexOf(0xff, at + 1)) {
    const next = bytes[at + 1] ?? 0;
    if (next !== 0 && !(next >= 0xd0 && next <= 0xd7)) return at;
  }
  return bytes.length;
}

function segment(marker: number, start: number, end: number, data: Uint8Array): Part {
  const found = { ...part(nameOf(marker), roleOf(marker, data), start, end, data), marker };
  const bare = bareData(marker, data);
  const isBare = bare.length === data.length && startsWith(data, bare);
  return isBare ? found : { ...found, bare };
}

/** What a segment's own fields account for, of those that have fields; of tables see `markUnusedCoding`. */
function bareData(marker: number, data: Uint8Array): Uint8Array {
  if (marker === ADOBE_MARKER && startsWith(data, ADOBE) && data.length >= ADOBE_BYTES)
    return concatBytes(ADOBE_HEAD, data.subarray(ADOBE_BYTES - 1, ADOBE_BYTES));
  if (marker === APP.first && startsWith(data, JFIF) && data.length >= JFIF_BYTES)
    return concatBytes(data.subarray(0, JFIF_BYTES - 2), new Uint8Array(2));
  if (marker === RESTART) return data.subarray(0, RESTART_BYTES);
  // Components follow their number.
  if (marker === SCAN) return data.subarray(0, 4 + 2 * (data[0] ?? 0));
  if (isFrame(marker)) return data.subarray(0, 6 + 3 * (data[5] ?? 0));
  return data;
}

/**
 * The segments of a profile, numbered from 1, give one profile, or none. Only its colours stay: where that is less, all
 * of it is in the first segment that holds some of it.
 */
function markProfile(parts: Part[]): void {
  const own = parts.flatMap((each, at) =>
    each.marker === PROFILE && startsWith(each.data, ICC) ? [at] : [],
  );
  const dataOf = (at: number): Uint8Array => parts[at]?.data ?? new Uint8Array(0);
  const sorted = own.toSorted((a, b) => (dataOf(a)[ICC.length] ?? 0) - (dataOf(b)[ICC.length] ?? 0));
  const isWhole = sorted.every((at, nth) => {
    const [number, count] = dataOf(at).subarray(ICC.length, PROFILE_AT);
    return number === nth + 1 && count === sorted.length;
  });
  const icc = joinBytes(sorted.map((at) => dataOf(at).subarray(PROFILE_AT)));
  const { icc: bare, isUnread } = (isWhole ? bareProfile(icc) : undefined) ?? {};
  const isKept = bare !== undefined && !isStandardProfile(bare);
  const isBare = isKept && bare.length === icc.length && startsWith(icc, bare);
  const unread = isUnread ? ({ isUnread } as const) : {};
  const count = isKept ? Math.ceil(bare.length / MAX_PROFILE_PART) : 0;
  for (const [nth, at] of sorted.entries()) {
    const each = parts[at];
    if (each === undefined) continue;
    if (isBare) {
      parts[at] = { ...each, ...unread };
      continue;
    }
    const piece = bare?.subarray(nth * MAX_PROFILE_PART, (nth + 1) * MAX_PROFILE_PART);
    parts[at] =
      piece !== undefined && nth < count
        ? { ...each, ...unread, bare: concatBytes(ICC, Uint8Array.of(nth + 1, count), piece) }
        : { ...each, role: 'other' };
  }
}

function part(name: string, role: PartRole, start: number, end: number, data: Uint8Array): Part {
  return { name, role, start, end, data };
}

function nameOf(marker: number): string {
  if (marker === COMMENT) return 'COM';
  return marker >= APP.first && marker <= APP.last ? `APP${marker - APP.first}` : `FF${marker.toString(16)}`;
}

/** Tables, frames and scans are the picture; JFIF tells its density, and may hold a thumbnail. */
function roleOf(marker: number, data: Uint8Array): PartRole {
  if (marker === COMMENT) return 'text';
  if (marker < APP.first || marker > APP.last)
    return isFrame(marker) || CODING.has(marker) ? 'pixels' : 'other';
  const app = marker - APP.first;
  if (app === 0 && startsWith(data, JFIF) && data.length >= JFIF_BYTES) return 'pixels';
  if (app === 1 && startsWith(data, EXIF_PREFIX)) return 'exif';
  if (app === 1 && startsWith(data, XMP)) return 'xmp';
  if (app === 2 && startsWith(data, ICC)) return 'colour';
  if (app === 11 && isManifestPacket(data)) return 'c2pa';
  // Which colours the three or four components are.
  return app === 14 && startsWith(data, ADOBE) && data.length >= ADOBE_BYTES ? 'colour' : 'other';
}

function isJfif({ marker, data }: Part): boolean {
  return marker === APP.first && startsWith(data, JFIF);
}

/**
 * The file of these parts: those with data of their own as new segments, the others byte for byte.
 *
 * @throws LineageError `jpeg/segment-too-large`
 */
export function joinJpegParts(bytes: Uint8Array, parts: readonly NewPart[]): Uint8Array {
  const pieces: Piece[] = [];
  for (const { part: each, data } of parts) {
    // What is no segment has no data of its own.
    if (data === undefined || each.marker === undefined) keep(pieces, each.start, each.end);
    else pieces.push(makeJpegSegment(each.marker, data));
  }
  return assemble(bytes, pieces);
}
