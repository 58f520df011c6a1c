import type { Dirent } from 'node:fs';
import { lstat, readdir, realpath, stat } from 'node:fs/promises';
import { dirname, extname, join } from 'node:path';
import { EXTENSIONS } from '../../nodes/formats/extensions.ts';
import { LineageError } from '../../nodes/kit/errors.ts';
import type { ImageFormat } from '../../nodes/kit/values.ts';
import { codeOf, reasonOf } from '../local/system-error.ts';
import { isWithin } from '../local/within.ts';
import { TEMPORARY_PREFIX } from '../local/write-file.ts';
import { createTidier, removeStaleTemporaries } from './stale-temporaries.ts';

/** A picture that was found, or a place where one could not be looked for. `shown` is spelled as it was asked for. */
export type Found =
  | { readonly kind: 'picture'; readonly path: string; readonly shown: string }
  | { readonly kind: 'problem'; readonly shown: string; readonly error: LineageError }
  /** Hidden, of another kind, or a link to a file that is looked at under its own name. */
  | { readonly kind: 'other' };

/** Where to look. Paths are real, and none lies within another. */
export type Place = { readonly path: string; readonly shown: string; readonly isFolder: boolean };

export type LookOptions = {
  readonly recursive: boolean;
  /** The formats whose usual extensions are looked at; a file that is named itself is looked at whatever its name. */
  readonly formats: readonly ImageFormat[];
  /** Removes what killed runs left in the folders. */
  readonly tidy: boolean;
};

/** Deeper than people nest folders, and a bound for file systems that are broken. */
const DEPTH_MAX = 100;

/**
 * Finds the places that a person names. Those within others are left out, so that each file is met once.
 *
 * @throws LineageError `file/missing`, `file/unreadable`
 */
export async function findPlaces(named: readonly string[], recursive: boolean): Promise<readonly Place[]> {
  const places: Place[] = [];
  for (const shown of named) {
    try {
      const path = await realpath(shown);
      places.push({ path, shown, isFolder: (await stat(path)).isDirectory() });
    } catch (error) {
      const missing = codeOf(error) === 'ENOENT' || codeOf(error) === 'ENOTDIR';
      const code = missing ? 'file/missing' : 'file/unreadable';
      const message = `expected a picture or a folder, got: ${reasonOf(error)}`;
      throw new LineageError(code, message, { file: shown }, { cause: error });
    }
  }
  const folders = new Set(places.flatMap(({ path, isFolder }) => (isFolder ? [path] : [])));
  const seen = new Set<string>();
  return places.filter(({ path, isFolder }) => {
    if (seen.has(path)) return false;
    seen.add(path);
    if (!recursive) return isFolder || !folders.has(dirname(path));
    return !parentsOf(path).some((parent) => folders.has(parent));
  });
}

function parentsOf(path: string): readonly string[] {
  const parents: string[] = [];
  for (let below = path; dirname(below) !== below; below = dirname(below)) parents.push(dirname(below));
  return parents;
}

/** The folders that the places lie in: links may lead within them, and undo goes nowhere else. */
export function foldersOf(places: readonly Place[]): readonly string[] {
  return [...new Set(places.map(({ path, isFolder }) => (isFolder ? path : dirname(path))))];
}

/**
 * Looks for pictures, in the order of their names; one folder's names are in memory at a time. Links are never followed:
 * what they lead to within the folders has a name of its own there.
 */
export async function* findPictures(places: readonly Place[], options: LookOptions): AsyncGenerator<Found> {
  const { recursive, formats, tidy } = options;
  const extensions = new Set(formats.flatMap((format) => EXTENSIONS[format]));
  const roots = foldersOf(places);

  async function* look(folder: string, shown: string, depth: number): AsyncGenerator<Found> {
    const entries = await orProblem(shown, () => namesIn(folder));
    if (!Array.isArray(entries)) return yield entries;
    if (tidy)
      await removeStaleTemporaries(
        folder,
        entries.map(({ name }) => name),
      );
    for (const entry of entries) {
      const { name } = entry;
      if (name.startsWith(TEMPORARY_PREFIX)) continue;
      const [path, told] = [join(folder, name), join(shown, name)];
      const kind = name.startsWith('.') ? 'other' : await orProblem(told, () => kindOf(entry, path, roots));
      const isNamedSo = extensions.has(extname(name).toLowerCase());
      if (typeof kind === 'object') yield kind;
      else if (kind === 'folder') {
        if (!recursive) yield OTHER;
        else if (depth < DEPTH_MAX) yield* look(path, told, depth + 1);
        else
          yield problem(
            told,
            'file/unreadable',
            `expected folders up to ${DEPTH_MAX} deep, got a deeper one`,
          );
      } else if (kind === 'file' && isNamedSo) yield { kind: 'picture', path, shown: told };
      else if (kind === 'outside')
        yield problem(
          told,
          'path/outside',
          'expected a file of this folder, got a link that leads out of it',
        );
      else if (kind === 'device' && isNamedSo)
        yield problem(told, 'file/unreadable', 'expected a file, got a device or pipe');
      else yield OTHER;
    }
  }

  const tidyBeside = createTidier();
  for (const { path, shown, isFolder } of places) {
    if (isFolder) yield* look(path, shown, 0);
    else {
      if (tidy) await tidyBeside(dirname(path));
      yield { kind: 'picture', path, shown };
    }
  }
}

const OTHER = { kind: 'other' } as const;

async function namesIn(folder: string): Promise<Dirent[]> {
  const entries = await readdir(folder, { withFileTypes: true });
  return entries.sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
}

type Kind = 'file' | 'folder' | 'device' | 'inside' | 'outside';

async function kindOf(entry: Dirent, path: string, roots: readonly string[]): Promise<Kind> {
  // Some file systems tell no kinds with the names.
  const isTold = entry.isFile() || entry.isDirectory() || entry.isSymbolicLink() || entry.isFIFO();
  const what = isTold ? entry : await lstat(path);
  if (what.isSymbolicLink()) {
    const target = await realpath(path);
    return roots.some((root) => isWithin(root, target)) ? 'inside' : 'outside';
  }
  if (what.isDirectory()) return 'folder';
  return what.isFile() ? 'file' : 'device';
}

async function orProblem<T>(shown: string, work: () => Promise<T>): Promise<T | Found> {
  try {
    return await work();
  } catch (error) {
    return problem(shown, 'file/unreadable', `expected to look at it, got: ${reasonOf(error)}`, error);
  }
}

function problem(
  shown: string,
  code: 'file/unreadable' | 'path/outside',
  message: string,
  cause?: unknown,
): Found {
  return { kind: 'problem', shown, error: new LineageError(code, message, { file: shown }, { cause }) };
}
