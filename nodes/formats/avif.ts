import { LineageError } from '../kit/errors.ts';
import { assemble, concatBytes, joinBytes, keep, type Piece } from './assemble.ts';
import { type AvifItem, type AvifMeta, makeMeta, readMeta } from './avif-meta.ts';
import { type Box, listBoxes, listFileBoxes, makeBox } from './boxes.ts';
import { latin1Bytes, need, startsWith, u32be, u32beBytes, u64be } from './cursor.ts';
import type { ItemLocation } from './item-location.ts';
import { isManifestStore, storeInUuidBox } from './jumbf.ts';
import { withoutExifPrefix } from './tiff.ts';

/** What an AVIF says beside its pixels. */
export type AvifContents = {
  /** Pixels of the primary item, before rotation and mirroring. */
  readonly width: number;
  readonly height: number;
  readonly hasAlpha: boolean;
  readonly isAnimated: boolean;
  /** The TIFF block of the first EXIF item. */
  readonly exif?: Uint8Array;
  readonly xmp?: string;
  readonly hasIcc: boolean;
  /** A C2PA manifest. */
  readonly hasC2pa: boolean;
};

/** What to change; absent stays as it is, null removes. */
export type AvifChange = {
  /** A TIFF block without `Exif\0\0`. */
  readonly exif?: Uint8Array | null;
  readonly xmp?: string | null;
};

/** The user type of C2PA's `uuid` box. @see https://c2pa.org/specifications/ (embedding in BMFF) */
const C2PA_UUID = Uint8Array.from(Buffer.from('d8fec3d61b0e483c92975828877ec481', 'hex'));
const U32_MAX = 0xffff_ffff;
const EXIF_TYPE = 'Exif';
const XMP_TYPE = 'mime';
const XMP_CONTENT = 'application/rdf+xml';

/** The error every structural fault of an AVIF ends in. */
function malformed(message: string, byte: number): LineageError {
  return new LineageError('avif/malformed', message, { byte });
}

/** An AVIF taken apart: its outermost boxes, and what its `meta` says. */
export type AvifFile = {
  readonly boxes: readonly Box[];
  /** Where the last box ends: what lies behind belongs to somebody else. */
  readonly end: number;
  readonly metaBox: Box;
  readonly meta: AvifMeta;
};

/**
 * Takes an AVIF apart, and checks that what its items claim lies inside it.
 *
 * @throws LineageError `avif/malformed`
 */
export function readAvifFile(bytes: Uint8Array): AvifFile {
  const { boxes, end } = listFileBoxes(bytes, 'avif/malformed');
  if (boxes[0]?.type !== 'ftyp') throw malformed('expected ftyp as the first box, got another', 0);
  const metaBox = boxes.find(({ type }) => type === 'meta');
  if (metaBox === undefined) throw malformed('expected a meta box, got none', 0);
  const meta = readMeta(bytes, metaBox);
  const boxed = bytes.subarray(0, end);
  for (const { construction, dataReference, extents } of meta.locations.items) {
    if (construction !== 0 || dataReference !== 0) continue;
    // One check for the whole file: what items claim lies inside it.
    for (const { offset, length } of extents) need(boxed, offset, length, 'avif/malformed');
  }
  return { boxes, end, metaBox, meta };
}

function isExifItem({ type }: AvifItem): boolean {
  return type === EXIF_TYPE;
}

function isXmpItem({ type, contentType }: AvifItem): boolean {
  return type === XMP_TYPE && contentType === XMP_CONTENT;
}

/**
 * Reads what an AVIF carries beside its pixels.
 *
 * @throws LineageError `avif/malformed`
 * @see https://aomediacodec.github.io/av1-avif/ and ISO/IEC 23008-12 (HEIF)
 */
