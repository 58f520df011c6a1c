import { realpathSync } from 'node:fs';
import { realpath } from 'node:fs/promises';
import { extname, resolve } from 'node:path';
import { isLineageError } from '../../nodes/kit/errors.ts';
import { UNREACHABLE } from './folder-index.ts';
import { listFiles } from './list-files.ts';
import { resolveInside } from './resolve-inside.ts';
import { codeOf } from './system-error.ts';

/** Folders on disk that make up one of ComfyUI's folders, in its order; all others are called as they are. */
const ALIASES: ReadonlyMap<string, readonly string[]> = new Map([
  ['diffusion_models', ['unet', 'diffusion_models']],
  ['text_encoders', ['text_encoders', 'clip']],
  ['controlnet', ['controlnet', 't2i_adapter']],
]);

/** @see ComfyUI 618b803d folder_paths.py supported_pt_extensions */
const WEIGHTS = ['.ckpt', '.pt', '.pt2', '.bin', '.pth', '.safetensors', '.pkl', '.sft'];

/**
 * ComfyUI's model folders in its order, and the endings that it lists of each; none means that it lists no files.
 * Its `custom_nodes` is no model folder and not among them.
 * @see ComfyUI 618b803d folder_paths.py
 */
const FOLDERS: ReadonlyMap<string, readonly string[]> = new Map([
  ['checkpoints', WEIGHTS],
  ['configs', ['.yaml']],
  ['loras', WEIGHTS],
  ['vae', WEIGHTS],
  ['text_encoders', WEIGHTS],
  ['diffusion_models', WEIGHTS],
  ['clip_vision', WEIGHTS],
  ['style_models', WEIGHTS],
  ['embeddings', WEIGHTS],
  ['diffusers', []],
  ['vae_approx', WEIGHTS],
  ['controlnet', WEIGHTS],
  ['gligen', WEIGHTS],
  ['upscale_models', WEIGHTS],
  ['latent_upscale_models', WEIGHTS],
  ['hypernetworks', WEIGHTS],
  ['photomaker', WEIGHTS],
  ['classifiers', ['']],
  ['model_patches', WEIGHTS],
  ['audio_encoders', WEIGHTS],
]);

/** The folders below `models` that hold the files of one of ComfyUI's folders, in order. */
export function shelfNames(folder: string): readonly string[] {
  return ALIASES.get(folder) ?? [folder];
}

/** A model file as ComfyUI lists it. */
type ListedModel = {
  /** Relative to its folder, with `/`. */
  readonly name: string;
  /** Which of the folder's paths holds it, from 0. */
  readonly pathIndex: number;
  /** Seconds since 1970. */
  readonly modified: number;
  readonly created: number;
  readonly size: number;
};

/** What clients may know of the machine's model folders. */
export type ModelFolders = {
  /** ComfyUI's names of the folders, in its order. */
  readonly names: readonly string[];
  /** The paths of a folder, existing or not; undefined for a name that is none of ComfyUI's. */
  pathsOf(folder: string): readonly string[] | undefined;
  /** The files of a folder, path by path. */
  list(folder: string): Promise<readonly ListedModel[]>;
  /**
   * The real path of a file of a folder by its name, in the first path that has it, or in the one given.
   * Undefined where there is none, also where a link leads out of the configured folders.
   */
  find(folder: string, name: string, pathIndex?: number): Promise<string | undefined>;
};

/**
 * Model folders of ComfyUI's layout. Links may lead from one into another, and a shelf (`models/loras`) may itself be
 * a link; both are the owner's. What a client names never leads elsewhere.
 *
 * @param models folders with the layout of ComfyUI's `models`, in order of precedence.
 * @param merged a folder for checkpoints behind those, which may be made later.
 */
export function createModelFolders(models: readonly string[], merged?: string): ModelFolders {
  const paths = new Map(
    [...FOLDERS.keys()].map((folder) => [
      folder,
      [
        ...models.flatMap((root) => shelfNames(folder).map((name) => resolve(root, name))),
        ...(folder === 'checkpoints' && merged !== undefined ? [resolve(merged)] : []),
      ],
    ]),
  );
  const alsoAllowed = [...new Set([...models, ...[...paths.values()].flat()].flatMap(realOrNone))];

  return {
    names: [...FOLDERS.keys()],
    pathsOf: (folder) => paths.get(folder),

    async list(folder) {
      const endings = FOLDERS.get(folder) ?? [];
      const all: ListedModel[] = [];
      for (const [pathIndex, path] of (paths.get(folder) ?? []).entries()) {
        const root = await realpathOrNone(path);
        if (root === undefined) continue;
        const options = { recurse: true, hidden: false, without: ['.git'], alsoAllowed };
        for (const { kind, path: name, state } of (await listFiles(root, root, options)).entries) {
          if (kind !== 'file' || !endings.includes(extname(name).toLowerCase())) continue;
          const times = { modified: state.mtimeMs / 1000, created: state.ctimeMs / 1000 };
          all.push({ name, pathIndex, ...times, size: state.size });
        }
      }
      return all;
    },

    async find(folder, name, pathIndex) {
      for (const [index, path] of (paths.get(folder) ?? []).entries()) {
        if (pathIndex !== undefined && pathIndex !== index) continue;
        try {
          return await resolveInside(path, name, alsoAllowed);
        } catch (error) {
          // Not here, or not to be named: for a client there is no difference.
          if (!isLineageError(error) || error.code === 'file/unreadable') throw error;
        }
      }
      return undefined;
    },
  };
}

function realOrNone(path: string): string[] {
  try {
    return [realpathSync(path)];
  } catch (error) {
    // Few collections have all of ComfyUI's folders.
    if (UNREACHABLE.has(codeOf(error))) return [];
    throw error;
  }
}

async function realpathOrNone(path: string): Promise<string | undefined> {
  try {
    return await realpath(path);
  } catch (error) {
    if (UNREACHABLE.has(codeOf(error))) return undefined;
    throw error;
  }
}
