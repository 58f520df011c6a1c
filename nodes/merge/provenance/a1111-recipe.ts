import { isRecord } from '../../kit/is-record.ts';
import type { FileLeaf, RecipeInput, RecipeTree } from './recipe-tree.ts';

/** Deeper ancestries are cut; a file may claim any, also one that goes in a circle. */
const MAX_DEPTH = 32;
/** Fields that name what was merged; all others are parameters. */
const HASHES = ['primary_model_hash', 'secondary_model_hash', 'tertiary_model_hash'];
const MODELS = ['model_a', 'model_b', 'model_c'];
const LETTERS = ['A', 'B', 'C'];

/**
 * Reads how A1111, supermerger, Forge and SD.Next say that a model was merged.
 *
 * @param recipe the text of `sd_merge_recipe`
 * @param models the text of `sd_merge_models`: by SHA-256 the name and the own recipe of each parent
 * @returns undefined where the texts are no recipe
 */
export function readA1111Recipe(
  recipe: string | undefined,
  models: string | undefined,
): RecipeTree | undefined {
  const parsed = parse(recipe);
  if (!isRecord(parsed)) return undefined;
  const known = parse(models);
  return treeOf(parsed, isRecord(known) ? known : {}, undefined, []);
}

function treeOf(
  recipe: Readonly<Record<string, unknown>>,
  known: Readonly<Record<string, unknown>>,
  file: FileLeaf | undefined,
  above: readonly string[],
): RecipeTree {
  const inputs = LETTERS.flatMap((letter, index): RecipeInput[] => {
    const hash = recipe[HASHES[index] ?? ''];
    const name = recipe[MODELS[index] ?? ''];
    const named = typeof name === 'string' && name !== '' ? name : undefined;
    if (typeof hash === 'string' && hash !== '')
      return [{ role: letter, of: parentOf(hash, named, known, above) }];
    return named === undefined ? [] : [{ role: letter, of: { kind: 'file', name: named } }];
  });
  const method = [recipe['interp_method'], recipe['mode'], recipe['type']].find(
    (each) => typeof each === 'string',
  );
  const params = Object.entries(recipe)
    .filter(([key, value]) => !HASHES.includes(key) && !MODELS.includes(key) && isWorthSaying(value))
    .filter(([, value]) => value !== method)
    .map(([key, value]): [string, string] => [
      key,
      typeof value === 'string' ? value : JSON.stringify(value),
    ]);
  return {
    kind: 'operation',
    name: typeof method === 'string' ? method : 'merge',
    ...(file && { file }),
    params,
    inputs,
  };
}

function parentOf(
  hash: string,
  named: string | undefined,
  known: Readonly<Record<string, unknown>>,
  above: readonly string[],
): RecipeTree {
  const entry = Object.hasOwn(known, hash) ? known[hash] : undefined;
  const own = isRecord(entry) ? entry : {};
  const name = typeof own['name'] === 'string' ? own['name'] : (named ?? 'unknown');
  const leaf: FileLeaf = { kind: 'file', name, ...(/^[0-9a-f]{64}$/.test(hash) && { sha256: hash }) };
  const recipe = own['sd_merge_recipe'];
  const parsed = typeof recipe === 'string' ? parse(recipe) : recipe;
  if (!isRecord(parsed) || above.includes(hash) || above.length >= MAX_DEPTH) return leaf;
  return treeOf(parsed, known, leaf, [...above, hash]);
}

function isWorthSaying(value: unknown): boolean {
  return value !== null && value !== undefined && value !== '' && value !== false;
}

function parse(text: string | undefined): unknown {
  try {
    return text === undefined ? undefined : JSON.parse(text);
  } catch {
    return undefined;
  }
}
