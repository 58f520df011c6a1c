import { type EncodeOptions, encodePixels } from '../formats/pixels.ts';
import { inOrder } from '../kit/in-order.ts';
import type { Pixels } from '../kit/values.ts';

/** A picture of the batch, and its file. */
type Encoded = { readonly index: number; readonly image: Pixels; readonly encoded: Uint8Array };

/**
 * So many are encoded side by side; encoding takes one processor each, and an encoder holds the picture as 8-bit
 * samples, a quarter of what the floats take. On two processors a third one keeps both busy while a file is written.
 */
const AT_ONCE = 3;

/**
 * Encodes a batch; each file comes in its turn, while those behind it are encoded already. However it ends, nothing is
 * left at work on the pictures.
 *
 * @param signal looked at before each picture.
 * @throws LineageError `image/shape`, and the signal's reason
 */
export function encodeInOrder(
  images: readonly Pixels[],
  options: EncodeOptions,
  signal: AbortSignal,
): AsyncGenerator<Encoded, void, undefined> {
  return inOrder(images.entries(), AT_ONCE, signal, async ([index, image]) => {
    return { index, image, encoded: await encodePixels(image, options) };
  });
}
