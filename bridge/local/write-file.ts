import { randomUUID } from 'node:crypto';
import { type FileHandle, link, lstat, open, realpath, rename, stat, unlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { isLineageError, LineageError } from '../../nodes/kit/errors.ts';
import { codeOf, reasonOf } from './system-error.ts';

/**
 * How unfinished files are named: this, and a random end. One that outlives its process (killed, power cut) is
 * garbage and may be deleted whenever no process of ours writes into that folder; no finished file is named so.
 */
export const TEMPORARY_PREFIX = '.lineage-tmp-';

/** File systems without hard links (FAT, exFAT, some network shares) answer `link` with one of these. */
const NO_HARD_LINKS = new Set(['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EMLINK']);
/** Where a folder cannot be opened or flushed (Windows, some network shares); there the rename has to do. */
const NO_FOLDER_SYNC = new Set(['EPERM', 'EISDIR', 'EINVAL', 'EACCES', 'ENOTSUP']);

/**
 * Writes a whole file or none: under a temporary name in the same folder, flushed, then put in place in one step.
 * A crash leaves the old file or the new one, at worst with a file named by TEMPORARY_PREFIX beside it.
 *
 * @param bytes a whole file, or its parts as they come: what fails to come leaves no file.
 * @param replace takes the place of an existing file, keeping its permission bits; a link is followed, and what it
 *   leads to is replaced. Without it an existing file is never touched, not even one that appears meanwhile.
 * @throws LineageError `output/exists` without `replace`; `file/unwritable`
 */
export async function writeFileAtomic(
  path: string,
  bytes: Uint8Array | AsyncIterable<Uint8Array>,
  { replace }: { replace: boolean },
): Promise<void> {
  try {
    const target = replace ? await followLinks(path) : path;
    const mode = replace ? await modeOf(target) : undefined;
    const temporary = await writeTemporaryFile(dirname(target), bytes, mode);
    try {
      if (replace) await rename(temporary, target);
      else if (!(await publishExclusive(temporary, target))) {
        throw new LineageError('output/exists', 'expected a free name, got one that is taken', {
          file: path,
        });
      }
    } finally {
      await removeIfThere(temporary);
    }
    await syncFolder(dirname(target));
  } catch (error) {
    throw isLineageError(error) ? error : unwritable(path, error);
  }
}

/**
 * Writes files that belong together, one after the other as `writeFileAtomic` does. Where one fails, those before it
 * are taken back, unless they replaced others.
 *
 * @throws LineageError as `writeFileAtomic`
 */
export async function writeFilesAtomic(
  files: ReadonlyMap<string, Uint8Array>,
  { replace }: { replace: boolean },
): Promise<void> {
  const written: string[] = [];
  try {
    for (const [path, bytes] of files) {
      await writeFileAtomic(path, bytes, { replace });
      written.push(path);
    }
  } catch (error) {
    // Without `replace` all of them were new, so this loses nothing of others.
    if (!replace) for (const path of written.toReversed()) await removeIfThere(path);
    throw error;
  }
}

/**
 * Writes and flushes a file named by TEMPORARY_PREFIX and gives its path; it is the caller's to put in place and to
 * remove. Leaves nothing behind when it fails. Throws what the file system or the source of the bytes says.
 */
export async function writeTemporaryFile(
  folder: string,
  bytes: Uint8Array | AsyncIterable<Uint8Array>,
  mode?: number,
): Promise<string> {
  const path = join(folder, `${TEMPORARY_PREFIX}${randomUUID()}`);
  const file = await open(path, 'wx');
  try {
    try {
      await file.writeFile(bytes);
      if (mode !== undefined) await file.chmod(mode);
      await file.sync();
    } finally {
      await file.close();
    }
  } catch (error) {
    await removeIfThere(path);
    throw error;
  }
  return path;
}

/**
 * Gives a finished temporary file its name, if nobody has that name: in one step, and never over another file. The
 * temporary name may be left and is the caller's to remove. Throws what the file system says.
 *
 * Without hard links the name is taken first by an empty file that must be new, and the temporary file is then
 * moved over it: still nothing of others is replaced, but a crash in between leaves the empty file.
 *
 * @returns false where the name is taken.
 */
export async function publishExclusive(
  temporary: string,
  path: string,
  makeLink: typeof link = link,
): Promise<boolean> {
  try {
    await makeLink(temporary, path);
    return true;
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return false;
    if (!NO_HARD_LINKS.has(codeOf(error))) throw error;
  }
  let placeholder: FileHandle;
  try {
    placeholder = await open(path, 'wx');
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return false;
    throw error;
  }
  await placeholder.close();
  try {
    await rename(temporary, path);
    return true;
  } catch (error) {
    await removeIfThere(path);
    throw error;
  }
}

/** Makes the names in a folder last through a power cut, where the system can. */
export async function syncFolder(folder: string): Promise<void> {
  let handle: FileHandle | undefined;
  try {
    handle = await open(folder, 'r');
    await handle.sync();
  } catch (error) {
    if (!NO_FOLDER_SYNC.has(codeOf(error))) throw error;
  } finally {
    await handle?.close();
  }
}

export async function removeIfThere(path: string): Promise<void> {
  try {
    await unlink(path);
  } catch (error) {
    if (codeOf(error) !== 'ENOENT') throw error;
  }
}

export function unwritable(path: string, cause: unknown): LineageError {
  const message = `expected to write the file, got: ${reasonOf(cause)}`;
  return new LineageError('file/unwritable', message, { file: path }, { cause });
}

async function followLinks(path: string): Promise<string> {
  try {
    return await realpath(path);
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return path;
    throw error;
  }
}

async function modeOf(path: string): Promise<number | undefined> {
  try {
    return (await stat(path)).mode & 0o7777;
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}

/**
 * Says early, before long work, that a name is taken. Whether it is still free at the end is for the write to find out.
 *
 * @throws LineageError `output/exists`; `file/unwritable` for a place that cannot even be looked at
 */
export async function refuseTaken(path: string): Promise<void> {
  try {
    await lstat(path);
  } catch (error) {
    // A folder that is missing is for the write to make, or to tell of.
    if (codeOf(error) === 'ENOENT' || codeOf(error) === 'ENOTDIR') return;
    throw unwritable(path, error);
  }
  throw new LineageError('output/exists', 'expected a free name, got one that is taken', { file: path });
}
