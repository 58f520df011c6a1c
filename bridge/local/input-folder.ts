import { realpath, stat } from 'node:fs/promises';
import { extname } from 'node:path';
import { isLineageError } from '../../nodes/kit/errors.ts';
import type { InputFiles } from '../../nodes/kit/graph-node.ts';
import { parseAnnotatedName } from './annotated-name.ts';
import { UNREACHABLE } from './folder-index.ts';
import { listFiles } from './list-files.ts';
import { readFileChecked } from './read-file.ts';
import { resolveInside } from './resolve-inside.ts';
import { codeOf } from './system-error.ts';

/**
 * The longest picture that a node reads. Above any upload (100 MB by default) and any PNG of 16384x16384 that is a
 * picture; a file beyond it would only fill the memory.
 */
export const INPUT_BYTES_MAX = 512 * 1024 * 1024;

/** What pictures that this host can read are called; ComfyUI lists whatever Python's mimetypes hold for an image. */
const PICTURE_ENDINGS = new Set('.avif .gif .jfif .jpe .jpeg .jpg .png .tif .tiff .webp'.split(' '));

/** The folders that a workflow may read pictures from. */
type PictureFolders = { readonly input: string; readonly output: string; readonly temp: string };

/**
 * `Host.readInput` over the three folders that a workflow may read pictures from. The name is a client's text: it may
 * hold sub folders and end in ` [input]`, ` [output]` or ` [temp]`, and never leads out of the folder it means.
 *
 * @returns the reader. It gives undefined for a file that is not there, and throws LineageError `path/outside` and
 *   `path/unsafe` for names that try to lead elsewhere, `file/unreadable` also for files over INPUT_BYTES_MAX.
 */
export function createInputReader(
  folders: PictureFolders,
): (name: string) => Promise<Uint8Array | undefined> {
  return async (name) => {
    const { path, folder = 'input' } = parseAnnotatedName(name);
    try {
      return await readFileChecked(await resolveInside(folders[folder], path), INPUT_BYTES_MAX);
    } catch (error) {
      if (isLineageError(error, 'file/missing')) return undefined;
      throw error;
    }
  };
}

/**
 * Whether the reader would find a file, without reading it. A name that tries to lead elsewhere names no file.
 * @throws LineageError `file/unreadable`
 */
export function createInputFiles(folders: PictureFolders): InputFiles {
  return {
    async has(name) {
      const { path, folder = 'input' } = parseAnnotatedName(name);
      try {
        return (await stat(await resolveInside(folders[folder], path))).isFile();
      } catch (error) {
        if (REFUSALS.some((code) => isLineageError(error, code))) return false;
        throw error;
      }
    },
  };
}

const REFUSALS = ['file/missing', 'path/outside', 'path/unsafe'] as const;

/**
 * The names of the pictures right in a folder, sorted, as LoadImage's menu lists them: by their endings, since a menu
 * is no place to open thousands of files.
 */
export async function listInputImages(folder: string): Promise<readonly string[]> {
  let root: string;
  try {
    root = await realpath(folder);
  } catch (error) {
    if (UNREACHABLE.has(codeOf(error))) return [];
    throw error;
  }
  const { entries } = await listFiles(root, root, { recurse: false, hidden: false });
  return entries
    .filter(({ kind, name }) => kind === 'file' && PICTURE_ENDINGS.has(extname(name).toLowerCase()))
    .map(({ name }) => name);
}
