import { isRecord } from '../kit/is-record.ts';
import type { NodeId } from './graph.ts';

/** What a node can be marked as in the workflow's `properties`, under `lineage.pin`. */
export type PinKind = 'sampler';

const PIN_PROPERTY = 'lineage.pin';
/** Subgraphs inside subgraphs; deeper is no workflow that an editor made. */
const MAX_SUBGRAPH_DEPTH = 16;

/**
 * The id, as the prompt graph spells it (`57:8`), of the node that a workflow marks. The workflow is untrusted:
 * what is not shaped like one is skipped. Every definition of a subgraph is looked into once, however often it is used.
 */
export function findPin(workflow: unknown, kind: PinKind): NodeId | undefined {
  if (!isRecord(workflow)) return undefined;
  const subgraphs = subgraphsOf(workflow);
  /** The marked node's id within a subgraph; undefined also while the subgraph is looked into: it may hold itself. */
  const answers = new Map<string, NodeId | undefined>();

  const findIn = (nodes: unknown, depth: number): NodeId | undefined => {
    if (!Array.isArray(nodes) || depth > MAX_SUBGRAPH_DEPTH) return undefined;
    for (const node of nodes) {
      if (!isRecord(node)) continue;
      const id = textOf(node['id']);
      const properties = node['properties'];
      if (isRecord(properties) && properties[PIN_PROPERTY] === kind) return id;
      const inner = findInSubgraph(textOf(node['type']), depth + 1);
      if (inner !== undefined) return `${id}:${inner}`;
    }
    return undefined;
  };
  const findInSubgraph = (type: string, depth: number): NodeId | undefined => {
    if (!subgraphs.has(type) || answers.has(type)) return answers.get(type);
    answers.set(type, undefined);
    const found = findIn(subgraphs.get(type), depth);
    answers.set(type, found);
    return found;
  };
  return findIn(workflow['nodes'], 0);
}

function textOf(value: unknown): string {
  return typeof value === 'string' || typeof value === 'number' ? String(value) : '';
}

/** Subgraph definitions by the id that instances carry as their type. */
function subgraphsOf(workflow: Readonly<Record<string, unknown>>): ReadonlyMap<string, unknown> {
  const definitions = workflow['definitions'];
  const list = isRecord(definitions) ? definitions['subgraphs'] : undefined;
  const found = new Map<string, unknown>();
  for (const each of Array.isArray(list) ? list : []) {
    if (isRecord(each) && typeof each['id'] === 'string') found.set(each['id'], each['nodes']);
  }
  return found;
}