export function readAvif(bytes: Uint8Array): AvifContents {
  const { boxes, meta } = readAvifFile(bytes);
  const exif = dataOf(bytes, meta, isExifItem);
  const xmp = dataOf(bytes, meta, isXmpItem);
  return {
    width: meta.width,
    height: meta.height,
    hasAlpha: meta.hasAlpha,
    isAnimated: boxes.some(({ type }) => type === 'moov'),
    ...(exif === undefined ? {} : { exif: tiffOf(exif) }),
    ...(xmp === undefined ? {} : { xmp: new TextDecoder().decode(xmp) }),
    hasIcc: meta.hasIcc,
    hasC2pa: boxes.some((box) => holdsManifest(bytes, box)),
  };
}

/** C2PA's `uuid` box with a manifest store in it, or such a store as a box of its own. */
function holdsManifest(bytes: Uint8Array, { type, start, data, end }: Box): boolean {
  if (type === 'jumb') return isManifestStore(bytes.subarray(start, end));
  if (type !== 'uuid' || !startsWith(bytes.subarray(0, end), C2PA_UUID, data)) return false;
  const store = storeInUuidBox(bytes.subarray(data + C2PA_UUID.length, end));
  return store !== undefined && isManifestStore(store);
}

/** offset of the TIFF header u32 BE, counted from behind this field · usually nothing or `Exif\0\0` · TIFF block */
function tiffOf(item: Uint8Array): Uint8Array {
  const at = 4 + u32be(item, 0, 'avif/malformed');
  need(item, at, 0, 'avif/malformed');
  return withoutExifPrefix(item.subarray(at));
}

/** The bytes of the first such item, joined where they lie in several places. */
function dataOf(
  bytes: Uint8Array,
  meta: AvifMeta,
  isKind: (item: AvifItem) => boolean,
): Uint8Array | undefined {
  const item = meta.items.find(isKind);
  const location = item && meta.locations.items.find(({ id }) => id === item.id);
  if (location === undefined || location.dataReference !== 0 || location.construction > 1) return undefined;
  const source = location.construction === 0 ? bytes : meta.idat;
  const parts = location.extents.map(({ offset, length }) => {
    need(source, offset, length, 'avif/malformed');
    return source.subarray(offset, length === 0 ? source.length : offset + length);
  });
  let total = 0;
  for (const part of parts) total += part.length;
  // Extents may overlap, so that a small file could claim terabytes.
  if (total > bytes.length) throw malformed('expected items within the size of the file, got more', 0);
  const [only] = parts;
  return parts.length === 1 && only !== undefined ? only : joinBytes(parts);
}

/**
 * Puts EXIF and XMP items into an AVIF. Their data goes into an `mdat` of their own at the end of the file, which the
 * next splice takes off again; data of replaced items elsewhere stays, unreferenced. `meta` is written anew with
 * the items listed, tied to the primary item, and every offset that it moves is mended: `iloc`, and the chunk
 * offsets of an animation. All else keeps its bytes and order, bytes behind the last box included.
 *
 * @param bytes a complete AVIF; not modified, not retained.
 * @param isStray further items that go.
 * @returns a new file; splicing the same change again gives the same bytes.
 * @throws LineageError `avif/malformed`
 */
