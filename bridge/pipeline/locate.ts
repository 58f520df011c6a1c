import { realpath, statfs } from 'node:fs/promises';
import { basename, dirname, join, relative, sep } from 'node:path';
import { statIfThere } from '../local/stat-if-there.ts';
import { codeOf } from '../local/system-error.ts';

/** Where a path leads, whether there is a file or not. */
export type Place = {
  /** The same text for the same file, through links and case. */
  readonly identity: string;
  /** The same text for the same disk. */
  readonly volume: string;
  readonly exists: boolean;
  readonly isFile: boolean;
};

/**
 * Finds out what a path names. Of a file that is not there yet: the folder that it would be in, and its name, in small
 * letters where the file system takes them for the same.
 *
 * @throws LineageError `file/unreadable` where even that cannot be told
 */
export async function locate(path: string): Promise<Place> {
  const there = await statIfThere(path);
  if (there)
    return {
      identity: `${there.dev}:${there.ino}`,
      volume: String(there.dev),
      exists: true,
      isFile: there.isFile(),
    };
  // A link that leads nowhere names the file that it will lead to.
  const target = await followDangling(path);
  let folder = dirname(target);
  let around = await statIfThere(folder);
  while (!around && dirname(folder) !== folder) {
    folder = dirname(folder);
    around = await statIfThere(folder);
  }
  const rest = relative(folder, target).split(sep).join('/');
  const spelled = (await ignoresCase(folder)) ? rest.toLowerCase() : rest;
  return {
    identity: `${around?.dev}:${around?.ino}/${spelled}`,
    volume: String(around?.dev ?? ''),
    exists: false,
    isFile: false,
  };
}

/** Bytes that may still be written to the disk of a path; undefined where the file system does not say. */
export async function freeBytesAt(path: string): Promise<number | undefined> {
  for (let folder = dirname(path); ; folder = dirname(folder)) {
    try {
      const { bavail, bsize, blocks } = await statfs(folder);
      return blocks === 0 ? undefined : bavail * bsize;
    } catch (error) {
      if (codeOf(error) !== 'ENOENT' || dirname(folder) === folder) return undefined;
    }
  }
}

async function followDangling(path: string): Promise<string> {
  try {
    return join(await realpath(dirname(path)), basename(path));
  } catch {
    return path;
  }
}

/** Whether a folder answers to its name in other letters. */
async function ignoresCase(folder: string): Promise<boolean> {
  const name = basename(folder);
  const swapped = name === name.toUpperCase() ? name.toLowerCase() : name.toUpperCase();
  if (swapped === name) return false;
  const [mine, other] = [await statIfThere(folder), await statIfThere(join(dirname(folder), swapped))];
  return mine !== undefined && other !== undefined && mine.ino === other.ino && mine.dev === other.dev;
}
