import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'vitest';
import { decodePixels, encodePixels } from '../../nodes/formats/pixels.ts';
import type { ErrorCode } from '../../nodes/kit/errors.ts';
import { isLineageError } from '../../nodes/kit/errors.ts';
import type { ImageFormat } from '../../nodes/kit/values.ts';

/** A small picture with a pattern; the same bytes every time. */
export async function makeImage(
  format: ImageFormat,
  {
    width = 13,
    height = 9,
    channels = 3,
    lossless = false,
  }: { width?: number; height?: number; channels?: 1 | 3 | 4; lossless?: boolean } = {},
): Promise<Uint8Array> {
  const data = new Uint8Array(width * height * channels).map((_, i) => (i * 7) % 256);
  return await encodePixels({ width, height, channels, data }, { format, quality: 80, lossless });
}

export function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}

/** Asserts that a picture decodes to the same samples as another. */
export async function expectSamePixels(a: Uint8Array, b: Uint8Array): Promise<void> {
  const [left, right] = [await decodePixels(a), await decodePixels(b)];
  expect({ ...left, data: hex(left.data as Uint8Array) }).toEqual({
    ...right,
    data: hex(right.data as Uint8Array),
  });
}

/** Runs `read` on every proper prefix: each may succeed or fail with one of these codes, and nothing else. */
export function expectTypedFailures(
  bytes: Uint8Array,
  read: (part: Uint8Array) => unknown,
  codes: readonly ErrorCode[],
): number {
  let failures = 0;
  for (let length = 0; length < bytes.length; length++)
    if (failsAsTyped(() => read(bytes.subarray(0, length)), codes)) failures++;
  return failures;
}

/** True where it fails with one of the codes, false where it succeeds; any other failure is thrown on. */
export function failsAsTyped(act: () => unknown, codes: readonly ErrorCode[]): boolean {
  try {
    act();
    return false;
  } catch (error) {
    if (isLineageError(error) && codes.includes(error.code)) return true;
    throw error;
  }
}

/** Gives the path of a file with these bytes to `use`, in a folder that goes afterwards. */
export async function withFile<T>(
  bytes: Uint8Array,
  extension: string,
  use: (file: string) => T | Promise<T>,
): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), 'lineage-formats-'));
  try {
    const file = join(folder, `sample.${extension}`);
    writeFileSync(file, bytes);
    return await use(file);
  } finally {
    rmSync(folder, { recursive: true });
  }
}
