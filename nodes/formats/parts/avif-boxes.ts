import type { AvifFile } from '../avif.ts';
import { type Box, listBoxes } from '../boxes.ts';
import { latin1, need, u8, u16be, u16beBytes, u32be, u32beBytes } from '../cursor.ts';
import { bareProfile } from './bare-profile.ts';
import { eraseBox, eraseHandlerName, eraseRanges } from './erase-boxes.ts';
import { eraseObus } from './erase-obus.ts';

/**
 * The `meta` box of an AVIF without words: every byte that the syntax of its boxes does not account for becomes zero.
 * @see ISO/IEC 14496-12, 8.11, ISO/IEC 23008-12, 6.5, and https://aomediacodec.github.io/av1-avif/
 */

const ALPHA_URNS = ['urn:mpeg:mpegB:cicp:systems:auxiliary:alpha', 'urn:mpeg:hevc:2015:auxid:1'];
/** Properties with the bytes of their fields. */
const PROPERTY_BYTES = new Map([
  ['ispe', 12],
  ['irot', 1],
  ['imir', 1],
  ['clap', 32],
  ['pasp', 8],
  ['clli', 4],
  ['mdcv', 24],
  ['lsel', 2],
  ['a1op', 1],
]);
const CONFIGURATION_BYTES = 4;
const CODE = 'avif/malformed';

type Reference = {
  readonly type: string;
  readonly from: number;
  readonly to: readonly number[];
  readonly end: number;
};

/** The primary item, what it is put together from, and its alpha planes. */
export function keptItems(bytes: Uint8Array, { metaBox, meta }: AvifFile): ReadonlySet<number> {
  const boxes = childrenOf(bytes, metaBox, 4);
  const references = boxes.filter(({ type }) => type === 'iref').flatMap((box) => referencesOf(bytes, box));
  const iprp = boxes.find(({ type }) => type === 'iprp');
  const { properties, associations } = iprp ? propertiesOf(bytes, iprp) : NONE;
  const isAlpha = (id: number): boolean =>
    associations.some(
      (each) => each.id === id && each.indices.some((index) => isAlphaProperty(bytes, properties[index - 1])),
    );
  // A Set iterates over what is added while it is walked.
  const kept = new Set([meta.primaryId]);
  for (const id of kept) {
    for (const { type, from, to } of references) {
      if (type === 'dimg' && from === id) for (const part of to) kept.add(part);
      if (type === 'auxl' && to.includes(id) && isAlpha(from)) kept.add(from);
    }
  }
  return kept;
}

/** Whether a colour profile of it has tables that are kept as they are. */
export function hasUnreadProfile(bytes: Uint8Array, { metaBox }: AvifFile): boolean {
  const iprp = childrenOf(bytes, metaBox, 4).find(({ type }) => type === 'iprp');
  const { properties } = iprp ? propertiesOf(bytes, iprp) : NONE;
  return properties.some(
    ({ type, data, end }) => type === 'colr' && bareProfile(bytes.subarray(data + 4, end))?.isUnread,
  );
}

/** Erases in place what is said of the kept items beside their pictures, and all that is said of others. */
export function eraseMeta(out: Uint8Array, { metaBox }: AvifFile, kept: ReadonlySet<number>): void {
  for (const box of childrenOf(out, metaBox, 4)) {
    const { type, data, end } = box;
    if (type === 'hdlr') eraseHandlerName(out, box);
    else if (type === 'pitm') out.fill(0, Math.min(end, data + (u8(out, data, CODE) === 0 ? 6 : 8)), end);
    else if (type === 'iloc') out.fill(0, endOfLocations(out.subarray(0, end), data), end);
    else if (type === 'iinf') eraseNames(out, box);
    else if (type === 'iref') eraseReferenceEnds(out, box);
    else if (type === 'iprp') eraseProperties(out, box, kept);
    else if (type !== 'idat') eraseBox(out, box);
  }
}

function childrenOf(bytes: Uint8Array, { data, end }: Box, head: number): Box[] {
  return listBoxes(bytes, data + head, end, CODE);
}

/** version and flags u32 · id u16 (version 3: u32) · protection u16 · type · names */
function eraseNames(out: Uint8Array, iinf: Box): void {
  for (const { data, end } of childrenOf(out, iinf, u8(out, iinf.data, CODE) === 0 ? 6 : 8)) {
    const version = u8(out, data, CODE);
    const used = 4 + (version === 3 ? 4 : 2) + 2 + (version < 2 ? 0 : 4);
    out.fill(0, Math.min(end, data + used), end);
  }
}

function endOfLocations(box: Uint8Array, data: number): number {
  const version = u8(box, data, CODE);
  const sizes = u16be(box, data + 4, CODE);
  const field = (shift: number): number => (sizes >> shift) & 15;
  const wide = version === 2 ? 4 : 2;
  const extentBytes = (version === 0 ? 0 : field(0)) + field(12) + field(8);
  const items = wide === 4 ? u32be(box, data + 6, CODE) : u16be(box, data + 6, CODE);
  let at = data + 6 + wide;
  for (let item = 0; item < items; item++) {
    at += wide + (version === 0 ? 0 : 2) + 2 + field(4);
    at += 2 + u16be(box, at, CODE) * extentBytes;
  }
  need(box, at, 0, CODE);
  return at;
}

