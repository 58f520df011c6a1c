import type { FileLeaf, RecipeInput, RecipeTree } from './recipe-tree.ts';

/** Deeper trees are cut: a file may claim any ancestry. */
export const MAX_DEPTH = 64;
const MAX_NODES = 10_000;
/** Of all names and parameters together, as they are written out. */
const MAX_CHARACTERS = 4 << 20;

/** What stands for what was cut. */
const CUT: FileLeaf = { kind: 'file', name: '…' };

/**
 * A tree in which every parent stands wherever it went in, as JSON needs it. A recipe names a parent once and may use it
 * often, so that a hundred lines can unfold to more than any memory holds: beyond ten thousand files and operations, or
 * four million characters, the rest is cut, as it is below a depth of 64.
 *
 * @param tree may share its parts; not modified
 */
export function unfoldTree(tree: RecipeTree): RecipeTree {
  let nodes = 0;
  let characters = 0;

  function take(text: string): string {
    characters += text.length;
    return characters > MAX_CHARACTERS ? '…' : text;
  }

  function fileOf({ licence, ...file }: FileLeaf): FileLeaf {
    return { ...file, name: take(file.name), ...(licence !== undefined && { licence: take(licence) }) };
  }

  function paramsOf(params: readonly (readonly [string, string])[]): (readonly [string, string])[] {
    const kept: (readonly [string, string])[] = [];
    for (const [name, value] of params) {
      kept.push([take(name), take(value)]);
      if (characters > MAX_CHARACTERS) break;
    }
    return kept;
  }

  function unfold(node: RecipeTree, depth: number): RecipeTree {
    nodes += 1;
    if (node.kind === 'file') return fileOf(node);
    if (depth >= MAX_DEPTH) return CUT;
    const name = take(node.name);
    const params = paramsOf(node.params);
    const inputs: RecipeInput[] = [];
    for (const input of node.inputs) {
      if (nodes >= MAX_NODES || characters > MAX_CHARACTERS) {
        inputs.push({ of: CUT });
        break;
      }
      const { role, ...rest } = input;
      const said = role === undefined ? rest : { ...rest, role: take(role) };
      inputs.push({ ...said, of: unfold(input.of, depth + 1) });
    }
    return { ...node, name, ...(node.file && { file: fileOf(node.file) }), params, inputs };
  }

  return unfold(tree, 0);
}
