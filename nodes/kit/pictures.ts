import { isRecord } from './is-record.ts';
import type { Pixels } from './values.ts';

/** Whether a value is a batch of pictures, all of one shape. A batch may be empty. */
export function isPictures(value: unknown): value is readonly Pixels[] {
  if (!Array.isArray(value) || !value.every(isPixels)) return false;
  const [first] = value;
  return value.every(
    ({ width, height, channels }) =>
      width === first?.width && height === first.height && channels === first.channels,
  );
}

/** Whether a value is one picture, with as many samples as its shape has. */
export function isPixels(value: unknown): value is Pixels {
  if (!isRecord(value)) return false;
  const { width, height, channels, data } = value;
  if (!(data instanceof Uint8Array || data instanceof Float32Array)) return false;
  if (channels !== 1 && channels !== 3 && channels !== 4) return false;
  return isSide(width) && isSide(height) && data.length === width * height * channels;
}

function isSide(value: unknown): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value > 0;
}
