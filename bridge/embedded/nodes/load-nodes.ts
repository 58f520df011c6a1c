import { readdir } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { AnyNode } from '../../../nodes/kit/define-node.ts';
import { LineageError } from '../../../nodes/kit/errors.ts';
import type { GraphNode } from '../../../nodes/kit/graph-node.ts';
import { isRecord } from '../../../nodes/kit/is-record.ts';
import { reasonOf } from '../../local/system-error.ts';
import { adaptNode } from './adapt-node.ts';

/** A node of a folder that the machine's owner named, and the file that it came from. */
export type LoadedNode = { readonly node: GraphNode; readonly file: string; readonly folder: string };

/**
 * Loads every `.ts`, `.mjs` and `.js` file of a folder as code of this process: the folder is the owner's choice at
 * the start, never a client's. Subfolders and files that start with `_` or `.` are left out.
 *
 * @returns the nodes in the order of the files' names
 * @throws LineageError `nodes/unloadable` naming the folder or file
 */
export async function loadNodes(folder: string): Promise<LoadedNode[]> {
  const root = resolve(folder);
  const loaded: LoadedNode[] = [];
  for (const name of await listNodeFiles(root)) {
    const file = join(root, name);
    for (const node of await loadFile(file)) loaded.push({ node, file, folder: basename(root) });
  }
  return loaded;
}

async function listNodeFiles(folder: string): Promise<string[]> {
  try {
    const entries = await readdir(folder, { withFileTypes: true });
    return entries
      .filter((entry) => !entry.isDirectory() && /^[^._].*\.(?:ts|mjs|js)$/.test(entry.name))
      .filter(({ name }) => !name.endsWith('.d.ts'))
      .map(({ name }) => name)
      .sort();
  } catch (cause) {
    const message = `expected a readable folder, got: ${reasonOf(cause)}`;
    throw new LineageError('nodes/unloadable', message, { file: folder }, { cause });
  }
}

async function loadFile(file: string): Promise<GraphNode[]> {
  let module: { readonly default?: unknown };
  try {
    module = await import(/* @vite-ignore */ pathToFileURL(file).href);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message.replace(/\s+/g, ' ') : String(cause);
    throw new LineageError('nodes/unloadable', `expected a module, got: ${reason}`, { file }, { cause });
  }
  const exported: unknown = module.default;
  return (Array.isArray(exported) ? exported : [exported]).map((each: unknown) => {
    if (isGraphNode(each)) return each;
    if (isDefinedNode(each)) return adaptNode(each);
    const message = `expected a default export of nodes, got ${describeExport(each)}`;
    throw new LineageError('nodes/unloadable', message, { file });
  });
}

function describeExport(value: unknown): string {
  if (!isRecord(value)) return value === undefined ? 'none' : `a ${typeof value}`;
  return `an object with ${Object.keys(value).join(', ') || 'nothing'}`;
}

function hasNodeTexts(value: Readonly<Record<string, unknown>>): boolean {
  const texts = [value['id'], value['title'], value['category'], value['description']];
  return (
    texts.every((text) => typeof text === 'string') &&
    value['id'] !== '' &&
    typeof value['run'] === 'function'
  );
}

function isGraphNode(value: unknown): value is GraphNode {
  if (!isRecord(value) || !hasNodeTexts(value)) return false;
  const { required, optional = {}, outputs } = value;
  const specs = [required, optional].flatMap((group) =>
    isRecord(group) ? Object.values(group) : [undefined],
  );
  return specs.every(isInputSpec) && Array.isArray(outputs) && outputs.every(isOutput);
}

function isInputSpec(value: unknown): boolean {
  if (!isRecord(value) || !isRecord(value['options'])) return false;
  return typeof value['type'] === 'string' || Array.isArray(value['type']);
}

function isOutput(value: unknown): boolean {
  return isRecord(value) && typeof value['type'] === 'string';
}

function isDefinedNode(value: unknown): value is AnyNode {
  if (!isRecord(value) || !hasNodeTexts(value) || !isRecord(value['inputs'])) return false;
  const { inputs, outputs } = value;
  const fields = Object.values(inputs);
  return (
    fields.every((field) => isRecord(field) && typeof field['kind'] === 'string') &&
    isRecord(outputs) &&
    Object.values(outputs).every(isOutput)
  );
}
