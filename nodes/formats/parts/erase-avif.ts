import { readAvifFile, spliceAvif } from '../avif.ts';
import type { AvifItem } from '../avif-meta.ts';
import { type Box, listBoxes } from '../boxes.ts';
import { latin1Bytes } from '../cursor.ts';

/** Boxes of the outermost level that are the picture. */
const PICTURE_BOXES = new Set(['ftyp', 'meta', 'mdat', 'moov']);
/** Items that describe; others are pictures, or put together from pictures. */
const DESCRIBING = new Set(['Exif', 'mime', 'uri ', 'jumb']);

/**
 * An AVIF of nothing but its pictures and their properties (colour profile, rotation). What is taken out is
 * overwritten before it is cut off: its bytes are nowhere in the file. Offsets stay, so the pictures do too.
 *
 * @param bytes a complete AVIF; not modified, not retained.
 * @returns a new file; erasing it again gives the same bytes.
 * @throws LineageError `avif/malformed`
 */
export function eraseAvif(bytes: Uint8Array): Uint8Array {
  const { boxes, end, meta } = readAvifFile(bytes);
  const lastOfPicture = boxes.findLastIndex(isPicture);
  // Not by slice: that of a Buffer is a view.
  const out = Uint8Array.from(bytes.subarray(0, boxes[lastOfPicture]?.end ?? end));
  for (const box of boxes.slice(0, lastOfPicture)) if (!isPicture(box)) eraseBox(out, box);

  const describing = new Set(meta.items.filter(isDescribing).map(({ id }) => id));
  const idatAt = meta.idat.byteOffset - bytes.byteOffset;
  const kept: Range[] = [];
  const erased: Range[] = [];
  for (const { id, construction, dataReference, extents } of meta.locations.items) {
    if (dataReference !== 0 || construction > 1) continue;
    const [from, to] = construction === 0 ? [0, out.length] : [idatAt, idatAt + meta.idat.length];
    const list = describing.has(id) ? erased : kept;
    for (const { offset, length } of extents)
      list.push({ from: from + offset, to: length === 0 ? to : Math.min(to, from + offset + length) });
  }
  // Without an animation nothing but items has a claim on the data; what replaced items left behind goes too.
  if (!boxes.some(({ type }) => type === 'moov'))
    for (const { type, data, end: to } of boxes) if (type === 'mdat') erased.push({ from: data, to });
  eraseRanges(out, erased, kept);
  const isBare = !meta.items.some(({ type }) => type === 'Exif' || type === 'mime');
  return isBare ? out : withoutEnd(spliceAvif(out, { exif: null, xmp: null }));
}

/** Without what stands behind the last box of the picture: where data was cut off, emptied boxes come last. */
function withoutEnd(bytes: Uint8Array): Uint8Array {
  const { boxes, end } = readAvifFile(bytes);
  return bytes.subarray(0, boxes.findLast(isPicture)?.end ?? end);
}

function isPicture({ type }: Box): boolean {
  return PICTURE_BOXES.has(type);
}

type Range = { readonly from: number; readonly to: number };

function isDescribing({ type }: AvifItem): boolean {
  return DESCRIBING.has(type);
}

/** Zeros in all of `erased` that `kept` has no claim on. */
function eraseRanges(out: Uint8Array, erased: readonly Range[], kept: readonly Range[]): void {
  const sorted = kept.toSorted((a, b) => a.from - b.from);
  for (const { from, to } of erased) {
    let at = from;
    for (const claim of sorted) {
      if (claim.to <= at) continue;
      if (claim.from >= to) break;
      if (claim.from > at) out.fill(0, at, claim.from);
      at = Math.max(at, claim.to);
    }
    if (at < to) out.fill(0, at, to);
  }
}

/** A box of the same size that holds nothing. */
function eraseBox(out: Uint8Array, { start, data, end }: Box): void {
  out.fill(0, data, end);
  out.set(latin1Bytes('free'), start + 4);
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

/**
 * The colour profiles of an AVIF, as its properties hold them.
 *
 * @throws LineageError `avif/malformed`
 */
export function profilesOfAvif(bytes: Uint8Array): Uint8Array[] {
  const { metaBox } = readAvifFile(bytes);
  const childrenOf = (boxes: readonly Box[], type: string): Box[] =>
    boxes
      .filter((box) => box.type === type)
      .flatMap(({ data, end }) => listBoxes(bytes, data, end, 'avif/malformed'));
  const properties = childrenOf(
    childrenOf(listBoxes(bytes, metaBox.data + 4, metaBox.end, 'avif/malformed'), 'iprp'),
    'ipco',
  );
  return properties.filter(({ type }) => type === 'colr').map(({ data, end }) => bytes.subarray(data, end));
}
