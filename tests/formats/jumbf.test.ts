import { describe, expect, test } from 'vitest';
import { readContainer } from '../../nodes/formats/container.ts';
import { isManifestStore } from '../../nodes/formats/jumbf.ts';
import { withChunks, withSegment } from '../bridge/cli/pictures.ts';
import { app11, MANIFEST_STORE, OTHER_SUPERBOX, uuidBox, webpChunk } from './manifest-store.ts';
import { makeImage } from './samples.ts';

/** A WebP with one more chunk, its RIFF size corrected. */
function withWebpChunk(bytes: Uint8Array, chunk: Uint8Array): Buffer {
  const out = Buffer.concat([bytes, chunk]);
  out.writeUInt32LE(out.length - 8, 4);
  return out;
}

const signers = {
  png: (bytes: Uint8Array, store: Uint8Array) =>
    withChunks(bytes, [{ type: 'caBX', data: Buffer.from(store) }]),
  jpeg: (bytes: Uint8Array, store: Uint8Array) =>
    withSegment(bytes, { marker: 0xeb, data: Buffer.from(app11(store)) }),
  webp: (bytes: Uint8Array, store: Uint8Array) => withWebpChunk(bytes, webpChunk('C2PA', store)),
  avif: (bytes: Uint8Array, store: Uint8Array) => Buffer.concat([bytes, uuidBox(store)]),
} as const;

describe.each(['png', 'jpeg', 'webp', 'avif'] as const)('a manifest store in %s', (format) => {
  test('is seen by its content type, and nothing else is taken for one', async () => {
    const plain = await makeImage(format);
    const { [format]: sign } = signers;
    const seen = [plain, sign(plain, MANIFEST_STORE), sign(plain, OTHER_SUPERBOX)].map(
      (bytes) => readContainer(bytes).hasC2pa,
    );
    expect(seen).toEqual([false, true, false]);
  });
});

test('an AVIF may hold the store as a box of its own; a uuid box of another purpose is none', async () => {
  const plain = await makeImage('avif');
  const hasC2pa = (box: Uint8Array): boolean => readContainer(Buffer.concat([plain, box])).hasC2pa;
  expect([MANIFEST_STORE, OTHER_SUPERBOX, uuidBox(MANIFEST_STORE, 'merkle')].map(hasC2pa)).toEqual([
    true,
    false,
    false,
  ]);
});

test('a store of 64-bit length is one; a part of the head is none', () => {
  const wide = Buffer.concat([Buffer.alloc(16), MANIFEST_STORE.subarray(8)]);
  wide.writeUInt32BE(1);
  wide.write('jumb', 4, 'latin1');
  wide.writeUInt32BE(wide.length, 12);
  expect(isManifestStore(wide)).toBe(true);
  for (let length = 0; length < 32; length++)
    expect(isManifestStore(MANIFEST_STORE.subarray(0, length)), `${length} bytes`).toBe(false);
});
