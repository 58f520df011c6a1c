import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { isLineageError, LineageError } from '../../../nodes/kit/errors.ts';
import { splitPlainPath } from '../../local/plain-path.ts';
import { resolveEntry, resolveForWriting, resolveInside } from '../../local/resolve-inside.ts';
import {
  publishExclusive,
  removeIfThere,
  syncFolder,
  writeFileAtomic,
  writeTemporaryFile,
} from '../../local/write-file.ts';
import { numberedNames } from './upload-name.ts';

/** Numbers that are tried behind a taken name. Each taken one costs reading it, if it is as long as the upload. */
const NUMBERS_MAX = 1_000;

/** What was uploaded: bytes that can be read more than once. */
export type UploadSource = { readonly size: number; read(): AsyncIterable<Uint8Array> };

/** An upload in memory. */
export function sourceOfBytes(bytes: Uint8Array): UploadSource {
  return {
    size: bytes.length,
    read: async function* () {
      yield bytes;
    },
  };
}

/** An upload that lies in a file. */
export function sourceOfFile(path: string, size: number): UploadSource {
  return { size, read: () => createReadStream(path) };
}

/**
 * Puts an upload into a folder, whole or not at all. Where the name is taken, a file of the same content is the
 * upload already; one of another content stays, and the upload is numbered: `a (1).png`.
 *
 * @param overwrite replaces the file of that name instead.
 * @returns the name that it has now.
 * @throws LineageError `path/outside`, `path/unsafe`, `output/exhausted`, `file/unwritable`
 * @see ComfyUI 618b803d server.py image_upload
 */
export async function placeUpload(
  root: string,
  subfolder: string,
  name: string,
  source: UploadSource,
  overwrite: boolean,
): Promise<string> {
  const { folder } = await resolveForWriting(root, [...splitPlainPath(subfolder), name].join('/'));
  if (overwrite) {
    await writeFileAtomic(join(folder, name), source.read(), { replace: true });
    return name;
  }
  const digest = await hash(source);
  let temporary: string | undefined;
  let tried = 0;
  try {
    for (const candidate of numberedNames(name)) {
      if (tried++ > NUMBERS_MAX) break;
      // A name that is taken between the look and the link is looked at again.
      while (!(await isTaken(folder, candidate))) {
        temporary ??= await writeTemporaryFile(folder, source.read());
        if (!(await publishExclusive(temporary, join(folder, candidate)))) continue;
        await syncFolder(folder);
        return candidate;
      }
      if (await holds(root, [...splitPlainPath(subfolder), candidate].join('/'), source.size, digest))
        return candidate;
    }
  } finally {
    if (temporary !== undefined) await removeIfThere(temporary);
  }
  throw new LineageError('output/exhausted', `expected a free number up to ${NUMBERS_MAX}, got none`, {
    file: name,
  });
}

async function isTaken(folder: string, name: string): Promise<boolean> {
  try {
    await resolveEntry(folder, name);
    return true;
  } catch (error) {
    if (isLineageError(error, 'file/missing')) return false;
    throw error;
  }
}

/** Whether the file of that name is the upload. A folder, or what a link leads to outside, never is. */
async function holds(root: string, path: string, size: number, digest: string): Promise<boolean> {
  let real: string;
  try {
    real = await resolveInside(root, path);
  } catch (error) {
    if (isLineageError(error)) return false;
    throw error;
  }
  const state = await stat(real);
  return state.isFile() && state.size === size && (await hash(sourceOfFile(real, size))) === digest;
}

async function hash(source: UploadSource): Promise<string> {
  const sha256 = createHash('sha256');
  for await (const part of source.read()) sha256.update(part);
  return sha256.digest('hex');
}
