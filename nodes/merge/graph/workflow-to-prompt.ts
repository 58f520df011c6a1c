import type { ApiLink, ApiNode, ApiPrompt } from '../../kit/api-prompt.ts';
import { readWidgetValues } from '../../kit/canvas-inputs.ts';
import { LineageError } from '../../kit/errors.ts';
import { isRecord } from '../../kit/is-record.ts';
import { findMergeNode } from './merge-nodes.ts';

/** `mode` of a node on the canvas: it runs. Others are muted, or bypassed. */
const RUNS = 0;
/** Longer rows of reroutes are a circle. */
const MAX_REROUTES = 100;

/** A workflow as the canvas saves it, its parts not looked at yet. */
export type CanvasWorkflow = {
  readonly nodes: readonly unknown[];
  readonly links?: unknown;
  readonly definitions?: unknown;
};

/** Whether a document is a workflow as the canvas saves it, rather than a prompt graph. */
export function isWorkflow(document: unknown): document is CanvasWorkflow {
  return isRecord(document) && Array.isArray(document['nodes']);
}

/**
 * The merge nodes of a saved workflow as a prompt graph, as the canvas would queue them. Nodes of other packs keep
 * their class, and nothing else: no merge needs them. Reroutes are followed; nodes that do not run are left out.
 *
 * @throws LineageError `merge/graph` for a merge node whose widgets are not those of this version, and for a link from a
 *   node that does not run
 */
export function workflowToPrompt(workflow: CanvasWorkflow): ApiPrompt {
  const nodes = new Map(
    workflow.nodes.flatMap((node) => readNode(node) ?? []).map((node) => [node.id, node]),
  );
  const origins = readLinks(workflow.links);
  const subgraphs = readSubgraphs(workflow.definitions);

  function follow(link: unknown, target: string): ApiLink {
    let origin = origins.get(String(link));
    for (let hops = 0; hops < MAX_REROUTES; hops++) {
      const node = origin && nodes.get(origin[0]);
      if (!origin || !node)
        throw wrong(target, 'a link that comes from a node', 'one that comes from nowhere');
      if (node.mode !== RUNS) throw wrong(node.id, 'a node that runs', 'one that is muted or bypassed');
      if (node.type !== 'Reroute') return origin;
      origin = origins.get(String(node.inputs[0]?.link));
    }
    throw wrong(target, 'a link that comes from a node', 'reroutes in a circle');
  }

  function toApiNode(node: CanvasNode): ApiNode {
    const definition = findMergeNode(node.type);
    const name = subgraphs.get(node.type);
    if (!definition)
      return { class_type: name === undefined ? node.type : `the subgraph "${name}"`, inputs: {} };
    const values = readWidgetValues(definition, node.values);
    if (!values) throw wrong(node.id, `the widgets of ${definition.title}`, `${node.values.length} values`);
    const links = node.inputs.flatMap(({ name: input, link }) =>
      link === null ? [] : [[input, follow(link, node.id)] as const],
    );
    return { class_type: node.type, inputs: { ...values, ...Object.fromEntries(links) } };
  }

  const running = [...nodes.values()].filter(({ mode, type }) => mode === RUNS && type !== 'Reroute');
  return Object.fromEntries(running.map((node) => [node.id, toApiNode(node)]));
}

/** A node as the canvas saves it, as far as it matters. */
type CanvasNode = {
  readonly id: string;
  readonly type: string;
  readonly mode: unknown;
  /** Sockets, and widgets that are sockets too; `link` is null where nothing is connected. */
  readonly inputs: readonly { readonly name: string; readonly link: unknown }[];
  readonly values: readonly unknown[];
};

function readNode(node: unknown): CanvasNode | undefined {
  if (!isRecord(node) || typeof node['type'] !== 'string') return undefined;
  const { id, type, mode = RUNS, inputs, widgets_values: values } = node;
  if (typeof id !== 'number' && typeof id !== 'string') return undefined;
  const sockets = Array.isArray(inputs) ? inputs.filter(isRecord) : [];
  return {
    id: String(id),
    type,
    mode,
    inputs: sockets.map(({ name, link }) => ({ name: String(name), link: link ?? null })),
    values: Array.isArray(values) ? values : [],
  };
}

/** Where each link comes from. The canvas has saved links as lists (version 0.4) and as objects (version 1). */
function readLinks(links: unknown): ReadonlyMap<string, ApiLink> {
  const origins = new Map<string, ApiLink>();
  for (const link of Array.isArray(links) ? links : []) {
    const [id, from, slot] = isRecord(link)
      ? [link['id'], link['origin_id'], link['origin_slot']]
      : Array.isArray(link)
        ? link
        : [];
    if (from !== undefined && typeof slot === 'number') origins.set(String(id), [String(from), slot]);
  }
  return origins;
}

/** The names of subgraphs by the type that their nodes have. */
function readSubgraphs(definitions: unknown): ReadonlyMap<string, string> {
  const subgraphs = isRecord(definitions) ? definitions['subgraphs'] : undefined;
  const known = Array.isArray(subgraphs) ? subgraphs.filter(isRecord) : [];
  return new Map(known.map(({ id, name }) => [String(id), String(name)]));
}

function wrong(node: string, expected: string, got: string): LineageError {
  return new LineageError('merge/graph', `expected ${expected}, got ${got}`, { node });
}
