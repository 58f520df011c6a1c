import { assemble, keep, type Piece } from '../assemble.ts';
import { latin1Bytes, need, startsWith, u16be } from '../cursor.ts';
import { isFrame, listJpegSegments, makeJpegSegment } from '../jpeg.ts';
import { isManifestPacket } from '../jumbf.ts';
import { BEHIND_THE_END, type NewPart, type Part, type PartRole } from './part.ts';

const EXIF = latin1Bytes('Exif\0\0');
const XMP = latin1Bytes('http://ns.adobe.com/xap/1.0/\0');
const ICC = latin1Bytes('ICC_PROFILE\0');
const JFIF = latin1Bytes('JFIF\0');
const ADOBE = latin1Bytes('Adobe');
const APP = { first: 0xe0, last: 0xef } as const;
const COMMENT = 0xfe;
const END_OF_IMAGE = 0xd9;
/** DNL, the number of lines: decoders pass over it, so a longer one could hold anything. */
const LINES = 0xdc;
const LINES_BYTES = 2;
const QUANTISATION = 0xdb;
const RESTART = 0xdd;
const RESTART_BYTES = 2;
const SCAN = 0xda;
const ADOBE_MARKER = 0xee;
/** Mark, version, two words of flags, colour transform. */
const ADOBE_BYTES = 12;
const PROFILE_SIGNATURE = latin1Bytes('acsp');
/** In the profile, before which stand its number among the segments and how many there are. */
const PROFILE_SIGNATURE_AT = 36;
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
  markFalseProfile(parts);
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
    parts.push(segment(marker, marked, at, bytes.subarray(code + 3, at)));
  }
  if (at < bytes.length) parts.push(part(BEHIND_THE_END, 'other', at, bytes.length, bytes.subarray(at)));
  return parts;
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
  const found = part(nameOf(marker), roleOf(marker, data), start, end, data);
  const used = usedBytes(marker, data);
  return used < data.length ? { ...found, role: 'pixels', bare: data.subarray(0, used) } : found;
}

/** How much of a segment its own fields account for. */
function usedBytes(marker: number, data: Uint8Array): number {
  if (marker === ADOBE_MARKER && startsWith(data, ADOBE)) return ADOBE_BYTES;
  if (marker === RESTART) return RESTART_BYTES;
  if (marker === QUANTISATION) return tablesEnd(data);
  // Components follow their number.
  if (marker === SCAN) return 4 + 2 * (data[0] ?? 0);
  if (isFrame(marker)) return 6 + 3 * (data[5] ?? 0);
  return data.length;
}

/** Quantisation tables: precision and number in a byte, then 64 values of one or two bytes. */
function tablesEnd(data: Uint8Array): number {
  let at = 0;
  while (at < data.length) {
    const head = data[at] ?? 0;
    const end = at + 1 + (head >> 4 === 0 ? 64 : 128);
    if (head >> 4 > 1 || (head & 15) > 3 || end > data.length) break;
    at = end;
  }
  // A first table that is damaged is for decoders to judge.
  return at === 0 ? data.length : at;
}

/** What only bears the name of a colour profile is none: its head has a signature. */
function markFalseProfile(parts: Part[]): void {
  const isProfile = ({ name, data }: Part): boolean => name === 'APP2' && startsWith(data, ICC);
  const first = parts.find((each) => isProfile(each) && each.data[ICC.length] === 1);
  if (first && startsWith(first.data.subarray(ICC.length + 2 + PROFILE_SIGNATURE_AT), PROFILE_SIGNATURE))
    return;
  for (const [at, each] of parts.entries()) if (isProfile(each)) parts[at] = { ...each, role: 'other' };
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
  if (marker === LINES && data.length !== LINES_BYTES) return 'other';
  if (marker > APP.last) return 'other';
  if (marker < APP.first) return 'pixels';
  const app = marker - APP.first;
  if (app === 0 && startsWith(data, JFIF) && data.length === JFIF_BYTES) return 'pixels';
  if (app === 1 && startsWith(data, EXIF)) return 'exif';
  if (app === 1 && startsWith(data, XMP)) return 'xmp';
  if (app === 2 && startsWith(data, ICC)) return 'colour';
  if (app === 11 && isManifestPacket(data)) return 'c2pa';
  // Which colours the three or four components are.
  return app === 14 && startsWith(data, ADOBE) ? 'colour' : 'other';
}

/** Data of a JFIF segment without its thumbnail; undefined for another segment. */
export function jfifWithoutThumbnail({ name, data }: Part): Uint8Array | undefined {
  if (name !== 'APP0' || !startsWith(data, JFIF) || data.length < JFIF_BYTES) return undefined;
  const plain = Uint8Array.from(data.subarray(0, JFIF_BYTES));
  plain.fill(0, 12);
  return plain;
}

/**
 * The file of these parts: those with data of their own as new segments, the others byte for byte.
 *
 * @throws LineageError `jpeg/segment-too-large`
 */
export function joinJpegParts(bytes: Uint8Array, parts: readonly NewPart[]): Uint8Array {
  const pieces: Piece[] = [];
  for (const { part: each, data } of parts) {
    if (data === undefined) keep(pieces, each.start, each.end);
    else pieces.push(makeJpegSegment(markerOf(each.name), data));
  }
  return assemble(bytes, pieces);
}

function markerOf(name: string): number {
  if (name.startsWith('FF')) return Number.parseInt(name.slice(2), 16);
  return name === 'COM' ? COMMENT : APP.first + Number(name.slice('APP'.length));
}
