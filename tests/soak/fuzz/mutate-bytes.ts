import { spliceContainer } from '../../../nodes/formats/container.ts';
import { writeExif } from '../../../nodes/formats/exif.ts';
import { isLineageError } from '../../../nodes/kit/errors.ts';
import type { Draw } from '../draw.ts';
import { drawPart } from './foreign-parts.ts';
import type { PictureKind } from './kinds.ts';
import { type Layout, layOut } from './layouts.ts';
import { drawText, drawXmp } from './texts.ts';

/** Pictures to begin with, and an XMP packet of ours. */
export type PictureSeeds = { readonly pictures: readonly Uint8Array[]; readonly packet: string };

/** Of one part many times: larger files only take longer. */
const MAX_COPIED_BYTES = 512 * 1024;

/** A picture with one to six things wrong, or with texts that were not meant to be read. */
export function mutatePicture(kind: PictureKind, seeds: PictureSeeds, draw: Draw): Uint8Array {
  const start = draw.some(seeds.pictures) ?? new Uint8Array();
  let bytes = draw.once(3) ? withTexts(kind, start, seeds.packet, draw) : start;
  const times = draw.once(8) ? 0 : 1 + draw.below(draw.once(3) ? 6 : 2);
  for (let i = 0; i < times; i++) bytes = mutateOnce(kind, bytes, seeds, draw);
  return bytes;
}

/** The picture with hostile texts in the places that are meant for texts. */
function withTexts(kind: PictureKind, bytes: Uint8Array, packet: string, draw: Draw): Uint8Array {
  const text = drawText(draw).replaceAll('\0', '');
  const encoding = /^[\x01-\x7f]*$/.test(text) && draw.once(2) ? 'ascii' : 'unicode';
  const plain = drawText(draw).replace(/[^\x20-\x7e]/g, '?');
  const ascii = new Map([[0x010e, `prompt:${plain}`]]);
  const texts = new Map([[draw.pick(['parameters', 'prompt', 'workflow', 'lineage']), text]]);
  const xmp = draw.once(3) ? { xmp: drawXmp(draw, packet) } : {};
  const comment = kind === 'jpeg' && draw.once(4) ? { comment: Buffer.from(text) } : {};
  try {
    const exif = writeExif({ userComment: { text, encoding }, ascii });
    return spliceContainer(bytes, { exif, ...xmp, ...comment, ...(kind === 'png' && { texts }) });
  } catch (error) {
    // Too long for a segment: the picture stays as it is.
    if (!isLineageError(error)) throw error;
    return bytes;
  }
}

function mutateOnce(kind: PictureKind, bytes: Uint8Array, seeds: PictureSeeds, draw: Draw): Uint8Array {
  const choice = draw.below(16);
  if (choice < 4) return changeNumber(bytes, layOut(kind, bytes), draw);
  if (choice < 9) return changeParts(kind, bytes, seeds, draw);
  const at = draw.below(bytes.length + 1);
  const span = draw.below(draw.pick([4, 40, 400]));
  switch (choice) {
    case 9:
      return bytes.subarray(0, at);
    case 10:
      return join(bytes.subarray(0, at), bytes.subarray(at + span));
    case 11:
      return join(bytes.subarray(0, at), draw.bytes(span), bytes.subarray(at));
    case 12:
      return join(bytes.subarray(0, at + span), bytes.subarray(at));
    case 13: {
      const other = draw.some(seeds.pictures) ?? bytes;
      return join(bytes.subarray(0, at), other.subarray(draw.once(2) ? at : draw.below(other.length)));
    }
    default:
      return flipBits(bytes, draw);
  }
}

function flipBits(bytes: Uint8Array, draw: Draw): Uint8Array {
  const out = bytes.slice();
  // The beginning holds most of the structure.
  const reach = draw.once(2) ? Math.min(out.length, 200) : out.length;
  for (let i = draw.below(8); i >= 0; i--) {
    const at = draw.below(reach);
    out[at] = (out[at] ?? 0) ^ (1 << draw.below(8));
  }
  return out;
}

function changeNumber(bytes: Uint8Array, { numbers }: Layout, draw: Draw): Uint8Array {
  const field = draw.some(numbers);
  if (!field || field.at + field.size > bytes.length) return flipBits(bytes, draw);
  const out = bytes.slice();
  const view = new DataView(out.buffer);
  const little = !field.bigEndian;
  const old = field.size === 2 ? view.getUint16(field.at, little) : view.getUint32(field.at, little);
  const value =
    draw.some([
      ...[old + 1, old - 1, old * 2, old >>> 1, old + 12, 0, 1, 2, 4, 8, 10, 16, draw.below(300)],
      ...[0x7f, 0xff, 0x7fff, 0xffff, 0x7fff_ffff, 0x8000_0000, 0xffff_fff0, 0xffff_ffff],
      ...[bytes.length, bytes.length - 1, bytes.length - field.at, draw.below(bytes.length)],
    ]) ?? 0;
  if (field.size === 2) view.setUint16(field.at, value & 0xffff, little);
  else view.setUint32(field.at, value >>> 0, little);
  return out;
}

function changeParts(
  kind: PictureKind,
  bytes: Uint8Array,
  { pictures, packet }: PictureSeeds,
  draw: Draw,
): Uint8Array {
  const { parts } = layOut(kind, bytes);
  const part = draw.some(parts);
  if (!part) return flipBits(bytes, draw);
  const [before, own, behind] = [
    bytes.subarray(0, part.start),
    bytes.subarray(part.start, part.end),
    bytes.subarray(part.end),
  ];
  switch (draw.below(6)) {
    case 0:
      return join(before, behind);
    case 1: {
      const most = Math.max(2, Math.floor(MAX_COPIED_BYTES / (own.length + 1)));
      const copies = draw.once(30) ? Math.min(300, most) : 2;
      return join(before, ...new Array<Uint8Array>(copies).fill(own), behind);
    }
    case 2: {
      const other = draw.some(pictures) ?? bytes;
      const taken = draw.some(layOut(kind, other).parts);
      return join(before, taken ? other.subarray(taken.start, taken.end) : own, behind);
    }
    case 3:
      return join(before, own.subarray(0, draw.below(own.length)), behind);
    default:
      return join(before, drawPart(kind, draw, packet), own, behind);
  }
}

function join(...parts: readonly Uint8Array[]): Uint8Array {
  return Uint8Array.from(Buffer.concat(parts));
}
