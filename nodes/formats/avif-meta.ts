import { LineageError } from '../kit/errors.ts';
import { concatBytes, joinBytes } from './assemble.ts';
import { type Box, listBoxes, makeBox, makeFullBox } from './boxes.ts';
import { fourCharsAt, latin1, latin1Bytes, u8, u16be, u16beBytes, u32be, u32beBytes } from './cursor.ts';
import {
  type ItemLocation,
  type ItemLocations,
  makeItemLocations,
  readItemLocations,
} from './item-location.ts';

/** One entry of `iinf`: what an item is. */
export type AvifItem = {
  readonly id: number;
  /** Four characters; `Exif` and `mime` matter here. */
  readonly type: string;
  readonly contentType?: string;
  /** The `infe` box as it stands in the file; absent for a new item. */
  readonly source?: Box;
};

/** The `meta` box of an AVIF, as far as metadata and their places go. */
export type AvifMeta = {
  readonly primaryId: number;
  readonly items: readonly AvifItem[];
  readonly locations: ItemLocations;
  readonly width: number;
  readonly height: number;
  readonly hasAlpha: boolean;
  readonly hasIcc: boolean;
  /** The content of `idat`, empty where there is none. */
  readonly idat: Uint8Array;
};

/** Kinds of alpha plane. @see ISO/IEC 23008-12, and MIAF 7.3.5.2 */
const ALPHA_URNS = ['urn:mpeg:mpegB:cicp:systems:auxiliary:alpha', 'urn:mpeg:hevc:2015:auxid:1'];
/** A description (EXIF, XMP) points at what it describes with this reference. */
const DESCRIBES = 'cdsc';

function malformed(message: string, byte: number): LineageError {
  return new LineageError('avif/malformed', message, { byte });
}

/** version and flags u32, then the boxes. */
function listMetaBoxes(bytes: Uint8Array, meta: Box): Box[] {
  return listBoxes(bytes, meta.data + 4, meta.end, 'avif/malformed');
}

/**
 * Reads a `meta` box.
 *
 * @throws LineageError `avif/malformed`
 */
export function readMeta(bytes: Uint8Array, metaBox: Box): AvifMeta {
  const boxes = listMetaBoxes(bytes, metaBox);
  const get = (type: string): Box => {
    const box = boxes.find((candidate) => candidate.type === type);
    if (box === undefined) throw malformed(`expected a box ${type} in meta, got none`, metaBox.start);
    return box;
  };
  const pitm = get('pitm');
  const primaryId = readId(bytes, pitm.data + 4, u8(bytes, pitm.data, 'avif/malformed') === 0 ? 2 : 4);
  const idat = boxes.find(({ type }) => type === 'idat');
  return {
    primaryId,
    items: readItems(bytes, get('iinf')),
    locations: readItemLocations(bytes, get('iloc')),
    idat: idat === undefined ? new Uint8Array(0) : bytes.subarray(idat.data, idat.end),
    ...readProperties(bytes, get('iprp'), primaryId),
  };
}

function readId(bytes: Uint8Array, at: number, byteCount: 2 | 4): number {
  return byteCount === 2 ? u16be(bytes, at, 'avif/malformed') : u32be(bytes, at, 'avif/malformed');
}

/** version and flags u32 · entry count u16 (version 0) or u32 · `infe` boxes */
function infesOf(bytes: Uint8Array, iinf: Box): Box[] {
  const head = u8(bytes, iinf.data, 'avif/malformed') === 0 ? 6 : 8;
  return listBoxes(bytes, iinf.data + head, iinf.end, 'avif/malformed');
}

/** infe, versions 2 and 3: version and flags u32 · id u16 or u32 · protection u16 · type (4 ASCII) · name · 0 · content type · 0 */
function readItems(bytes: Uint8Array, iinf: Box): AvifItem[] {
  return infesOf(bytes, iinf).map((source) => {
    const version = u8(bytes, source.data, 'avif/malformed');
    if (version < 2) return { id: readId(bytes, source.data + 4, 2), type: '', source };
    const idBytes = version === 2 ? 2 : 4;
    const typeAt = source.data + 4 + idBytes + 2;
    const type = fourCharsAt(bytes.subarray(0, source.end), typeAt, 'avif/malformed');
    const id = readId(bytes, source.data + 4, idBytes);
    if (type !== 'mime') return { id, type, source };
    const [, contentType = ''] = latin1(bytes.subarray(typeAt + 4, source.end)).split('\0', 2);
    return { id, type, contentType, source };
  });
}

/** `iprp`: `ipco` with the properties, `ipma` with who has which. */
function readProperties(
  bytes: Uint8Array,
  iprp: Box,
  primaryId: number,
): { width: number; height: number; hasAlpha: boolean; hasIcc: boolean } {
  const boxes = listBoxes(bytes, iprp.data, iprp.end, 'avif/malformed');
  const ipco = boxes.find(({ type }) => type === 'ipco');
  const properties = ipco === undefined ? [] : listBoxes(bytes, ipco.data, ipco.end, 'avif/malformed');
  const ofPrimary = boxes
    .filter(({ type }) => type === 'ipma')
    .flatMap((ipma) => readAssociations(bytes, ipma, primaryId))
    .map((index) => properties[index - 1]);
  const ispe = ofPrimary.find((property) => property?.type === 'ispe');
  if (ispe === undefined) throw malformed('expected a size (ispe) of the primary item, got none', iprp.start);
  return {
    width: u32be(bytes, ispe.data + 4, 'avif/malformed'),
    height: u32be(bytes, ispe.data + 8, 'avif/malformed'),
    hasAlpha: properties.some(
      (property) =>
        property.type === 'auxC' && ALPHA_URNS.some((urn) => textAt(bytes, property, 4).startsWith(urn)),
    ),
    hasIcc: properties.some(
      (property) => property.type === 'colr' && /^(?:prof|rICC)/.test(textAt(bytes, property, 0)),
    ),
  };
}

