import { join } from 'node:path';
import { isLineageError } from '../../nodes/kit/errors.ts';
import type { ModelStore } from '../../nodes/kit/host.ts';
import type { ModelFolder } from '../../nodes/kit/values.ts';
import { type RecipeTree, showRecipeTree } from '../../nodes/merge/provenance/recipe-tree.ts';
import type { RecordData } from '../../nodes/metadata/record.ts';
import { listFiles } from '../local/list-files.ts';
import { isFolderThere, resolveInside } from '../local/resolve-inside.ts';
import { treeOf } from './explain-model.ts';

type Named = RecordData['resources'][number];

/** Kinds of files that may have been merged, and where they lie. */
const FOLDERS: Readonly<Record<string, readonly ModelFolder[]>> = {
  model: ['checkpoints', 'diffusion_models'],
  lora: ['loras'],
  vae: ['vae'],
};

/**
 * The family trees of the merged files that a picture names. A file is the one that was meant where its hash is the
 * picture's: under its name, else under any other in the folders.
 *
 * @param folders with ComfyUI's layout
 * @returns none where nothing that the picture names is here and was merged
 */
export async function findFamilies(
  resources: readonly Named[],
  folders: readonly string[],
  models: ModelStore,
): Promise<readonly RecipeTree[]> {
  const trees: RecipeTree[] = [];
  for (const resource of resources) {
    const file = await findMeant(resource, folders, models);
    const tree = file === undefined ? undefined : await readTree(file);
    if (tree) trees.push(tree);
  }
  return trees;
}

/** Family trees for people; '' where there are none. */
export function showFamilies(trees: readonly RecipeTree[]): string {
  return trees.map((tree) => `Merged from\n${showRecipeTree(tree).replace(/^/gm, '  ')}`).join('\n\n');
}

async function findMeant(
  { kind, name, sha256, bytes }: Named,
  folders: readonly string[],
  models: ModelStore,
): Promise<string | undefined> {
  const kinds = Object.hasOwn(FOLDERS, kind) ? FOLDERS[kind] : undefined;
  if (!kinds || sha256 === undefined) return undefined;
  const isMeant = async (file: string): Promise<boolean> => (await models.hash(file)).sha256 === sha256;
  const lookup = await models.find(name, kinds);
  if (lookup.found && (await isMeant(lookup.file))) return lookup.file;
  for (const folder of folders) {
    for (const file of await filesOfSize(folder, bytes)) if (await isMeant(file)) return file;
  }
  return undefined;
}

async function filesOfSize(folder: string, bytes: number | undefined): Promise<readonly string[]> {
  if (bytes === undefined || !(await isFolderThere(folder))) return [];
  const root = await resolveInside(folder, '');
  const { entries } = await listFiles(root, root, { recurse: true, hidden: false });
  return entries
    .filter(
      ({ kind, name, state }) => kind === 'file' && state.size === bytes && /\.safetensors$/i.test(name),
    )
    .map(({ path }) => join(root, path));
}

/** A file without a recipe, or that is no model, has no parents to tell of. */
async function readTree(file: string): Promise<RecipeTree | undefined> {
  try {
    return await treeOf(file);
  } catch (error) {
    if (isLineageError(error)) return undefined;
    throw error;
  }
}