export function spliceAvif(
  bytes: Uint8Array,
  change: AvifChange,
  isStray: (item: AvifItem) => boolean = () => false,
): Uint8Array {
  const { boxes, end, metaBox, meta } = readAvifFile(bytes);
  const exif = change.exif && concatBytes(new Uint8Array(4), change.exif);
  const xmp = typeof change.xmp === 'string' ? new TextEncoder().encode(change.xmp) : change.xmp;
  const plan = planItems(bytes, meta, end, [
    { isKind: isExifItem, type: EXIF_TYPE, data: exif },
    { isKind: isXmpItem, type: XMP_TYPE, contentType: XMP_CONTENT, data: xmp },
    { isKind: isStray, type: '', data: null },
  ]);
  const last = boxes.at(-1);
  const dropped = last !== undefined && isLeftOver(last, meta, plan) ? last : undefined;
  const keptEnd = dropped?.start ?? end;

  // Offsets have a fixed width, so a first draft tells how much `meta` grows.
  const draft = makeMeta(bytes, metaBox, meta, plan.items, plan.locations);
  const growth = draft.length - (metaBox.end - metaBox.start);
  const shift = (offset: number): number => (offset >= metaBox.end ? offset + growth : offset);
  let dataAt = keptEnd + growth + 8;
  const locations = plan.locations.map((location) => {
    const fresh = plan.fresh.get(location.id);
    if (fresh === undefined) return shiftLocation(location, shift);
    const placed = { ...location, extents: [{ index: 0, offset: dataAt, length: fresh.length }] };
    dataAt += fresh.length;
    return placed;
  });
  const fresh = plan.locations.flatMap(({ id }) => plan.fresh.get(id) ?? []);

  const pieces: Piece[] = [];
  for (const box of boxes) {
    if (box === dropped) continue;
    if (box === metaBox) pieces.push(makeMeta(bytes, metaBox, meta, plan.items, locations));
    else if (box.type === 'moov') pieces.push(shiftChunkOffsets(bytes, box, shift));
    else if (box.isOpenEnded && fresh.length > 0)
      pieces.push(closedHead(box), { from: box.data, to: box.end });
    else keep(pieces, box.start, box.end);
  }
  if (fresh.length > 0) pieces.push(makeBox('mdat', ...fresh));
  keep(pieces, end, bytes.length);
  const out = assemble(bytes, pieces);
  if (out.length > U32_MAX) throw malformed('expected a file below 4 GiB, got more', 0);
  // Items that share bytes with boxes can be moved apart by what is added: better no file than one that nobody can read.
  readAvif(out);
  return out;
}

type Wanted = {
  readonly isKind: (item: AvifItem) => boolean;
  readonly type: string;
  readonly contentType?: string;
  /** undefined keeps what is there, null removes it. */
  readonly data: Uint8Array | null | undefined;
};

type Plan = {
  readonly items: readonly AvifItem[];
  readonly locations: readonly ItemLocation[];
  /** New data by item id. */
  readonly fresh: ReadonlyMap<number, Uint8Array>;
  /** Old places of items that were replaced or removed. */
  readonly freed: readonly ItemLocation[];
};

/** Which items there will be. A replaced item keeps its id and entry; further ones of its kind go. */
function planItems(bytes: Uint8Array, meta: AvifMeta, end: number, wanted: readonly Wanted[]): Plan {
  let items = [...meta.items];
  const fresh = new Map<number, Uint8Array>();
  const changed = new Set<number>();
  // What is kept in the `mdat` of an earlier splice must move along when that is taken off.
  const tail = meta.locations.items;
  for (const { isKind, type, contentType, data } of wanted) {
    const present = items.filter(isKind);
    const content = data === undefined ? dataOf(bytes, meta, isKind) : data;
    if (data === undefined && (content === undefined || content === null || present.length === 0)) continue;
    for (const { id } of present) changed.add(id);
    items = items.filter((item) => !isKind(item) || (content !== null && item === present[0]));
    if (content === null || content === undefined) continue;
    const id = present[0]?.id ?? freeId(items, tail);
    if (present.length === 0) items.push({ id, type, ...(contentType === undefined ? {} : { contentType }) });
    fresh.set(id, content);
  }
  const kept = tail.filter(({ id }) => !changed.has(id)).map((location) => closeExtents(location, end));
  const placed = [...fresh.keys()].map((id) => ({
    id,
    construction: 0,
    dataReference: 0,
    extents: [{ index: 0, offset: 0, length: 0 }],
  }));
  return { items, locations: [...kept, ...placed], fresh, freed: tail.filter(({ id }) => changed.has(id)) };
}

/** The lowest id above those in use; ids are 16 bits wide in the older boxes. */
function freeId(items: readonly AvifItem[], locations: readonly ItemLocation[]): number {
  const used = new Set([...items, ...locations].map(({ id }) => id));
  for (let id = 1; id <= 0xffff; id++) if (!used.has(id)) return id;
  throw malformed('expected a free item id below 65536, got none', 0);
}

