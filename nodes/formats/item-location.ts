import { LineageError } from '../kit/errors.ts';
import { concatBytes, joinBytes } from './assemble.ts';
import type { Box } from './boxes.ts';
import { makeFullBox } from './boxes.ts';
import { u8, u16be, u16beBytes, u32be, u32beBytes, u64be } from './cursor.ts';

/** Where the bytes of items lie (`iloc`). @see ISO/IEC 14496-12, 8.11.3 */
export type ItemLocations = {
  readonly version: 0 | 1 | 2;
  readonly items: readonly ItemLocation[];
};

/** Where one item's bytes lie, as `iloc` says. */
export type ItemLocation = {
  readonly id: number;
  /** 0: offsets from the start of the file; 1: within `idat`; 2: within another item. */
  readonly construction: number;
  /** 0: this file. */
  readonly dataReference: number;
  readonly extents: readonly Extent[];
};

/** A run of bytes; a length of 0 means the whole source. The base offset of the file's spelling is added in. */
type Extent = { readonly index: number; readonly offset: number; readonly length: number };

const MAX_EXTENTS = 10_000;
const U32_MAX = 0xffff_ffff;

/**
 * version u8 · flags u24 · offset size u4 · length size u4 · base offset size u4 · index size u4 · item count u16
 * (version 2: u32) · per item: id u16 (2: u32) · versions 1, 2: construction u16 · data reference u16 · base offset ·
 * extent count u16 · per extent: versions 1, 2: index · offset · length
 *
 * @throws LineageError `avif/malformed`
 */
export function readItemLocations(bytes: Uint8Array, { data, end }: Box): ItemLocations {
  const box = bytes.subarray(0, end);
  const version = u8(box, data, 'avif/malformed');
  if (version !== 0 && version !== 1 && version !== 2)
    throw malformed(`expected iloc of version 0 to 2, got ${version}`, data);
  const sizes = u16be(box, data + 4, 'avif/malformed');
  const size = {
    offset: sizes >> 12,
    length: (sizes >> 8) & 15,
    base: (sizes >> 4) & 15,
    index: version === 0 ? 0 : sizes & 15,
  };
  let at = data + 6;
  const take = (byteCount: number): number => {
    const value = readUint(box, at, byteCount);
    at += byteCount;
    return value;
  };
  const idBytes = version === 2 ? 4 : 2;
  const itemCount = take(idBytes);
  const items: ItemLocation[] = [];
  let extentTotal = 0;
  for (let i = 0; i < itemCount; i++) {
    const id = take(idBytes);
    const construction = version === 0 ? 0 : take(2) & 15;
    const dataReference = take(2);
    const base = take(size.base);
    const extentCount = take(2);
    extentTotal += extentCount;
    if (extentTotal > MAX_EXTENTS) throw malformed(`expected at most ${MAX_EXTENTS} extents, got more`, at);
    const extents: Extent[] = [];
    for (let j = 0; j < extentCount; j++) {
      extents.push({ index: take(size.index), offset: base + take(size.offset), length: take(size.length) });
    }
    items.push({ id, construction, dataReference, extents });
  }
  return { version, items };
}

/**
 * The box anew, without base offsets and with four-byte fields wherever they suffice: ComfyUI's front end reads just
 * that form.
 */
export function makeItemLocations({ version, items }: ItemLocations): Uint8Array {
  const extents = items.flatMap((item) => item.extents);
  const fits = extents.every(({ offset, length }) => offset <= U32_MAX && length <= U32_MAX);
  const fieldBytes = fits ? 4 : 8;
  const indexBytes = version !== 0 && extents.some(({ index }) => index !== 0) ? 4 : 0;
  const id = version === 2 ? u32beBytes : u16beBytes;
  const parts = [u16beBytes((fieldBytes << 12) | (fieldBytes << 8) | indexBytes), id(items.length)];
  for (const item of items) {
    parts.push(id(item.id), version === 0 ? new Uint8Array(0) : u16beBytes(item.construction));
    parts.push(u16beBytes(item.dataReference), u16beBytes(item.extents.length));
    for (const { index, offset, length } of item.extents) {
      if (indexBytes > 0) parts.push(u32beBytes(index));
      parts.push(uintBytes(offset, fieldBytes), uintBytes(length, fieldBytes));
    }
  }
  return makeFullBox('iloc', version, 0, joinBytes(parts));
}

/** Big-endian, 0 to 8 bytes as the box's size fields say; 0 bytes mean 0. */
function readUint(bytes: Uint8Array, at: number, byteCount: number): number {
  if (byteCount === 0) return 0;
  if (byteCount === 2) return u16be(bytes, at, 'avif/malformed');
  if (byteCount === 4) return u32be(bytes, at, 'avif/malformed');
  if (byteCount === 8) return u64be(bytes, at, 'avif/malformed');
  throw malformed(`expected a field of 0, 4 or 8 bytes, got ${byteCount}`, at);
}

function uintBytes(value: number, byteCount: number): Uint8Array {
  if (byteCount === 4) return u32beBytes(value);
  return concatBytes(u32beBytes(Math.floor(value / 0x1_0000_0000)), u32beBytes(value % 0x1_0000_0000));
}

function malformed(message: string, byte: number): LineageError {
  return new LineageError('avif/malformed', message, { byte });
}
