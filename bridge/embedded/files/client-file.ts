import { LineageError } from '../../../nodes/kit/errors.ts';
import { isClientFolder } from '../../local/annotated-name.ts';
import { parseAnnotatedName, type RuntimeFolders, resolveInFolder } from '../folders.ts';

/** A file as clients name it: in `/view`, and as the original of a mask. */
export type ClientFile = {
  /** May say its folder itself (`x.png [input]`), and then overrules `type`; folders in it are left out. */
  readonly filename: string;
  readonly type?: string;
  readonly subfolder?: string;
};

/**
 * The real path of a file that a client names, and its plain name.
 *
 * @throws LineageError `request/malformed` for a name or type that is none, `path/unsafe`; `path/outside` for a sub folder
 *   or a link that leads elsewhere; `file/missing`
 * @see ComfyUI 618b803d server.py view_image
 */
export async function findClientFile(
  folders: RuntimeFolders,
  file: ClientFile,
): Promise<{ readonly real: string; readonly name: string }> {
  const { path, folder = file.type ?? 'output' } = parseAnnotatedName(file.filename);
  if (path === '' || path.startsWith('/') || path.includes('..'))
    throw new LineageError('request/malformed', 'expected a file name');
  if (!isClientFolder(folder))
    throw new LineageError('request/malformed', 'expected input, output or temp as type');
  const name = path.slice(path.lastIndexOf('/') + 1);
  const subfolder = file.subfolder ?? '';
  return { real: await resolveInFolder(folders[folder], subfolder, name), name };
}
