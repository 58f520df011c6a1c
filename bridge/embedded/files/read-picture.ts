import { measureImage } from '../../../nodes/formats/pixels.ts';
import { LineageError } from '../../../nodes/kit/errors.ts';
import { INPUT_BYTES_MAX } from '../../local/input-folder.ts';
import { readFileChecked } from '../../local/read-file.ts';
import { sniffMediaType } from './content-type.ts';
import { createTurns } from './take-turns.ts';

/**
 * The most pixels that a request may have decoded: Pillow, and with it ComfyUI, refuses more as a bomb. A file of
 * kilobytes may claim them all, and each costs up to eight bytes while it is worked on.
 * @see https://pillow.readthedocs.io/en/stable/reference/Image.html#PIL.Image.open (twice MAX_IMAGE_PIXELS)
 */
const DECODED_PIXELS_MAX = 178_956_970;

/** Pictures that requests have decoded at the same time, server-wide: memory for two of the largest. */
const DECODES_AT_A_TIME = 2;

/** Waits for its turn to decode a picture; all routes share it. */
export const takeDecodeTurn = createTurns(DECODES_AT_A_TIME);

/**
 * Reads a picture that may be decoded: a raster format by its content (never SVG, which names other files), of
 * no more pixels than DECODED_PIXELS_MAX.
 *
 * @param real a path that was held to its folder.
 * @throws LineageError `image/unknown-format`, `image/undecodable`, `image/too-large`, `file/missing`, `file/unreadable`
 */
export async function readPicture(real: string): Promise<Uint8Array> {
  const bytes = await readFileChecked(real, INPUT_BYTES_MAX);
  await checkPicture(bytes);
  return bytes;
}

/** The same checks for a picture that is in memory already. */
export async function checkPicture(bytes: Uint8Array): Promise<void> {
  if (!sniffMediaType(bytes)?.startsWith('image/'))
    throw new LineageError('image/unknown-format', 'expected a raster picture, got another kind of file');
  const { width, height } = await measureImage(bytes);
  if (width * height > DECODED_PIXELS_MAX) {
    throw new LineageError(
      'image/too-large',
      `expected at most ${DECODED_PIXELS_MAX} pixels, got ${width}x${height}`,
    );
  }
}
