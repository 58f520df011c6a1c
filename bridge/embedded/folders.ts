import type { ClientFolder } from '../local/annotated-name.ts';
import { resolveInside } from '../local/resolve-inside.ts';

export { parseAnnotatedName } from '../local/annotated-name.ts';

/** The folders a runtime works in; absolute paths, laid by the machine's owner. They may not be there yet. */
export type RuntimeFolders = {
  readonly [folder in ClientFolder]: string;
} & {
  /** Holds a folder for each user: settings, workflows. */
  readonly user: string;
  /** Folders with the layout of ComfyUI's `models`, in order of precedence. */
  readonly models: readonly string[];
};

/**
 * The real path of a file in a sub folder of a folder, both named by a client; links followed and held to `root`.
 *
 * @param subfolder '' for the folder itself.
 * @throws LineageError `path/outside`, `path/unsafe`, `file/missing`, `file/unreadable`
 */
export async function resolveInFolder(root: string, subfolder: string, name: string): Promise<string> {
  // Each part for itself: joined first, a name that starts with a slash would look harmless.
  const folder = await resolveInside(root, subfolder);
  return await resolveInside(folder, name, [await resolveInside(root, '')]);
}