function referencesOf(bytes: Uint8Array, iref: Box): Reference[] {
  const isWide = u8(bytes, iref.data, CODE) !== 0;
  const size = isWide ? 4 : 2;
  return childrenOf(bytes, iref, 4).map(({ type, data, end }) => {
    const box = bytes.subarray(0, end);
    const id = (at: number): number => (isWide ? u32be(box, at, CODE) : u16be(box, at, CODE));
    const count = u16be(box, data + size, CODE);
    const to = Array.from({ length: count }, (_, nth) => id(data + size + 2 + nth * size));
    return { type, from: id(data), to, end: data + size + 2 + count * size };
  });
}

function eraseReferenceEnds(out: Uint8Array, iref: Box): void {
  const boxes = childrenOf(out, iref, 4);
  for (const [at, { end }] of referencesOf(out, iref).entries()) out.fill(0, end, boxes[at]?.end ?? end);
}

type Association = {
  readonly id: number;
  readonly indices: readonly number[];
  readonly words: readonly number[];
};
type Properties = {
  readonly properties: readonly Box[];
  readonly associations: readonly Association[];
};
const NONE: Properties = { properties: [], associations: [] };

function propertiesOf(bytes: Uint8Array, iprp: Box): Properties {
  const boxes = childrenOf(bytes, iprp, 0);
  const ipco = boxes.find(({ type }) => type === 'ipco');
  return {
    properties: ipco ? childrenOf(bytes, ipco, 0) : [],
    associations: boxes.filter(({ type }) => type === 'ipma').flatMap((ipma) => associationsOf(bytes, ipma)),
  };
}

/** version u8 · flags u24 · entry count u32 · per entry: id u16 (version 0) or u32 · count u8 · indices u8 (flag 1: u16) */
function associationsOf(bytes: Uint8Array, { data, end }: Box): Association[] {
  const box = bytes.subarray(0, end);
  const head = u32be(box, data, CODE);
  const [idBytes, wordBytes] = [head >>> 24 === 0 ? 2 : 4, (head & 1) + 1];
  const mask = wordBytes === 2 ? 0x7fff : 0x7f;
  const found: Association[] = [];
  let at = data + 8;
  for (let left = u32be(box, data + 4, CODE); left > 0; left--) {
    const id = idBytes === 2 ? u16be(box, at, CODE) : u32be(box, at, CODE);
    const count = u8(box, at + idBytes, CODE);
    at += idBytes + 1;
    const words = Array.from({ length: count }, (_, nth) =>
      wordBytes === 2 ? u16be(box, at + 2 * nth, CODE) : u8(box, at + nth, CODE),
    );
    found.push({ id, words, indices: words.map((word) => word & mask) });
    at += count * wordBytes;
  }
  return found;
}

function eraseProperties(out: Uint8Array, iprp: Box, kept: ReadonlySet<number>): void {
  const { properties, associations } = propertiesOf(out, iprp);
  const inUse = new Set(associations.flatMap(({ id, indices }) => (kept.has(id) ? indices : [])));
  for (const [at, property] of properties.entries()) {
    if (!inUse.has(at + 1) || !eraseProperty(out, property)) {
      eraseBox(out, property);
      inUse.delete(at + 1);
    }
  }
  for (const box of childrenOf(out, iprp, 0)) {
    if (box.type === 'ipma') eraseAssociations(out, box, kept, inUse);
    else if (box.type !== 'ipco') eraseBox(out, box);
  }
}

/** The associations of kept items with properties that are left, and zeros behind them. */
function eraseAssociations(
  out: Uint8Array,
  ipma: Box,
  kept: ReadonlySet<number>,
  inUse: ReadonlySet<number>,
): void {
  const head = u32be(out, ipma.data, CODE);
  const ours = associationsOf(out, ipma).filter(({ id }) => kept.has(id));
  const parts = ours.flatMap(({ id, words, indices }) => {
    const left = words.filter((_, nth) => inUse.has(indices[nth] ?? 0));
    return [
      head >>> 24 === 0 ? u16beBytes(id) : u32beBytes(id),
      Uint8Array.of(left.length),
      ...left.map((word) => ((head & 1) === 1 ? u16beBytes(word) : Uint8Array.of(word))),
    ];
  });
  out.set(u32beBytes(ours.length), ipma.data + 4);
  let at = ipma.data + 8;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  out.fill(0, at, ipma.end);
}

/** False for a property that says nothing of the pixels. */
function eraseProperty(out: Uint8Array, property: Box): boolean {
  const { type, data, end } = property;
  const keep = (length: number): boolean => {
    if (length > end - data) return false;
    eraseRanges(out, [{ from: data + length, to: end }], []);
    return true;
  };
  const fixed = PROPERTY_BYTES.get(type);
  if (fixed !== undefined) return keep(fixed);
  if (type === 'pixi') return keep(5 + u8(out, data + 4, CODE));
  if (type === 'av1C') {
    eraseObus(out, data + CONFIGURATION_BYTES, end);
    return keep(end - data);
  }
  // version and flags u32 · urn · NUL
  if (type === 'auxC')
    return isAlphaProperty(out, property) && keep(out.subarray(0, end).indexOf(0, data + 4) + 1 - data);
  if (type !== 'colr') return false;
  const kind = latin1(out.subarray(data, data + 4));
  if (kind === 'nclx') return keep(11);
  const bare = kind === 'prof' || kind === 'rICC' ? bareProfile(out.subarray(data + 4, end)) : undefined;
  if (bare === undefined) return false;
  out.fill(0, data + 4, end);
  out.set(bare.icc, data + 4);
  return true;
}

function isAlphaProperty(bytes: Uint8Array, property: Box | undefined): boolean {
  if (property?.type !== 'auxC') return false;
  const [urn = ''] = latin1(bytes.subarray(property.data + 4, property.end)).split('\0', 1);
  return ALPHA_URNS.includes(urn) && property.data + 4 + urn.length < property.end;
}
