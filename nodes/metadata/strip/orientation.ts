import { concatBytes } from '../../formats/assemble.ts';
import { latin1Bytes } from '../../formats/cursor.ts';
import { writeExif } from '../../formats/exif.ts';
import { layOutIfds, readIfd, readTiffHeader, TYPE, uintBytes } from '../../formats/tiff.ts';
import { isLineageError } from '../../kit/errors.ts';

const ORIENTATION = 0x0112;
const HEADER_BYTES = 8;
/** As stored: what a picture without the tag is shown as. */
const UPRIGHT = 1;

/**
 * An EXIF block that says how a picture is turned and nothing else of its own.
 *
 * @param exif the block of the picture
 * @param size of the picture as stored, for the tags that a valid block must have
 * @returns undefined for a picture that is shown as it is stored
 */
export function exifOfOrientation(
  exif: Uint8Array | undefined,
  size: { readonly width: number; readonly height: number; readonly hasIcc: boolean },
): Uint8Array | undefined {
  const orientation = exif && orientationOf(exif);
  if (orientation === undefined || orientation === UPRIGHT) return undefined;
  const value = uintBytes(orientation, 2, 'MM');
  const tag = { tag: ORIENTATION, type: TYPE.short, count: 1, value };
  const header = concatBytes(latin1Bytes('MM'), uintBytes(42, 2, 'MM'), uintBytes(HEADER_BYTES, 4, 'MM'));
  const base = concatBytes(header, layOutIfds([tag], [], { start: HEADER_BYTES, next: 0, order: 'MM' }));
  const { width, height, hasIcc } = size;
  return writeExif({ base, ascii: new Map(), width, height, ...(hasIcc && { colorSpace: 'uncalibrated' }) });
}

/** 1 to 8; undefined where the block does not say, or is damaged. @see Exif 3.0, tag 0x0112 */
function orientationOf(exif: Uint8Array): number | undefined {
  try {
    const { order, ifd0At } = readTiffHeader(exif);
    const entry = readIfd(exif, ifd0At, order).entries.find(({ tag }) => tag === ORIENTATION);
    const value = entry?.value;
    if (entry?.type !== TYPE.short || value?.length !== 2) return undefined;
    const told = new DataView(value.buffer, value.byteOffset, 2).getUint16(0, order === 'II');
    return told >= 1 && told <= 8 ? told : undefined;
  } catch (error) {
    if (isLineageError(error, 'exif/malformed')) return undefined;
    throw error;
  }
}
