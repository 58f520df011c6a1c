import { lstat, mkdir, realpath } from 'node:fs/promises';
import { join } from 'node:path';
import { isLineageError, LineageError } from '../../nodes/kit/errors.ts';
import { UNREACHABLE } from './folder-index.ts';
import { splitPlainPath } from './plain-path.ts';
import { codeOf, reasonOf } from './system-error.ts';
import { isWithin } from './within.ts';

/**
 * The real path of a file or folder that a client names below a folder of the owner's. Links are followed; where they
 * lead out of `root` (and of `alsoAllowed`) the name is refused. The folder itself may be a link: the owner laid it.
 *
 * @param path see `splitPlainPath`; '' is the folder itself.
 * @param alsoAllowed real paths of further folders that a link may lead into.
 * @throws LineageError `path/outside`, `path/unsafe`, `file/missing`, `file/unreadable`
 */
export async function resolveInside(
  root: string,
  path: string,
  alsoAllowed: readonly string[] = [],
): Promise<string> {
  const parts = splitPlainPath(path);
  try {
    const realRoot = await realpath(root);
    const real = await realpath(join(realRoot, ...parts));
    if ([realRoot, ...alsoAllowed].some((folder) => isWithin(folder, real))) return real;
  } catch (error) {
    const code = UNREACHABLE.has(codeOf(error)) ? 'file/missing' : 'file/unreadable';
    throw new LineageError(code, reasonOf(error), { file: path }, { cause: error });
  }
  throw new LineageError('path/outside', 'expected a file of this folder, got a link that leads out of it', {
    file: path,
  });
}

/** Whether a folder is there, links followed. */
export async function isFolderThere(folder: string): Promise<boolean> {
  try {
    await resolveInside(folder, '');
    return true;
  } catch (error) {
    if (isLineageError(error, 'file/missing')) return false;
    throw error;
  }
}

/**
 * The path of an entry itself, for moving or deleting it: its folder is real and inside of `root`, but where the entry is
 * a link, it is the link and not what that leads to.
 *
 * @throws LineageError `path/outside`, `path/unsafe`, also for `root` itself, `file/missing`, `file/unreadable`
 */
export async function resolveEntry(root: string, path: string): Promise<string> {
  const parts = [...splitPlainPath(path)];
  const name = parts.pop();
  if (name === undefined) throw new LineageError('path/unsafe', 'expected a name, got none', { file: path });
  const entry = join(await resolveInside(root, parts.join('/')), name);
  try {
    await lstat(entry);
  } catch (error) {
    const code = UNREACHABLE.has(codeOf(error)) ? 'file/missing' : 'file/unreadable';
    throw new LineageError(code, reasonOf(error), { file: path }, { cause: error });
  }
  return entry;
}

/** Where to write a file: the real path of its folder, which is there, and its name. */
export type Destination = { readonly folder: string; readonly name: string };

/**
 * Where a client's file goes. Its folders are made where they are missing; a link among them, and one that has the
 * file's own name, must stay inside of `root`.
 *
 * @throws LineageError `path/outside`, `path/unsafe`; throws what the file system says.
 */
export async function resolveForWriting(root: string, path: string): Promise<Destination> {
  const parts = [...splitPlainPath(path)];
  const name = parts.pop();
  if (name === undefined) throw new LineageError('path/unsafe', 'expected a name, got none', { file: path });
  await mkdir(root, { recursive: true });
  const realRoot = await realpath(root);
  try {
    return { folder: await enterAndCheck(realRoot, parts, name, outsideOf(path)), name };
  } catch (error) {
    if (!IMPOSSIBLE.has(codeOf(error))) throw error;
    throw new LineageError('path/unsafe', reasonOf(error), { file: path }, { cause: error });
  }
}

/** What file systems say of a name that is too long, and of a file where a folder should be. */
const IMPOSSIBLE = new Set(['ENAMETOOLONG', 'ENOTDIR', 'EINVAL']);

async function enterAndCheck(
  realRoot: string,
  folders: readonly string[],
  name: string,
  outside: (cause?: unknown) => LineageError,
): Promise<string> {
  const folder = await enterFolder(realRoot, folders, outside);
  try {
    const existing = await realpath(join(folder, name));
    if (!isWithin(realRoot, existing)) throw outside();
  } catch (error) {
    if (codeOf(error) === 'ELOOP') throw outside(error);
    // Not there yet; a dangling link is replaced by the file, not followed, or found taken.
    if (codeOf(error) !== 'ENOENT') throw error;
  }
  return folder;
}

function outsideOf(path: string): (cause?: unknown) => LineageError {
  return (cause) =>
    new LineageError(
      'path/outside',
      'expected a path of this folder, got a link that leads out of it',
      { file: path },
      { cause },
    );
}

/**
 * Goes down the folders, making those that are missing, and gives the real path of the last.
 * @param root a real path.
 * @param outside makes the error for a link that leads out of `root`, or nowhere; thrown.
 */
export async function enterFolder(
  root: string,
  folders: readonly string[],
  outside: (cause?: unknown) => LineageError,
): Promise<string> {
  let current = root;
  for (const name of folders) {
    const next = join(current, name);
    try {
      await mkdir(next);
    } catch (error) {
      if (codeOf(error) !== 'EEXIST') throw error;
    }
    try {
      current = await realpath(next);
    } catch (error) {
      // It exists, or mkdir would have made it: a link to nothing, or in a circle.
      if (codeOf(error) === 'ENOENT' || codeOf(error) === 'ELOOP') throw outside(error);
      throw error;
    }
    if (!isWithin(root, current)) throw outside();
  }
  return current;
}
