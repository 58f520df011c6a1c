import { ExactNumber } from '../kit/exact-json.ts';
import { isRecord } from '../kit/is-record.ts';
import type { Evaluator } from './evaluate.ts';
import { bareGraph, type NodeId, type PromptGraph } from './graph.ts';
import { asText } from './operations.ts';

/** The value of a widget by the name of its node, as `%Node.widget%` asks for it; undefined where there is none. */
export type NamedWidgets = (node: string, widget: string) => string | undefined;

/** What the widgets of a graph are looked up in. */
type WidgetSources = {
  readonly graph: PromptGraph;
  /** Values that come over a link. */
  readonly evaluator: Evaluator;
  /** The document the graph was parsed of, for the titles in it; untrusted. */
  readonly prompt: unknown;
  /** The workflow in the editor's format, where the client sent it; untrusted. */
  readonly workflow: unknown;
};

/** A node that a name may mean. */
type Named = {
  readonly id: NodeId;
  /** The name for search and replace; a node that was never renamed has that of its class. */
  readonly searchName: string;
  readonly title: string;
  /** As the editor keeps them: a list without names, or by name. */
  readonly values: unknown;
};

/** Subgraphs inside subgraphs; deeper is no workflow that an editor made. */
const MAX_SUBGRAPH_DEPTH = 16;
/** Definitions that hold each other multiply; a workflow that people made has some thousands of nodes. */
const MAX_NODES = 100_000;

/**
 * Finds widgets as ComfyUI's front end does for its own saving nodes: by the name for search and replace, else by the
 * title. Of several nodes of one name the first counts that has such a widget. A node that exists in the editor only
 * (a primitive) has the one widget `value`.
 *
 * @see https://github.com/Comfy-Org/ComfyUI_frontend/blob/03389bac/src/utils/searchAndReplace.ts
 */
export function findNamedWidgets({ graph, evaluator, prompt, workflow }: WidgetSources): NamedWidgets {
  let nodes: readonly Named[] | undefined;
  const read = ({ id, values }: Named, widget: string): string | undefined => {
    const node = graph.get(id);
    const found = node && evaluator.input(node, widget)?.value;
    if (found !== undefined) return shown(found);
    if (isRecord(values)) return shown(values[widget]);
    return node === undefined && widget === 'value' && Array.isArray(values) ? shown(values[0]) : undefined;
  };
  return (name, widget) => {
    nodes ??= [...nodesOfWorkflow(workflow), ...nodesOfPrompt(prompt)];
    const bySearchName = nodes.filter(({ searchName }) => searchName === name);
    const meant = bySearchName.length > 0 ? bySearchName : nodes.filter(({ title }) => title === name);
    for (const each of meant) {
      const value = read(each, widget);
      if (value !== undefined) return value;
    }
    return undefined;
  };
}

/** The nodes of a workflow and of its subgraphs, with the ids that the prompt graph has. */
function nodesOfWorkflow(workflow: unknown): Named[] {
  const found: Named[] = [];
  if (!isRecord(workflow)) return found;
  const definitions = workflow['definitions'];
  const subgraphs = isRecord(definitions) ? listOf(definitions['subgraphs']) : [];
  const byId = new Map(subgraphs.map((each) => [plainText(each['id']), listOf(each['nodes'])]));
  const walk = (nodes: readonly Readonly<Record<string, unknown>>[], above: string, depth: number): void => {
    if (depth > MAX_SUBGRAPH_DEPTH) return;
    for (const node of nodes) {
      if (found.length >= MAX_NODES) return;
      const id = above + plainText(node['id']);
      const type = plainText(node['type']);
      const properties = node['properties'];
      const searchName = isRecord(properties) ? plainText(properties['Node name for S&R']) : '';
      found.push({ id, searchName, title: plainText(node['title']), values: node['widgets_values'] });
      walk(byId.get(type) ?? [], `${id}:`, depth + 1);
    }
  };
  walk(listOf(workflow['nodes']), '', 0);
  return found;
}

/** API clients send no workflow; the titles stand in the graph itself. */
function nodesOfPrompt(prompt: unknown): Named[] {
  const bare = bareGraph(prompt);
  return Object.entries(isRecord(bare) ? bare : {}).flatMap(([id, node]) => {
    if (!isRecord(node)) return [];
    const meta = node['_meta'];
    const title = isRecord(meta) ? plainText(meta['title']) : '';
    return [{ id, searchName: plainText(node['class_type']), title, values: undefined }];
  });
}

function listOf(value: unknown): readonly Readonly<Record<string, unknown>>[] {
  return Array.isArray(value) ? value.filter(isRecord) : [];
}

function plainText(value: unknown): string {
  return typeof value === 'string' || typeof value === 'number' ? String(value) : shownNumber(value);
}

function shownNumber(value: unknown): string {
  return value instanceof ExactNumber ? value.text : '';
}

/** A value as a name can hold it; lists and objects are none. */
function shown(value: unknown): string | undefined {
  if (value instanceof ExactNumber) return asText(value);
  return ['string', 'number', 'boolean'].includes(typeof value) ? String(value) : undefined;
}
