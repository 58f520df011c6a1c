import { readAvifFile, spliceAvif } from '../avif.ts';
import type { AvifItem } from '../avif-meta.ts';
import type { Box } from '../boxes.ts';
import { latin1Bytes } from '../cursor.ts';
import { eraseMeta, hasUnreadProfile, keptItems } from './avif-boxes.ts';
import { eraseMovie, samplesOfMovie } from './avif-movie.ts';
import { eraseBox, eraseRanges } from './erase-boxes.ts';
import { eraseObus } from './erase-obus.ts';
import type { Part } from './part.ts';
import type { Range } from './range.ts';

/** Boxes of the outermost level that are the picture. */
const PICTURE_BOXES = new Set(['ftyp', 'meta', 'mdat', 'moov']);
/** Brands that tell readers what to do with the file. */
const BRANDS = new Set([
  ...['avif', 'avis', 'avio', 'mif1', 'mif2', 'msf1', 'miaf', 'MA1A', 'MA1B'],
  ...['isom', 'iso2', 'iso3', 'iso4', 'iso5', 'iso6', 'iso7', 'iso8', 'iso9'],
]);
/** One that every AVIF may have, for those that say something else. */
const PLAIN_BRAND = latin1Bytes('mif1');

/** Items that describe; others are pictures, or put together from pictures. */
const DESCRIBING = new Set(['Exif', 'mime', 'uri ', 'jumb']);

/**
 * An AVIF of nothing but its picture (with its alpha plane, and its frames) and the properties of that: colours, rotation.
 * What is taken out is overwritten before it is cut off: its bytes are nowhere in the file. Names, brands and unknown
 * boxes are overwritten where they stand. Offsets stay, so the pictures do too.
 *
 * @param bytes a complete AVIF; not modified, not retained.
 * @returns a new file; erasing it again gives the same bytes.
 * @throws LineageError `avif/malformed`
 */
export function eraseAvif(bytes: Uint8Array): Uint8Array {
  const wanted = keptItems(bytes, readAvifFile(bytes));
  const out = withoutItems(bytes, ({ id }) => !wanted.has(id));
  const file = readAvifFile(out);
  for (const box of file.boxes) {
    if (box.type === 'ftyp') eraseBrands(out, box);
    else if (box.type === 'moov') eraseMovie(out, box);
  }
  eraseMeta(out, file, keptItems(out, file));
  eraseCoded(out, file);
  return out;
}

/**
 * An AVIF without descriptions, boxes of others, and data that no item has a claim on; all else stays as it is.
 *
 * @param bytes as for `eraseAvif`
 * @throws LineageError `avif/malformed`
 */
export function eraseDescriptions(bytes: Uint8Array): Uint8Array {
  return withoutItems(bytes, ({ type }) => DESCRIBING.has(type));
}

function withoutItems(bytes: Uint8Array, isStray: (item: AvifItem) => boolean): Uint8Array {
  const source = readAvifFile(bytes);
  const cut = bytes.subarray(0, source.boxes.findLast(isPicture)?.end ?? source.end);
  const hasStrays = source.meta.items.some(isStray);
  const out = hasStrays ? spliceAvif(cut, { exif: null, xmp: null }, isStray) : Uint8Array.from(cut);
  const { boxes, meta } = readAvifFile(out);
  const idatAt = meta.idat.byteOffset - out.byteOffset;
  const kept: Range[] = boxes
    .filter(({ type }) => type === 'moov')
    .flatMap((moov) => samplesOfMovie(out, moov));
  const erased: Range[] = boxes
    .filter(({ type }) => type === 'mdat')
    .map(({ data, end }) => ({ from: data, to: end }));
  if (meta.idat.length > 0) erased.push({ from: idatAt, to: idatAt + meta.idat.length });
  for (const { construction, dataReference, extents } of meta.locations.items) {
    if (dataReference !== 0 || construction > 1) continue;
    const [from, to] = construction === 0 ? [0, out.length] : [idatAt, idatAt + meta.idat.length];
    for (const { offset, length } of extents)
      kept.push({ from: from + offset, to: length === 0 ? to : Math.min(to, from + offset + length) });
  }
  eraseRanges(out, erased, kept);
  for (const box of boxes) if (!isPicture(box)) eraseBox(out, box);
  return withoutEnd(out);
}

/** Descriptions within the data of pictures. Those in several pieces, or written twice, stay as they are. */
function eraseCoded(out: Uint8Array, { meta }: ReturnType<typeof readAvifFile>): void {
  const coded = new Set(meta.items.filter(({ type }) => type === 'av01').map(({ id }) => id));
  for (const { id, construction, dataReference, extents } of meta.locations.items) {
    const [only] = extents;
    if (!coded.has(id) || construction !== 0 || dataReference !== 0 || extents.length !== 1 || !only)
      continue;
    eraseObus(out, only.offset, only.length === 0 ? out.length : only.offset + only.length);
  }
}

/** major brand · minor version u32 · compatible brands */
function eraseBrands(out: Uint8Array, { data, end }: Box): void {
  out.fill(0, Math.min(end, data + 4), Math.min(end, data + 8));
  let at = data + 8;
  for (; at + 4 <= end; at += 4)
    if (!BRANDS.has(Buffer.from(out.subarray(at, at + 4)).toString('latin1'))) out.set(PLAIN_BRAND, at);
  out.fill(0, Math.min(at, end), end);
}

/** Without what stands behind the last box of the picture: where data was cut off, emptied boxes come last. */
function withoutEnd(bytes: Uint8Array): Uint8Array {
  const { boxes, end } = readAvifFile(bytes);
  return bytes.subarray(0, boxes.findLast(isPicture)?.end ?? end);
}

function isPicture({ type }: Box): boolean {
  return PICTURE_BOXES.has(type);
}

/**
 * What of an AVIF's picture nobody follows: the data of its items, by their types, but for the units they consist of
 * (`eraseObus`); the frames of an animation; tables of a profile.
 *
 * @throws LineageError `avif/malformed`
 */
export function unreadInAvif(bytes: Uint8Array): Pick<Part, 'name' | 'role'>[] {
  const file = readAvifFile(bytes);
  const kept = keptItems(bytes, file);
  const types = file.meta.items.filter(({ id }) => kept.has(id)).map(({ type }) => type);
  const movies = file.boxes.filter(({ type }) => type === 'moov').map(({ type }) => type);
  return [
    ...[...types, ...movies].map((name) => ({ name, role: 'pixels' as const })),
    ...(hasUnreadProfile(bytes, file) ? [{ name: 'colr', role: 'colour' as const }] : []),
  ];
}

/**
 * What of an AVIF is no picture and lies outside of its items: boxes of others, and bytes behind the last one.
 *
 * @throws LineageError `avif/malformed`
 */
export function strangersInAvif(bytes: Uint8Array): Uint8Array[] {
  const { boxes, end } = readAvifFile(bytes);
  const foreign = boxes.filter((box) => !isPicture(box));
  return [...foreign.map((box) => bytes.subarray(box.data, box.end)), bytes.subarray(end)];
}
