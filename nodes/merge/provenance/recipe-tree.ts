import { visibleText } from '../../kit/visible-text.ts';
import { MAX_DEPTH } from './unfold-tree.ts';

/** How a model came to be, whoever wrote it down: a file, or an operation on what came before. */
export type RecipeTree = FileLeaf | OperationNode;

/** A model file that nothing more is known of. */
export type FileLeaf = {
  readonly kind: 'file';
  readonly name: string;
  /** Of the whole file, 64 hexadecimal digits. */
  readonly sha256?: string;
  /** Of the bytes after the header. */
  readonly dataSha256?: string;
  readonly licence?: string;
};

/** One operation, as the tool that did it names it. */
export type OperationNode = {
  readonly kind: 'operation';
  /** The method's id, or the step's type where it is no merge. */
  readonly name: string;
  /** The file that it made, where it is known. */
  readonly file?: FileLeaf;
  /** Name and value, in the order of the recipe. */
  readonly params: readonly (readonly [string, string])[];
  readonly inputs: readonly RecipeInput[];
};

/** What goes into an operation, with the words of the recipe: a weight, a role like `base` or `VAE`. */
export type RecipeInput = { readonly role?: string; readonly weight?: number; readonly of: RecipeTree };

const MAX_LINES = 2_000;

/** The tree for people, one line a file or operation, children indented below. */
export function showRecipeTree(tree: RecipeTree): string {
  const lines: string[] = [];
  let isCut = false;

  function add(node: RecipeTree, prefix: string, label: string, below: string, depth: number): void {
    if (lines.length >= MAX_LINES) {
      isCut = true;
      return;
    }
    lines.push(`${prefix}${visibleText(`${label}${describe(node)}`)}`);
    if (node.kind === 'file') return;
    if (depth >= MAX_DEPTH) {
      lines.push(`${below}└─ …`);
      return;
    }
    node.inputs.forEach(({ role, weight, of }, index) => {
      const isLast = index === node.inputs.length - 1;
      const words = [role, weight === undefined ? undefined : String(weight)].filter((word) => word);
      const said = words.length > 0 ? `${words.join(' ')}  ` : '';
      add(of, `${below}${isLast ? '└─ ' : '├─ '}`, said, `${below}${isLast ? '   ' : '│  '}`, depth + 1);
    });
  }

  add(tree, '', '', '', 0);
  if (isCut) lines.push(`… more than ${MAX_LINES} lines`);
  return lines.join('\n');
}

function describe(node: RecipeTree): string {
  if (node.kind === 'file') return describeFile(node);
  const params = node.params.map(([name, value]) => `${name}=${value}`).join(' ');
  const made = node.file ? `${describeFile(node.file)}  =  ` : '';
  return `${made}${node.name}${params ? `  (${params})` : ''}`;
}

function describeFile({ name, sha256, dataSha256, licence }: FileLeaf): string {
  const hash = sha256 ?? dataSha256;
  const parts = [name, hash && `[${hash.slice(0, 10)}]`, licence && `licence ${licence}`];
  return parts.filter((part) => part).join(' ');
}
