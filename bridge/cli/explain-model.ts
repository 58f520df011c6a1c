import { basename, dirname, extname, join } from 'node:path';
import { isLineageError, LineageError } from '../../nodes/kit/errors.ts';
import { readA1111Recipe } from '../../nodes/merge/provenance/a1111-recipe.ts';
import { parseMechaRecipe } from '../../nodes/merge/provenance/mecha-recipe.ts';
import { MERGE_RECORD_KEY, readMergeRecord } from '../../nodes/merge/provenance/merge-record.ts';
import { readMergekitConfig } from '../../nodes/merge/provenance/mergekit-config.ts';
import { type RecipeTree, showRecipeTree } from '../../nodes/merge/provenance/recipe-tree.ts';
import { recordTree } from '../../nodes/merge/provenance/record-tree.ts';
import { unfoldTree } from '../../nodes/merge/provenance/unfold-tree.ts';
import { readHead } from '../local/read-file.ts';
import { openWeights } from '../merge/open-weights.ts';
import { readManifestFile } from '../pipeline/read-manifest-file.ts';
import type { Terminal } from './terminal.ts';

/** mergekit leaves its configuration beside the models it makes. */
const MERGEKIT_FILE = 'mergekit_config.yml';

/** Whether a file is a model, or a recipe of another tool: what is no picture. */
export async function isModelFile(file: string): Promise<boolean> {
  return ['.mecha', '.yml', '.yaml'].includes(extname(file).toLowerCase()) || (await isWeightsFile(file));
}

/** Whether a file begins as a safetensors file does, or is called like the index of a sharded one. */
export async function isWeightsFile(file: string): Promise<boolean> {
  if (file.toLowerCase().endsWith('.safetensors.index.json')) return true;
  const head = Buffer.from((await headOf(file, 9)) ?? []);
  // The length of a header, below 4 GiB, and the brace that it begins with.
  return head.length === 9 && head.readUInt32LE(4) === 0 && head[8] === 0x7b;
}

/**
 * Prints the family tree of a model: from our own record, else from what A1111, sd-mecha or mergekit wrote down.
 *
 * @throws LineageError `explain/no-recipe` where there is nothing to tell
 */
export async function explainModel(file: string, asJson: boolean, { print }: Terminal): Promise<void> {
  const tree = await treeOf(file);
  if (!tree)
    throw new LineageError('explain/no-recipe', 'expected a record of how the model came to be, got none', {
      file,
    });
  print(asJson ? JSON.stringify({ file, tree }) : showRecipeTree(tree));
}

/** How a model came to be, from whoever wrote it down; undefined where nobody did. */
export async function treeOf(file: string): Promise<RecipeTree | undefined> {
  const tree = await readTree(file);
  return tree && unfoldTree(tree);
}

async function readTree(file: string): Promise<RecipeTree | undefined> {
  const extension = extname(file).toLowerCase();
  if (extension === '.mecha')
    return parseMechaRecipe(new TextDecoder().decode(await readHead(file, MAX_RECIPE)));
  if (extension === '.yml' || extension === '.yaml') return readMergekitConfig(await readManifestFile(file));
  const { metadata } = await openWeights(file);
  const record = readMergeRecord(metadata.get(MERGE_RECORD_KEY));
  const hash = /^0x([0-9a-f]{64})$/.exec(metadata.get('modelspec.hash_sha256') ?? '')?.[1];
  if (record)
    return recordTree(record, {
      kind: 'file',
      name: basename(file),
      ...(hash !== undefined && { dataSha256: hash }),
    });
  const mecha = metadata.get('mecha_recipe');
  if (mecha !== undefined) return parseMechaRecipe(mecha);
  return readA1111Recipe(metadata.get('sd_merge_recipe'), metadata.get('sd_merge_models')) ?? besides(file);
}

const MAX_RECIPE = 16 * 1024 * 1024;

async function besides(file: string): Promise<RecipeTree | undefined> {
  const config = join(dirname(file), MERGEKIT_FILE);
  return (await headOf(config, 1)) && readMergekitConfig(await readManifestFile(config));
}

/** Undefined where no such file is there. @throws LineageError `file/unreadable` */
async function headOf(file: string, bytes: number): Promise<Uint8Array | undefined> {
  try {
    return await readHead(file, bytes);
  } catch (error) {
    if (isLineageError(error, 'file/missing')) return undefined;
    throw error;
  }
}
