import { realpath } from 'node:fs/promises';
import { join } from 'node:path';
import { isLineageError, LineageError } from '../../nodes/kit/errors.ts';
import type { MergeSource } from '../../nodes/merge/provenance/merge-record.ts';
import { listFiles } from '../local/list-files.ts';
import { reasonOf } from '../local/system-error.ts';
import { openWeights } from '../merge/open-weights.ts';
import { type HashAccess, hashModel } from './identify-models.ts';

type Candidate = { readonly path: string; readonly bytes: number };

/**
 * Finds files by the hash of their data, whatever they are called. Files of the size of a source are looked at first,
 * and others only while some source is missing.
 *
 * @returns a path for each source, undefined where there is none.
 * @throws LineageError `models/not-a-folder`, the reason of the signal
 */
export async function findSources(
  sources: readonly MergeSource[],
  folders: readonly string[],
  access: HashAccess,
): Promise<readonly (string | undefined)[]> {
  const sizes = new Set(sources.map(({ bytes }) => bytes));
  const names = new Set(sources.map(({ name }) => name));
  const rank = ({ path, bytes }: Candidate): number =>
    (sizes.has(bytes) ? 0 : 2) + (names.has(path.split(/[\\/]/).at(-1) ?? '') ? 0 : 1);
  const candidates = (await Promise.all(folders.map(listModels))).flat().sort((a, b) => rank(a) - rank(b));
  const found = new Map<string, string>();
  const wanted = new Set(sources.map(({ dataSha256 }) => dataSha256));
  for (const { path } of candidates) {
    if (found.size === wanted.size) break;
    const hash = await hashOf(path, access);
    if (hash !== undefined && wanted.has(hash) && !found.has(hash)) found.set(hash, path);
  }
  return sources.map(({ dataSha256 }) => found.get(dataSha256));
}

async function listModels(folder: string): Promise<readonly Candidate[]> {
  const root = await realpath(folder).catch((error: unknown) => {
    const message = `expected a folder, got: ${reasonOf(error)}`;
    throw new LineageError('models/not-a-folder', message, { file: folder }, { cause: error });
  });
  const { entries } = await listFiles(root, root, { recurse: true, hidden: false });
  return entries.flatMap(({ path, kind, state }) =>
    kind === 'file' && /\.(safetensors|safetensors\.index\.json)$/i.test(path)
      ? [{ path: join(root, path), bytes: state.size }]
      : [],
  );
}

/** Undefined for what is no model after all. */
async function hashOf(path: string, access: HashAccess): Promise<string | undefined> {
  try {
    const { files } = await openWeights(path);
    return (await hashModel(files, access)).dataSha256;
  } catch (error) {
    if (isLineageError(error)) return undefined;
    throw error;
  }
}