/** Whether the last box is an `mdat` that held replaced items and nothing else. */
function isLeftOver(box: Box, meta: AvifMeta, { freed }: Plan): boolean {
  if (box.type !== 'mdat') return false;
  const freedIds = new Set(freed.map(({ id }) => id));
  let freedBytes = 0;
  for (const { id, construction, dataReference, extents } of meta.locations.items) {
    if (construction !== 0 || dataReference !== 0) continue;
    for (const { offset, length } of extents) {
      const isInside = offset >= box.data && offset + length <= box.end && length > 0;
      if (isInside && freedIds.has(id)) freedBytes += length;
      else if (offset < box.end && (length === 0 || offset + length > box.data)) return false;
    }
  }
  return freedBytes === box.end - box.data;
}

/**
 * An extent of length 0 runs to the end of the file, which is another one after a splice. It gets the length that it
 * has, for what is appended is no part of it; one that starts at the end holds nothing, and goes.
 *
 * @param end where the last box ends
 */
function closeExtents(location: ItemLocation, end: number): ItemLocation {
  if (location.construction !== 0 || location.dataReference !== 0) return location;
  const extents = location.extents.map((extent) => ({
    ...extent,
    length: extent.length || end - extent.offset,
  }));
  return { ...location, extents: extents.filter(({ length }) => length > 0) };
}

function shiftLocation(location: ItemLocation, shift: (offset: number) => number): ItemLocation {
  if (location.construction !== 0 || location.dataReference !== 0) return location;
  return {
    ...location,
    extents: location.extents.map((extent) => ({ ...extent, offset: shift(extent.offset) })),
  };
}

/** A `moov` whose chunk offsets (`trak/mdia/minf/stbl/stco` and `co64`) follow the data that moved. */
function shiftChunkOffsets(bytes: Uint8Array, moov: Box, shift: (offset: number) => number): Uint8Array {
  // A copy: `slice` of a Buffer would be a view of the caller's bytes.
  const out = Uint8Array.from(bytes.subarray(moov.start, moov.end));
  const descend = (from: number, to: number, path: readonly string[]): void => {
    for (const box of listBoxes(bytes, from, to, 'avif/malformed')) {
      if (box.type === path[0]) descend(box.data, box.end, path.slice(1));
      else if (path.length === 0 && (box.type === 'stco' || box.type === 'co64'))
        shiftTable(bytes, box, out, moov.start, shift);
    }
  };
  descend(moov.data, moov.end, ['trak', 'mdia', 'minf', 'stbl']);
  return out;
}

/** version and flags u32 · count u32 · offsets u32 (`stco`) or u64 (`co64`), all BE */
function shiftTable(
  bytes: Uint8Array,
  box: Box,
  out: Uint8Array,
  outStart: number,
  shift: (offset: number) => number,
): void {
  const count = u32be(bytes, box.data + 4, 'avif/malformed');
  const width = box.type === 'stco' ? 4 : 8;
  need(bytes.subarray(0, box.end), box.data + 8, count * width, 'avif/malformed');
  for (let i = 0; i < count; i++) {
    const at = box.data + 8 + i * width;
    const offset = shift(
      width === 4 ? u32be(bytes, at, 'avif/malformed') : u64be(bytes, at, 'avif/malformed'),
    );
    if (width === 8) out.set(u32beBytes(Math.floor(offset / 0x1_0000_0000)), at - outStart);
    out.set(u32beBytes(offset % 0x1_0000_0000), at - outStart + width - 4);
  }
}

/** The head of a box that used to run to the end of the file and now has something behind it. */
function closedHead(box: Box): Uint8Array {
  const size = box.end - box.start;
  if (size > U32_MAX) throw malformed('expected a box below 4 GiB, got more', box.start);
  return concatBytes(u32beBytes(size), latin1Bytes(box.type));
}
