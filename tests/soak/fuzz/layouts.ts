import type { PictureKind } from './kinds.ts';

/** A chunk, segment or box: [start, end). */
type Part = { readonly start: number; readonly end: number };
/** A length, count, offset or size that stands in the file. */
type NumberField = { readonly at: number; readonly size: 2 | 4 | 8; readonly bigEndian: boolean };
/** What a mutation can take hold of. Found leniently and apart from our readers: it only has to be right for good files. */
export type Layout = { readonly parts: readonly Part[]; readonly numbers: readonly NumberField[] };

export function layOut(kind: PictureKind, bytes: Uint8Array): Layout {
  const { parts, numbers } = FINDERS[kind](bytes);
  return { parts, numbers: [...numbers, ...numbersOfTiff(bytes)] };
}

const FINDERS: Readonly<Record<PictureKind, (bytes: Uint8Array) => Layout>> = {
  png: (bytes) => chunksOf(bytes, 8, { lengthAt: 0, bigEndian: true, padded: false, beside: 12 }),
  webp: (bytes) => {
    const { parts, numbers } = chunksOf(bytes, 12, {
      lengthAt: 4,
      bigEndian: false,
      padded: true,
      beside: 8,
    });
    return { parts, numbers: [...numbers, { at: 4, size: 4, bigEndian: false }] };
  },
  jpeg: segmentsOf,
  avif: (bytes) => {
    const found = { parts: [] as Part[], numbers: [] as NumberField[] };
    addBoxes(bytes, 0, bytes.length, found);
    return found;
  },
};

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function chunksOf(
  bytes: Uint8Array,
  from: number,
  is: { lengthAt: number; bigEndian: boolean; padded: boolean; beside: number },
): Layout {
  const view = viewOf(bytes);
  const parts: Part[] = [];
  const numbers: NumberField[] = [];
  for (let at = from; at + 8 <= bytes.length; ) {
    const length = view.getUint32(at + is.lengthAt, !is.bigEndian);
    const end = at + is.beside + length + (is.padded ? length % 2 : 0);
    numbers.push({ at: at + is.lengthAt, size: 4, bigEndian: is.bigEndian });
    parts.push({ start: at, end });
    at = end;
  }
  return { parts, numbers };
}

function segmentsOf(bytes: Uint8Array): Layout {
  const view = viewOf(bytes);
  const parts: Part[] = [];
  const numbers: NumberField[] = [];
  for (let at = 2; at + 4 <= bytes.length && bytes[at] === 0xff; ) {
    const end = at + 2 + view.getUint16(at + 2);
    numbers.push({ at: at + 2, size: 2, bigEndian: true });
    parts.push({ start: at, end });
    if (bytes[at + 1] === 0xda) break;
    at = end;
  }
  return { parts, numbers };
}

/** Boxes that hold boxes, and what stands before these. */
const NESTS: Readonly<Record<string, number>> = {
  meta: 4,
  iprp: 0,
  ipco: 0,
  iinf: 6,
  iref: 4,
  dinf: 0,
  dref: 8,
};
/** Boxes full of numbers of two and four bytes. */
const TABLES = new Set(['iloc', 'ipma', 'pitm', 'iinf', 'iref', 'infe', 'ispe', 'hdlr']);

function addBoxes(
  bytes: Uint8Array,
  from: number,
  to: number,
  found: { parts: Part[]; numbers: NumberField[] },
): void {
  const view = viewOf(bytes);
  for (let at = from; at + 8 <= to; ) {
    const size = view.getUint32(at);
    if (size < 8 || at + size > to) return;
    const type = String.fromCharCode(...bytes.subarray(at + 4, at + 8));
    found.parts.push({ start: at, end: at + size });
    found.numbers.push({ at, size: 4, bigEndian: true });
    if (TABLES.has(type))
      for (let field = at + 8; field + 4 <= at + size; field += 2)
        found.numbers.push({ at: field, size: field % 4 === 0 ? 4 : 2, bigEndian: true });
    const before = NESTS[type];
    if (before !== undefined) addBoxes(bytes, at + 8 + before, at + size, found);
    at += size;
  }
}

/** Enough to choose from: directories that lie over each other could name millions. */
const MAX_TIFF_NUMBERS = 10_000;
const TIFF_HEADS = [Buffer.from('MM\0*', 'latin1'), Buffer.from('II*\0', 'latin1')];

/** Of every TIFF block: where directories stand, how many entries they have, and type, count and offset of each. */
function numbersOfTiff(bytes: Uint8Array): NumberField[] {
  const numbers: NumberField[] = [];
  const file = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  for (const head of TIFF_HEADS)
    for (let start = file.indexOf(head); start >= 0; start = file.indexOf(head, start + 1)) {
      if (start + 16 >= bytes.length || numbers.length >= MAX_TIFF_NUMBERS) break;
      addDirectories(bytes, start, head[0] === 0x4d, numbers);
    }
  return numbers;
}

function addDirectories(bytes: Uint8Array, start: number, bigEndian: boolean, numbers: NumberField[]): void {
  const view = viewOf(bytes);
  numbers.push({ at: start + 4, size: 4, bigEndian });
  const open = [view.getUint32(start + 4, !bigEndian)];
  for (const directory of open) {
    const at = start + directory;
    if (open.length > 8 || at + 2 > bytes.length) break;
    const count = view.getUint16(at, !bigEndian);
    numbers.push({ at, size: 2, bigEndian });
    for (let entry = at + 2; entry < at + 2 + count * 12 && entry + 12 <= bytes.length; entry += 12) {
      if (numbers.length >= MAX_TIFF_NUMBERS) return;
      numbers.push({ at: entry, size: 2, bigEndian }, { at: entry + 2, size: 2, bigEndian });
      numbers.push({ at: entry + 4, size: 4, bigEndian }, { at: entry + 8, size: 4, bigEndian });
      if (view.getUint16(entry, !bigEndian) === 0x8769) open.push(view.getUint32(entry + 8, !bigEndian));
    }
  }
}
