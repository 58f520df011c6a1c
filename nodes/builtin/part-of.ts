import { LineageError } from '../kit/errors.ts';
import type { Pixels } from '../kit/values.ts';
import type { Part } from './interpolate.ts';

/**
 * The part of a picture that is wanted, without what would lie beyond its right and lower edge.
 * @throws LineageError `builtin/shapes` where nothing of it lies within the picture
 */
export function partOf(picture: Pixels, { left, top, ...wanted }: Part): Part {
  const width = Math.min(wanted.width, picture.width - left);
  const height = Math.min(wanted.height, picture.height - top);
  if (Math.min(left, top, width - 1, height - 1) < 0) {
    throw new LineageError(
      'builtin/shapes',
      `expected a part of ${picture.width}x${picture.height} samples, got one that starts at ${left}, ${top}`,
    );
  }
  return { left, top, width, height };
}
