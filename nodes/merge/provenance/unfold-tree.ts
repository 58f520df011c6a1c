import type { FileLeaf, RecipeInput, RecipeTree } from './recipe-tree.ts';

/** Deeper trees are cut: a file may claim any ancestry. */
export const MAX_DEPTH = 64;
const MAX_NODES = 10_000;
/** Of all parameters together. */
const MAX_CHARACTERS = 4 << 20;

/** What stands for what was cut. */
const CUT: FileLeaf = { kind: 'file', name: '…' };

/**
 * A tree in which every parent stands wherever it went in, as JSON needs it. A recipe names a parent once and may use it
 * often, so that a hundred lines can unfold to more than any memory holds: beyond ten thousand files and operations the
 * rest is cut, as it is below a depth of 64.
 *
 * @param tree may share its parts; not modified
 */
export function unfoldTree(tree: RecipeTree): RecipeTree {
  let nodes = 0;
  let characters = 0;

  function paramsOf(params: readonly (readonly [string, string])[]): (readonly [string, string])[] {
    const kept: (readonly [string, string])[] = [];
    for (const [name, value] of params) {
      characters += name.length + value.length;
      if (characters > MAX_CHARACTERS) return [...kept, ['…', '…']];
      kept.push([name, value]);
    }
    return kept;
  }

  function unfold(node: RecipeTree, depth: number): RecipeTree {
    nodes += 1;
    if (node.kind === 'file') return node;
    if (depth >= MAX_DEPTH) return CUT;
    const params = paramsOf(node.params);
    const inputs: RecipeInput[] = [];
    for (const input of node.inputs) {
      if (nodes >= MAX_NODES) {
        inputs.push({ of: CUT });
        break;
      }
      inputs.push({ ...input, of: unfold(input.of, depth + 1) });
    }
    return { ...node, params, inputs };
  }

  return unfold(tree, 0);
}
