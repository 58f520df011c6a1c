import { isLineageError } from '../kit/errors.ts';
import { latin1Bytes, startsWith } from './cursor.ts';
import { readIfd, readTiffHeader } from './tiff.ts';

/**
 * The index of a Multi-Picture file (MPO, Ultra HDR gain maps): an APP2 segment in the first picture that tells where
 * the others stand behind it, counted from its own TIFF header.
 * @see https://www.cipa.jp/std/documents/e/DC-007_E.pdf (CIPA DC-007, section 5.2)
 */

const MPF_HEAD = latin1Bytes('MPF\0');
const MP_ENTRIES = 0xb002;
const ENTRY_BYTES = 16;

/** Whether the data of an APP2 segment are an index of pictures. */
export function isMultiPictureIndex(data: Uint8Array): boolean {
  return startsWith(data, MPF_HEAD);
}

/**
 * The same index for a first picture whose segments changed: entries of attributes u32 · length u32 · offset u32 ·
 * dependent images 2 x u16. The first picture has offset 0 and changes its length; the others change their offset.
 *
 * @param data an APP2 segment from `MPF\0` on; not modified.
 * @param growth bytes that the first picture gains, and those of them behind this segment.
 * @param fromOffset the least offset of what moves along: where the scan begins, counted as the offsets are.
 * @returns bytes of the same length; an index that cannot be read stays as it is.
 */
export function moveMultiPictureIndex(
  data: Uint8Array,
  { whole, behind }: { readonly whole: number; readonly behind: number },
  fromOffset: number,
): Uint8Array {
  // A copy: `slice` of a Buffer would be a view of the caller's bytes.
  const out = Uint8Array.from(data);
  const entries = entriesOf(out.subarray(MPF_HEAD.length));
  if (entries === undefined) return out;
  const { view, isLittle } = entries;
  for (let at = 0; at + ENTRY_BYTES <= view.byteLength; at += ENTRY_BYTES) {
    const offset = view.getUint32(at + 8, isLittle);
    if (offset === 0) view.setUint32(at + 4, view.getUint32(at + 4, isLittle) + whole, isLittle);
    else if (offset >= fromOffset) view.setUint32(at + 8, offset + behind, isLittle);
  }
  return out;
}

function entriesOf(block: Uint8Array): { readonly view: DataView; readonly isLittle: boolean } | undefined {
  try {
    const { order, ifd0At } = readTiffHeader(block);
    const value = readIfd(block, ifd0At, order).entries.find(({ tag }) => tag === MP_ENTRIES)?.value;
    return (
      value && {
        view: new DataView(value.buffer, value.byteOffset, value.length),
        isLittle: order === 'II',
      }
    );
  } catch (error) {
    if (isLineageError(error, 'exif/malformed')) return undefined;
    throw error;
  }
}
