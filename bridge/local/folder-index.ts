import type { Dirent } from 'node:fs';
import { readdir, realpath, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { codeOf } from './system-error.ts';

/** Enough for any collection of models; a larger tree is indexed up to here. */
const ENTRIES_MAX = 200_000;
const DEPTH_MAX = 16;

/** The files below a folder by their base names. */
export type FolderIndex = {
  /**
   * Real paths of the files called so, each once, in no particular order.
   * @param anyCase also those whose name differs in case only.
   */
  named(baseName: string, anyCase?: boolean): readonly string[];
  /** Whether no folder of the index got or lost a file since it was made. Costs a `stat` for each folder. */
  isCurrent(): Promise<boolean>;
};

/**
 * Walks a folder and what lies below it, links included, as far as `isAllowed` takes a real path; each real folder
 * once, so links in a circle end. Folders that cannot be read are left out: they hold nothing we could open.
 */
export async function indexFolder(
  folder: string,
  isAllowed: (real: string) => boolean,
): Promise<FolderIndex> {
  const byName = new Map<string, Set<string>>();
  const changedAt = new Map<string, bigint>();
  const queue = [{ folder, depth: 0 }];
  let entries = 0;

  for (const { folder: current, depth } of queue) {
    const real = await orUndefined(realpath(current));
    if (real === undefined || !isAllowed(real) || changedAt.has(real)) continue;
    // The time is taken before the names: a file that comes between the two makes the index stale, not blind.
    const state = await orUndefined(stat(real, { bigint: true }));
    const children = await orUndefined(readdir(real, { withFileTypes: true }));
    if (!state || !children) continue;
    changedAt.set(real, state.mtimeNs);
    for (const child of children) {
      if (++entries > ENTRIES_MAX) break;
      const path = join(real, child.name);
      const kind = await kindOf(child, path);
      if (kind === 'folder' && depth < DEPTH_MAX && child.name !== '.git')
        queue.push({ folder: path, depth: depth + 1 });
      if (kind !== 'file') continue;
      const realFile = child.isSymbolicLink() ? await orUndefined(realpath(path)) : path;
      if (realFile !== undefined && isAllowed(realFile)) remember(byName, child.name, realFile);
    }
  }

  return {
    named(baseName, anyCase = false) {
      const exact = byName.get(baseName);
      if (exact || !anyCase) return [...(exact ?? [])];
      const wanted = baseName.toLowerCase();
      const found = new Set<string>();
      for (const [name, files] of byName) {
        if (name.toLowerCase() === wanted) for (const file of files) found.add(file);
      }
      return [...found];
    },
    async isCurrent() {
      for (const [path, mtimeNs] of changedAt) {
        if ((await orUndefined(stat(path, { bigint: true })))?.mtimeNs !== mtimeNs) return false;
      }
      return changedAt.size > 0;
    },
  };
}

function remember(byName: Map<string, Set<string>>, name: string, file: string): void {
  const files = byName.get(name);
  if (files) files.add(file);
  else byName.set(name, new Set([file]));
}

async function kindOf(entry: Dirent, path: string): Promise<'file' | 'folder' | 'other'> {
  const target = entry.isSymbolicLink() ? await orUndefined(stat(path)) : entry;
  if (target?.isFile()) return 'file';
  return target?.isDirectory() ? 'folder' : 'other';
}

/** What cannot be reached is not there for us; a failing disk is another matter and is passed on. */
async function orUndefined<T>(work: Promise<T>): Promise<T | undefined> {
  try {
    return await work;
  } catch (error) {
    if (UNREACHABLE.has(codeOf(error))) return undefined;
    throw error;
  }
}

/** Names that lead to no file that this process may see; too long a name leads to none either. */
export const UNREACHABLE = new Set(['ENOENT', 'ENOTDIR', 'EACCES', 'EPERM', 'ELOOP', 'ENAMETOOLONG']);
