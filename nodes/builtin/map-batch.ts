import type { Pixels } from '../kit/values.ts';

/**
 * Makes another picture of each of a batch, side by side. A picture that stands in the batch several times (an empty
 * batch, a repeated one) is made once and shared.
 */
export function mapBatch(
  pictures: readonly Pixels[],
  make: (picture: Pixels) => Promise<Pixels>,
): Promise<readonly Pixels[]> {
  const made = new Map<Pixels, Promise<Pixels>>();
  for (const picture of pictures) if (!made.has(picture)) made.set(picture, make(picture));
  return Promise.all(pictures.map((picture) => made.get(picture) ?? make(picture)));
}
