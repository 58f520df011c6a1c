import { open, rename } from 'node:fs/promises';
import { dirname } from 'node:path';
import { HASH_PLACEHOLDER } from '../../nodes/merge/provenance/header-texts.ts';
import { syncFolder, unwritable } from '../local/write-file.ts';
import { HASH_KEY } from './output-state.ts';

/**
 * Writes the hash of the data over its placeholder in the header, which moves nothing, and puts the file in place in
 * one step.
 *
 * @param header as it was written, with the placeholder.
 * @throws LineageError `file/unwritable`
 */
export async function sealFile(
  unsealed: string,
  path: string,
  header: Uint8Array,
  dataSha256: string,
): Promise<void> {
  try {
    const file = await open(unsealed, 'r+');
    try {
      await file.write(Buffer.from(`0x${dataSha256}`, 'latin1'), 0, HASH_PLACEHOLDER.length, hashAt(header));
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(unsealed, path);
    await syncFolder(dirname(path));
  } catch (error) {
    throw unwritable(path, error);
  }
}

/** Within any other text the quotes would be escaped, so this is found once. */
function hashAt(header: Uint8Array): number {
  const before = `"${HASH_KEY}":"`;
  const at = Buffer.from(header.buffer, header.byteOffset, header.length).indexOf(before + HASH_PLACEHOLDER);
  if (at < 0) throw new Error('no place for the hash in the header');
  return at + before.length;
}
