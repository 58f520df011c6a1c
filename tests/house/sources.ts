import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseAst } from 'vitest/node';

/** The repository's root. */
const ROOT = new URL('../../', import.meta.url);

/** A node of an ESTree syntax tree; TypeScript's own nodes start with `TS`. */
export type SyntaxNode = {
  readonly type: string;
  readonly start: number;
  readonly end: number;
  readonly [key: string]: unknown;
};

/** A file below the root, read. `path` has forward slashes. */
export type Source = { readonly path: string; readonly text: string };

/** What Node would run; everything else in a ring is data or prose. */
const CODE = /\.[cm]?[jt]sx?$/;

/** Paths of all files in a folder and below, relative to the root. */
function listFiles(folder: string): string[] {
  const at = new URL(`${folder}/`, ROOT);
  // A ring that has no files yet has no folder either.
  if (!existsSync(at)) return [];
  return (
    readdirSync(at, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => relative(fileURLToPath(ROOT), join(entry.parentPath, entry.name)).replaceAll('\\', '/'))
      // AssemblyScript decorates functions, which no parser of TypeScript takes.
      .filter((path) => !/node_modules\/|kernels\/assembly\//.test(path))
      .sort()
  );
}

export function readSources(...folders: readonly string[]): Source[] {
  return folders
    .flatMap(listFiles)
    .filter((path) => CODE.test(path))
    .map((path) => ({ path, text: readText(path) }));
}

export function readText(path: string): string {
  return readFileSync(new URL(path, ROOT), 'utf8');
}

export function parseSource({ path, text }: Source): SyntaxNode {
  const program: unknown = parseAst(text, { lang: langOf(path) });
  if (!isSyntaxNode(program)) throw new Error(`${path}: expected a syntax tree`);
  return program;
}

function langOf(path: string): 'dts' | 'ts' | 'js' {
  if (path.endsWith('.d.ts')) return 'dts';
  return path.endsWith('ts') ? 'ts' : 'js';
}

function isSyntaxNode(value: unknown): value is SyntaxNode {
  return typeof value === 'object' && value !== null && 'type' in value && typeof value.type === 'string';
}

/** A node's child of that name, where it is a node. */
export function child(node: SyntaxNode, name: string): SyntaxNode | undefined {
  const value = node[name];
  return isSyntaxNode(value) ? value : undefined;
}

/** A node's children of that name: a list, with what is no node left out. */
export function children(node: SyntaxNode, name: string): SyntaxNode[] {
  const value = node[name];
  return Array.isArray(value) ? value.filter(isSyntaxNode) : [];
}

/** Every node below and including `root`, parents first, with its parent. */
export function* walkSyntax(
  root: SyntaxNode,
  parent?: SyntaxNode,
): Generator<{ node: SyntaxNode; parent: SyntaxNode | undefined }> {
  yield { node: root, parent };
  for (const value of Object.values(root)) {
    for (const each of Array.isArray(value) ? value : [value]) {
      if (isSyntaxNode(each)) yield* walkSyntax(each, root);
    }
  }
}

/** The text of a string, or of a template without expressions. */
export function literalText(node: SyntaxNode | undefined): string | undefined {
  if (node?.type === 'Literal') return typeof node['value'] === 'string' ? node['value'] : undefined;
  if (node?.type !== 'TemplateLiteral' || children(node, 'expressions').length > 0) return undefined;
  const value = children(node, 'quasis')[0]?.['value'];
  return typeof value === 'object' && value !== null && 'cooked' in value ? String(value.cooked) : undefined;
}

export function isNamed(node: SyntaxNode | undefined, name: string): boolean {
  return node?.type === 'Identifier' && node['name'] === name;
}
