import { realpathSync, statSync } from 'node:fs';
import { realpath, stat } from 'node:fs/promises';
import { join, resolve, sep } from 'node:path';
import { LineageError } from '../../nodes/kit/errors.ts';
import type { ModelLookup, ModelStore } from '../../nodes/kit/host.ts';
import { MODEL_FOLDERS, type ModelFolder } from '../../nodes/kit/values.ts';
import { type FileIdentity, identityOf } from './file-identity.ts';
import { type FolderIndex, indexFolder, UNREACHABLE } from './folder-index.ts';
import { createFileHasher } from './hash-file.ts';
import type { Ledger } from './ledger.ts';
import { shelfNames } from './model-folders.ts';
import { spellingsOf, splitModelName } from './model-name.ts';
import { readModelSidecar } from './model-sidecar.ts';
import { codeOf, reasonOf } from './system-error.ts';
import { isWithin } from './within.ts';

/** Where models lie, and who is told of their hashing. */
export type ModelStoreOptions = {
  /** Folders with the layout of ComfyUI's `models`, in order of precedence. */
  readonly folders: readonly string[];
  /** Further folders of one kind each, behind those: what ComfyUI itself lists. They need not exist. */
  readonly shelves?: Readonly<Partial<Record<ModelFolder, readonly string[]>>>;
  /** Where hashes are kept. The store uses it and does not close it. */
  readonly ledger: Ledger;
  /** Hashes each file anew, once in the life of this store. */
  readonly forceRehash?: boolean;
  /** Gets `models/not-a-folder` for each shelf that is there and cannot be used. */
  readonly warn?: (error: LineageError) => void;
  /** Called about every 16 MiB while a file is hashed. */
  readonly onProgress?: (file: string, bytes: number, totalBytes: number) => void;
};

export type LocalModelStore = ModelStore & {
  /** Ends the hashing thread. Not needed for the process to end. */
  close(): Promise<void>;
};

/** A folder such as `models/loras`, made absolute. */
type Shelf = { readonly folder: ModelFolder; readonly path: string };

/**
 * Model files in folders of ComfyUI's layout.
 *
 * A name is looked up as ComfyUI does: as a path below the folder, case-sensitive, with or without extension. Where
 * that gives nothing and exactly one file below the folder has this base name, that file is meant: people move
 * files into sub folders after a workflow is saved. Names of embeddings are typed into prompts, so there case may
 * differ as well, again if only one file fits.
 *
 * Links are followed and may lead from one configured folder into another, but not out of them: what a name finds
 * always lies, by its real path, in one of `folders` or `shelves`, or in the target of a link that is itself
 * `models/loras`, `models/vae`…: those links, like the folders, are laid by the machine's owner and named by no workflow.
 *
 * @throws LineageError `models/not-a-folder`
 */
