import { isRecord } from '../../kit/is-record.ts';
import type { FileLeaf, RecipeInput, RecipeTree } from './recipe-tree.ts';

/** Deeper ancestries are cut; a file may claim any. */
const MAX_DEPTH = 32;
/** Texts of model files; the largest ancestries that were met take some hundred KB. */
const MAX_CHARACTERS = 16 << 20;
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
  return treeOf(parsed, { known: isRecord(known) ? known : {}, made: new Map(), depth: 0 });
}

type Ancestry = {
  readonly known: Readonly<Record<string, unknown>>;
  /** By hash, each parent once, however often it went in; one that is being made is a leaf: it goes in a circle. */
  readonly made: Map<string, RecipeTree>;
  readonly depth: number;
};

function treeOf(recipe: Readonly<Record<string, unknown>>, ancestry: Ancestry, file?: FileLeaf): RecipeTree {
  const inputs = LETTERS.flatMap((letter, index): RecipeInput[] => {
    const hash = recipe[HASHES[index] ?? ''];
    const name = recipe[MODELS[index] ?? ''];
    const named = typeof name === 'string' && name !== '' ? name : undefined;
    if (typeof hash === 'string' && hash !== '')
      return [{ role: letter, of: parentOf(hash, named, ancestry) }];
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

function parentOf(hash: string, named: string | undefined, { known, made, depth }: Ancestry): RecipeTree {
  const before = made.get(hash);
  if (before) return before;
  const entry = Object.hasOwn(known, hash) ? known[hash] : undefined;
  const own = isRecord(entry) ? entry : {};
  const name = typeof own['name'] === 'string' ? own['name'] : (named ?? 'unknown');
  const leaf: FileLeaf = { kind: 'file', name, ...(/^[0-9a-f]{64}$/.test(hash) && { sha256: hash }) };
  const recipe = own['sd_merge_recipe'];
  const parsed = typeof recipe === 'string' ? parse(recipe) : recipe;
  // Without an entry of its own it is called as whoever used it says.
  if (!isRecord(parsed) || depth >= MAX_DEPTH) return leaf;
  made.set(hash, leaf);
  const tree = treeOf(parsed, { known, made, depth: depth + 1 }, leaf);
  made.set(hash, tree);
  return tree;
}

function isWorthSaying(value: unknown): boolean {
  return value !== null && value !== undefined && value !== '' && value !== false;
}

function parse(text: string | undefined): unknown {
  try {
    return text === undefined || text.length > MAX_CHARACTERS ? undefined : JSON.parse(text);
  } catch {
    return undefined;
  }
}