/** At most the first hundred bytes of a property as text. */
function textAt(bytes: Uint8Array, { data, end }: Box, skip: number): string {
  return latin1(bytes.subarray(data + skip, Math.min(end, data + skip + 100)));
}

/** version u8 · flags u24 · entry count u32 · per entry: id u16 (version 0) or u32 · count u8 · indices u7 (flag 1: u15) below a bit */
function readAssociations(bytes: Uint8Array, ipma: Box, wantedId: number): number[] {
  const box = bytes.subarray(0, ipma.end);
  const head = u32be(box, ipma.data, 'avif/malformed');
  const idBytes = head >>> 24 === 0 ? 2 : 4;
  const isWide = (head & 1) === 1;
  const entryCount = u32be(box, ipma.data + 4, 'avif/malformed');
  const found: number[] = [];
  let at = ipma.data + 8;
  for (let i = 0; i < entryCount; i++) {
    const id = readId(box, at, idBytes);
    const count = u8(box, at + idBytes, 'avif/malformed');
    at += idBytes + 1;
    for (let j = 0; j < count; j++) {
      const index = isWide ? u16be(box, at, 'avif/malformed') & 0x7fff : u8(box, at, 'avif/malformed') & 0x7f;
      if (id === wantedId) found.push(index);
      at += isWide ? 2 : 1;
    }
  }
  return found;
}

/**
 * The `meta` box anew with these items and places: `iinf`, `iloc` and `iref` are rewritten, other boxes are kept
 * byte for byte. A new item is tied to the primary one.
 */
export function makeMeta(
  bytes: Uint8Array,
  metaBox: Box,
  meta: AvifMeta,
  items: readonly AvifItem[],
  locations: readonly ItemLocation[],
): Uint8Array {
  const boxes = listMetaBoxes(bytes, metaBox);
  const content = boxes.map((box) => {
    if (box.type === 'iinf') return makeItemInfos(bytes, box, items);
    if (box.type === 'iloc') return makeItemLocations({ version: meta.locations.version, items: locations });
    if (box.type === 'iref') return makeReferences(bytes, box, meta, items);
    return bytes.subarray(box.start, box.end);
  });
  if (!boxes.some(({ type }) => type === 'iref') && items.some(({ source }) => source === undefined)) {
    content.push(makeReferences(bytes, undefined, meta, items));
  }
  return makeBox('meta', bytes.subarray(metaBox.data, metaBox.data + 4), ...content);
}

function makeItemInfos(bytes: Uint8Array, iinf: Box, items: readonly AvifItem[]): Uint8Array {
  const version = u8(bytes, iinf.data, 'avif/malformed');
  const count = version === 0 ? u16beBytes(items.length) : u32beBytes(items.length);
  return makeFullBox('iinf', version, 0, count, joinBytes(items.map((item) => makeItemInfo(bytes, item))));
}

/** infe version 2: id u16 · protection u16 · type · empty name · 0 · for `mime`: content type · 0 */
function makeItemInfo(bytes: Uint8Array, { id, type, contentType, source }: AvifItem): Uint8Array {
  if (source !== undefined) return bytes.subarray(source.start, source.end);
  const tail = contentType === undefined ? '\0' : `\0${contentType}\0`;
  return makeFullBox('infe', 2, 0, u16beBytes(id), u16beBytes(0), latin1Bytes(`${type}${tail}`));
}

/** Boxes of: from id · count u16 · to ids, u16 (version 0) or u32 (1). Those of items that went are left out. */
function makeReferences(
  bytes: Uint8Array,
  iref: Box | undefined,
  meta: AvifMeta,
  items: readonly AvifItem[],
): Uint8Array {
  const version =
    iref === undefined ? (meta.primaryId > 0xffff ? 1 : 0) : u8(bytes, iref.data, 'avif/malformed');
  const idBytes = version === 0 ? 2 : 4;
  const id = version === 0 ? u16beBytes : u32beBytes;
  const gone = new Set(meta.items.map((item) => item.id));
  for (const item of items) gone.delete(item.id);
  const present = iref === undefined ? [] : listBoxes(bytes, iref.data + 4, iref.end, 'avif/malformed');
  const kept = present.filter((box) => !gone.has(readId(bytes, box.data, idBytes)));
  const fresh = items
    .filter(({ source }) => source === undefined)
    .map((item) => makeBox(DESCRIBES, concatBytes(id(item.id), u16beBytes(1), id(meta.primaryId))));
  return makeFullBox(
    'iref',
    version,
    0,
    joinBytes(kept.map((box) => bytes.subarray(box.start, box.end))),
    ...fresh,
  );
}
