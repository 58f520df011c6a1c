import { lstat, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { codeOf } from '../local/system-error.ts';
import { removeIfThere } from '../local/write-file.ts';
import { isAlive } from '../merge/is-alive.ts';
import { OWN_PREFIX } from './replace-file.ts';

/**
 * Removes what a killed run left among these names of a folder. Files of runs that go on, of other machines, and of other
 * parts of Lineage, which may write into this folder now, stay.
 */
export async function removeStaleTemporaries(folder: string, names: readonly string[]): Promise<void> {
  for (const name of names) {
    if (!name.startsWith(OWN_PREFIX)) continue;
    const pid = Number.parseInt(name.slice(OWN_PREFIX.length), 10);
    const path = join(folder, name);
    try {
      if (isAlive(pid, (await lstat(path)).ctimeMs)) continue;
      await removeIfThere(path);
    } catch (error) {
      // Gone meanwhile, or not ours to remove: it does no harm, and tagging will tell of the folder.
      if (codeOf(error) === '') throw error;
    }
  }
}

/** Does that once for each folder that files lie in. */
export function createTidier(): (folder: string) => Promise<void> {
  const tidied = new Set<string>();
  return async (folder) => {
    if (tidied.has(folder)) return;
    tidied.add(folder);
    try {
      await removeStaleTemporaries(folder, await readdir(folder));
    } catch (error) {
      // A folder that is gone or closed: whoever opens the file in it will tell.
      if (codeOf(error) === '') throw error;
    }
  };
}
