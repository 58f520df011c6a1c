import { LineageError } from '../kit/errors.ts';

/**
 * Arrays over shared memory, for whatever a kernel makes: threads hand them on without a copy.
 */

/** Samples of one picture: 2 GiB of floats. More would not come back from a machine of ordinary size. */
const MAX_SAMPLES = 2 ** 29;

/** Floats, all 0. @throws LineageError `image/too-large` */
export function sharedFloats(length: number): Float32Array {
  checkSamples(length);
  return new Float32Array(new SharedArrayBuffer(length * Float32Array.BYTES_PER_ELEMENT));
}

/** Bytes, all 0. @throws LineageError `image/too-large` */
export function sharedBytes(length: number): Uint8Array {
  checkSamples(length);
  return new Uint8Array(new SharedArrayBuffer(length));
}

/** @throws LineageError `image/too-large` for more samples than a picture may have */
export function checkSamples(length: number): void {
  if (Number.isSafeInteger(length) && length >= 0 && length <= MAX_SAMPLES) return;
  throw new LineageError('image/too-large', `expected at most ${MAX_SAMPLES} samples, got ${length}`);
}