export function createModelStore(options: ModelStoreOptions): LocalModelStore {
  const { folders, shelves: listed = {}, ledger, forceRehash = false, onProgress } = options;
  const rehashed = new Set<string>();
  const hasher = createFileHasher();
  const shelves = new Map(
    MODEL_FOLDERS.map((folder) => [folder, shelvesOf(folder, folders, listed[folder] ?? [])]),
  );
  const roots = new Set(realRoots(folders, [...shelves.values()].flat(), options.warn));
  const indices = new Map<string, Promise<FolderIndex>>();
  const isAllowed = (real: string): boolean => [...roots].some((root) => isWithin(root, real));
  /** A folder may be made when the first file is: that of merged checkpoints. */
  const isAllowedNow = (real: string, shelf: Shelf): boolean => {
    if (!isAllowed(real)) for (const root of realRoots([], [shelf])) roots.add(root);
    return isAllowed(real);
  };

  /** Follows links. 'outside' where the file is there but not ours to read. */
  async function reach(
    path: string,
    shelf?: Shelf,
  ): Promise<{ file: string; bytes: number } | 'missing' | 'outside'> {
    try {
      const file = await realpath(path);
      if (shelf ? !isAllowedNow(file, shelf) : !isAllowed(file)) return 'outside';
      const state = await stat(file);
      return state.isFile() ? { file, bytes: state.size } : 'missing';
    } catch (error) {
      if (UNREACHABLE.has(codeOf(error))) return 'missing';
      throw new LineageError('file/unreadable', reasonOf(error), { file: path }, { cause: error });
    }
  }

  async function indexOf(shelf: Shelf): Promise<FolderIndex> {
    const known = await indices.get(shelf.path);
    if (known && (await known.isCurrent())) return known;
    const fresh = indexFolder(shelf.path, isAllowed);
    indices.set(shelf.path, fresh);
    return fresh;
  }

  /** The one file of this base name in all shelves of a folder; undefined where there are none or several. */
  async function findByBaseName(baseName: string, folder: ModelFolder): Promise<string | undefined> {
    const found = await Promise.all((shelves.get(folder) ?? []).map(indexOf));
    for (const anyCase of folder === 'embeddings' ? [false, true] : [false]) {
      for (const spelling of spellingsOf(baseName)) {
        const files = new Set(found.flatMap((index) => index.named(spelling, anyCase)));
        const [only] = files;
        if (files.size > 0) return files.size === 1 ? only : undefined;
      }
    }
    return undefined;
  }

  return {
    async find(name, wanted): Promise<ModelLookup> {
      const parts = splitModelName(name);
      if (parts === 'outside') return { found: false, reason: 'outside' };
      const baseName = parts.at(-1);
      if (baseName === undefined) return { found: false, reason: 'missing' };
      const path = parts.join(sep);
      let reason: 'missing' | 'outside' = 'missing';

      for (const shelf of wanted.flatMap((folder) => shelves.get(folder) ?? [])) {
        for (const spelling of spellingsOf(path)) {
          const reached = await reach(join(shelf.path, spelling), shelf);
          if (typeof reached === 'object') return { found: true, folder: shelf.folder, ...reached };
          if (reached === 'outside') reason = 'outside';
        }
      }
      for (const folder of wanted) {
        const file = await findByBaseName(baseName, folder);
        const reached = file === undefined ? 'missing' : await reach(file);
        if (typeof reached === 'object') return { found: true, folder, ...reached };
      }
      return { found: false, reason };
    },

    async hash(file, signal) {
      signal?.throwIfAborted();
      const state = await identify(file);
      const isTrusted = !forceRehash || rehashed.has(keyOf(state));
      const known = isTrusted ? ledger.find(state) : undefined;
      if (known) return known;
      const { hashes, identity, dataSha256 } = await hasher.hash(file, {
        ...(signal && { signal }),
        ...(onProgress && { onProgress: (bytes, total) => onProgress(file, bytes, total) }),
      });
      ledger.remember(identity, hashes);
      rehashed.add(keyOf(identity));
      if (dataSha256 !== undefined) ledger.rememberData(identity, dataSha256);
      return hashes;
    },

    published: (file) =>
      readModelSidecar(file, async (path) => {
        const reached = await reach(path);
        return typeof reached === 'object' ? reached.file : undefined;
      }),

    close: () => hasher.close(),
  };
}

function shelvesOf(
  folder: ModelFolder,
  folders: readonly string[],
  listed: readonly string[],
): readonly Shelf[] {
  const named = folders.flatMap((models) => shelfNames(folder).map((name) => resolve(models, name)));
  return [...named, ...listed.map((path) => resolve(path))].map((path) => ({ folder, path }));
}

/** Where files may lie: the configured folders and the folders right below them that are in use. */
function realRoots(
  folders: readonly string[],
  shelves: readonly Shelf[],
  warn?: ModelStoreOptions['warn'],
): readonly string[] {
  const roots = new Set<string>();
  for (const folder of folders) roots.add(realFolder(folder));
  for (const { path } of shelves) {
    try {
      roots.add(realFolder(path));
    } catch (error) {
      if (!(error instanceof LineageError)) throw error;
      // Few collections have all of ComfyUI's folders.
      if (!['ENOENT', 'ENOTDIR'].includes(codeOf(error.cause))) warn?.(error);
    }
  }
  return [...roots];
}

function realFolder(path: string): string {
  const notAFolder = (got: string, cause?: unknown): LineageError =>
    new LineageError('models/not-a-folder', `expected a folder, got ${got}`, { file: path }, { cause });
  try {
    const real = realpathSync(path);
    if (!statSync(real).isDirectory()) throw notAFolder('a file');
    return real;
  } catch (error) {
    if (UNREACHABLE.has(codeOf(error))) throw notAFolder(reasonOf(error), error);
    throw error;
  }
}

function keyOf(identity: FileIdentity): string {
  return Object.values(identity).join(' ');
}

/** @throws LineageError `file/unreadable` */
async function identify(file: string): Promise<ReturnType<typeof identityOf>> {
  try {
    const state = await stat(file, { bigint: true });
    if (state.isFile()) return identityOf(state);
  } catch (error) {
    throw new LineageError(
      'file/unreadable',
      `expected a file, got: ${reasonOf(error)}`,
      { file },
      { cause: error },
    );
  }
  throw new LineageError('file/unreadable', 'expected a file, got a folder, pipe or device', { file });
}
