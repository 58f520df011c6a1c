import { join } from 'node:path';
import { formatOfName } from '../../nodes/formats/extensions.ts';
import { LineageError } from '../../nodes/kit/errors.ts';
import { listFiles } from '../local/list-files.ts';
import { resolveInside } from '../local/resolve-inside.ts';
import { statIfThere } from '../local/stat-if-there.ts';

/** A picture that a command was asked to work on. */
export type PictureFile = {
  /** Where it lies. */
  readonly path: string;
  /** Below the folder that was named, with `/`; the name alone for a file. */
  readonly name: string;
};

/**
 * The pictures that paths name: files as they are, and of folders all files named as pictures are, those of sub folders
 * too where `recursive` says so. In the order of the paths, then by name.
 *
 * @throws LineageError `option/invalid` for a folder of more files than can be listed
 */
export async function listPictures(
  paths: readonly string[],
  recursive: boolean,
): Promise<readonly PictureFile[]> {
  const found: PictureFile[] = [];
  for (const path of paths) {
    if (!(await isFolder(path))) {
      found.push({ path, name: path.split(/[\\/]/).at(-1) ?? path });
      continue;
    }
    const root = await resolveInside(path, '');
    const { entries, cut } = await listFiles(root, root, { recurse: recursive, hidden: false });
    if (cut)
      throw new LineageError('option/invalid', 'expected a folder that can be listed whole, got more', {
        file: path,
      });
    const pictures = entries.filter(({ kind, name }) => kind === 'file' && formatOfName(name) !== undefined);
    found.push(...pictures.map((entry) => ({ path: join(path, entry.path), name: entry.path })));
  }
  return found;
}

/** Whether a path leads to a folder. */
export async function isFolder(path: string): Promise<boolean> {
  return (await statIfThere(path))?.isDirectory() === true;
}
