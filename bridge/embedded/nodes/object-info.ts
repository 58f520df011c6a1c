import type { GraphNode } from '../../../nodes/kit/graph-node.ts';
import type { InputSpec } from '../../../nodes/kit/input-spec.ts';
import { isRecord } from '../../../nodes/kit/is-record.ts';
import { toExactJson } from '../validation/api-error.ts';
import type { NodeTable } from './node-table.ts';

/** A socket that takes the type of what is linked (618b803d comfy_api/latest/_io.py MatchType). */
const MATCHED = 'COMFY_MATCHTYPE_V3';

/** A class of the table. */
type TableNode = GraphNode & { readonly pythonModule: string };

/** What menus of files list. */
export type MenuFiles = {
  /** Of the input folder, for inputs that take an uploaded picture (`image_upload`). */
  readonly pictures: readonly string[];
  /** By folder, for inputs that name a model (`model_folders`). */
  readonly models: ReadonlyMap<string, readonly string[]>;
};
const NO_FILES: MenuFiles = { pictures: [], models: new Map() };

/** The model folders that the classes of a table have menus of. */
export function menuFolders(table: NodeTable): readonly string[] {
  return [...new Set([...table.values()].flatMap((node) => inputsOf(node).flatMap(foldersOf)))];
}

/** JSON of the classes of a table, made once. */
const texts = new WeakMap<TableNode, string>();

/**
 * The JSON text of `GET /object_info`: every class by id.
 *
 * @param files what menus of files list; their classes are written anew each time, all others once
 */
export function objectInfo(table: NodeTable, files: MenuFiles = NO_FILES): string {
  const entries = [...table].map(([id, node]) => `${JSON.stringify(id)}:${textOf(node, files)}`);
  return `{${entries.join(',')}}`;
}

/** The JSON text of `GET /object_info/{class}`: one class by id, or none where there is no such class. */
export function objectInfoOf(table: NodeTable, id: string, files: MenuFiles = NO_FILES): string {
  const node = table.get(id);
  return node ? `{${JSON.stringify(id)}:${textOf(node, files)}}` : '{}';
}

function textOf(node: TableNode, files: MenuFiles): string {
  const known = texts.get(node);
  if (known !== undefined) return known;
  const text = JSON.stringify(describeNode(node, files));
  if (!inputsOf(node).some((spec) => isUpload(spec) || foldersOf(spec).length > 0)) texts.set(node, text);
  return text;
}

/**
 * A class as `/object_info` lists it, in the newest form; old clients ignore the keys that they don't know. Optional
 * keys are there only where ComfyUI sends them. `JSON.stringify` writes its 64-bit integers exactly (`ExactNumber`).
 *
 * @see ComfyUI 618b803d server.py node_info; is_input_list, has_intermediate_output, search_aliases: 002c3fb9
 */
export function describeNode(
  node: TableNode,
  files: MenuFiles = NO_FILES,
): Readonly<Record<string, unknown>> {
  const { outputs } = node;
  const groups = {
    required: describeInputs(node.required, files),
    ...(node.optional && { optional: describeInputs(node.optional, files) }),
    ...(node.hidden && { hidden: node.hidden }),
  };
  return {
    input: groups,
    input_order: Object.fromEntries(
      Object.entries(groups).map(([group, inputs]) => [group, Object.keys(inputs)]),
    ),
    is_input_list: node.inputIsList ?? false,
    output: outputs.map(({ type }) => type),
    output_is_list: outputs.map(({ isList }) => isList ?? false),
    output_name: outputs.map(({ name }) => name),
    name: node.id,
    display_name: node.title,
    description: node.description,
    python_module: node.pythonModule,
    category: node.category,
    output_node: node.terminal ?? false,
    has_intermediate_output: false,
    ...(outputs.some(({ tooltip }) => tooltip !== undefined) && {
      output_tooltips: outputs.map(({ tooltip }) => tooltip ?? null),
    }),
    ...(outputs.some(({ type }) => type === MATCHED) && {
      output_matchtypes: outputs.map(({ type }) => (type === MATCHED ? matchTemplateOf(node) : null)),
    }),
    ...(node.deprecated && { deprecated: true }),
    ...(node.experimental && { experimental: true }),
    search_aliases: [],
  };
}

/** The template that an output shares its type with: the front end names such an output by whatever is linked. */
function matchTemplateOf(node: GraphNode): unknown {
  const templates = inputsOf(node).flatMap(({ type, options }) =>
    type === MATCHED && isRecord(options['template']) ? [options['template']['template_id']] : [],
  );
  return templates[0] ?? null;
}

function inputsOf(node: GraphNode): readonly InputSpec[] {
  return [...Object.values(node.required), ...Object.values(node.optional ?? {})];
}

function describeInputs(
  specs: Readonly<Record<string, InputSpec>>,
  files: MenuFiles,
): Readonly<Record<string, readonly unknown[]>> {
  return Object.fromEntries(Object.entries(specs).map(([name, spec]) => [name, describeInput(spec, files)]));
}

/** `[type, options]`; the words of a menu stand where they are declared: as the type, or among the options. */
function describeInput(spec: InputSpec, { pictures, models }: MenuFiles): readonly unknown[] {
  const { type, options } = spec;
  const folders = foldersOf(spec);
  if (folders.length > 0) {
    const names = new Set(folders.flatMap((folder) => models.get(folder) ?? []));
    return [type, toExactJson({ ...options, options: [...names] })];
  }
  if (!isUpload(spec)) return [type, toExactJson(options)];
  if (typeof type !== 'string') return [pictures, toExactJson(options)];
  return [type, toExactJson({ ...options, options: pictures })];
}

/** Pictures of other folders (`image_folder`) are listed by the client itself. */
function isUpload({ options }: InputSpec): boolean {
  return options['image_upload'] === true && (options['image_folder'] ?? 'input') === 'input';
}

function foldersOf({ options }: InputSpec): readonly string[] {
  const folders = options['model_folders'];
  return Array.isArray(folders) ? folders.filter((folder) => typeof folder === 'string') : [];
}
