import type { Dirent, Stats } from 'node:fs';
import { readdir, realpath, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { UNREACHABLE } from './folder-index.ts';
import { codeOf } from './system-error.ts';
import { isWithin } from './within.ts';
import { TEMPORARY_PREFIX } from './write-file.ts';

/** Enough for any collection of pictures or models; what lies beyond is left out, and the caller is told. */
const ENTRIES_MAX = 200_000;
const DEPTH_MAX = 16;

/** A file or folder below the one that was listed. */
export type Listed = {
  readonly name: string;
  /** Relative to the folder that was listed, with `/`. */
  readonly path: string;
  readonly kind: 'file' | 'folder';
  /** Of what a link leads to. */
  readonly state: Stats;
};

type ListOptions = {
  /** Goes into sub folders too. */
  readonly recurse: boolean;
  /** Also names that start with a dot. Unfinished files of ours are never listed. */
  readonly hidden: boolean;
  /** Names of folders that are left out. */
  readonly without?: readonly string[];
  /** Real paths of further folders that links may lead into. */
  readonly alsoAllowed?: readonly string[];
};

/**
 * Lists a folder, sorted by path. Links are followed within `root` and `alsoAllowed`; others, and what cannot be
 * read, are left out: they could not be opened either. Each real folder is entered once, so links in a circle end.
 *
 * @param root a real path; links may lead anywhere below it.
 * @param folder the real path of the folder to list, `root` or one below it.
 * @returns an empty list where the folder is missing; `cut` where not everything could be listed.
 */
export async function listFiles(
  root: string,
  folder: string,
  options: ListOptions,
): Promise<{ readonly entries: readonly Listed[]; readonly cut: boolean }> {
  const { recurse, hidden, without = [], alsoAllowed = [] } = options;
  const found: Listed[] = [];
  const entered = new Set<string>([folder]);
  const queue = [{ real: folder, path: '', depth: 0 }];
  const isAllowed = (real: string): boolean => [root, ...alsoAllowed].some((top) => isWithin(top, real));
  let seen = 0;
  let cut = false;

  for (const current of queue) {
    for (const child of await namesIn(current.real)) {
      if (++seen > ENTRIES_MAX) return { entries: sortByPath(found), cut: true };
      if ((!hidden && child.name.startsWith('.')) || child.name.startsWith(TEMPORARY_PREFIX)) continue;
      const real = await realOf(child, join(current.real, child.name));
      const state = real !== undefined && isAllowed(real) ? await orUndefined(stat(real)) : undefined;
      if (real === undefined || !state) continue;
      const path = current.path + child.name;
      if (state.isFile()) found.push({ name: child.name, path, kind: 'file', state });
      if (!state.isDirectory() || without.includes(child.name)) continue;
      found.push({ name: child.name, path, kind: 'folder', state });
      if (!recurse || entered.has(real)) continue;
      if (current.depth >= DEPTH_MAX) cut = true;
      else {
        entered.add(real);
        queue.push({ real, path: `${path}/`, depth: current.depth + 1 });
      }
    }
  }
  return { entries: sortByPath(found), cut };
}

function sortByPath(entries: Listed[]): readonly Listed[] {
  return entries.sort((a, b) => (a.path < b.path ? -1 : a.path > b.path ? 1 : 0));
}

async function namesIn(folder: string): Promise<readonly Dirent[]> {
  return (await orUndefined(readdir(folder, { withFileTypes: true }))) ?? [];
}

async function realOf(entry: Dirent, path: string): Promise<string | undefined> {
  return entry.isSymbolicLink() ? await orUndefined(realpath(path)) : path;
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
