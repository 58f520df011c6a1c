import { isRecord } from '../../kit/is-record.ts';
import type { MergeRecord, MergeSource } from './merge-record.ts';
import type { FileLeaf, OperationNode, RecipeInput, RecipeTree } from './recipe-tree.ts';
import { MAX_DEPTH } from './unfold-tree.ts';

/** Keys of a step that are told by the tree itself, or tell nothing of how the result came to be. */
const TOLD = new Set([
  'id',
  'type',
  'method',
  'models',
  'model',
  'loras',
  'embeddings',
  'base',
  'vae',
  'adapters',
  'output',
  'description',
  'dependencies',
]);

/**
 * The family tree that a record tells: its last step, what went in, and the records of the sources below. What went in
 * more than once is one node, in all its places.
 */
export function recordTree(record: MergeRecord, file: FileLeaf): RecipeTree {
  return treeOf(record, 0, file);
}

type Context = {
  readonly record: MergeRecord;
  readonly steps: ReadonlyMap<string, Readonly<Record<string, unknown>>>;
  /** Steps of the record and their trees; a step that is being made is a leaf: the recipe goes in a circle. */
  readonly made: Map<string, RecipeTree>;
  /** Sources of the record and their trees. */
  readonly sources: Map<MergeSource, RecipeTree>;
  readonly depth: number;
};

function treeOf(record: MergeRecord, depth: number, file: FileLeaf): RecipeTree {
  const context = { record, steps: stepsOf(record.recipe), made: new Map(), sources: new Map(), depth };
  const tree = stepTree(record.step, context);
  return tree.kind === 'file' ? tree : { ...tree, file };
}

function stepTree(id: string, context: Context): RecipeTree {
  const leaf: FileLeaf = { kind: 'file', name: id };
  const step = context.steps.get(id);
  if (!step || context.depth > MAX_DEPTH) return leaf;
  const before = context.made.get(id);
  if (before) return before;
  context.made.set(id, leaf);
  const inputs = [
    ...referencesOf(step['models'], undefined, context),
    ...referencesOf(step['model'], undefined, context),
    ...referencesOf(step['base'], 'base', context),
    ...referencesOf(step['loras'], 'LoRA', context),
    ...referencesOf(step['embeddings'], undefined, context),
    ...referencesOf(step['vae'], 'VAE', context),
  ];
  const method = step['method'];
  const type = typeof step['type'] === 'string' ? step['type'] : 'merge';
  const name = typeof method === 'string' ? method : type;
  const tree: OperationNode = {
    kind: 'operation',
    name: `${name} (step ${id})`,
    params: Object.entries(step)
      .filter(([key]) => !TOLD.has(key))
      .map(([key, value]): [string, string] => [
        key,
        typeof value === 'string' ? value : JSON.stringify(value),
      ]),
    inputs,
  };
  context.made.set(id, tree);
  return tree;
}

function referencesOf(value: unknown, role: string | undefined, context: Context): RecipeInput[] {
  if (value === undefined) return [];
  const list = Array.isArray(value) ? value : [value];
  return list.flatMap((each): RecipeInput[] => {
    const reference = typeof each === 'string' ? { path: each } : each;
    if (!isRecord(reference)) return [];
    const weight = reference['weight'] ?? reference['strength'];
    const said = { ...(role !== undefined && { role }), ...(typeof weight === 'number' && { weight }) };
    if (typeof reference['step'] === 'string') {
      const of = stepTree(reference['step'], { ...context, depth: context.depth + 1 });
      return [{ ...said, of }];
    }
    const source = sourceOf(reference['path'], context.record.sources);
    return source ? [{ ...said, of: sourceTree(source, context) }] : [];
  });
}

function sourceTree(source: MergeSource, { sources, depth: above }: Context): RecipeTree {
  const before = sources.get(source);
  if (before) return before;
  const { name, sha256, dataSha256, licence, record } = source;
  const leaf: FileLeaf = {
    kind: 'file',
    name,
    dataSha256,
    ...(sha256 !== undefined && { sha256 }),
    ...(licence !== undefined && { licence }),
  };
  const depth = above + 1;
  const tree = record && depth <= MAX_DEPTH ? treeOf(record, depth, leaf) : leaf;
  sources.set(source, tree);
  return tree;
}

function sourceOf(path: unknown, sources: readonly MergeSource[]): MergeSource | undefined {
  const index = typeof path === 'string' ? /^source:(\d+)$/.exec(path)?.[1] : undefined;
  return index === undefined ? undefined : sources[Number(index)];
}

/** The steps by id, wherever branches and loops hold them. */
function stepsOf(recipe: unknown): ReadonlyMap<string, Readonly<Record<string, unknown>>> {
  const found = new Map<string, Readonly<Record<string, unknown>>>();
  const look = (value: unknown, depth: number): void => {
    if (depth > MAX_DEPTH) return;
    if (Array.isArray(value)) for (const each of value) look(each, depth + 1);
    else if (isRecord(value)) {
      if (typeof value['id'] === 'string') found.set(value['id'], value);
      for (const each of Object.values(value)) if (typeof each === 'object') look(each, depth + 1);
    }
  };
  look(recipe, 0);
  return found;
}
