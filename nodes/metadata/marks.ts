import { isRecord } from '../kit/is-record.ts';
import type { NodeId } from './graph.ts';

/** A node that a workflow marks in its `properties`. */
export type Mark<K extends string> = { readonly nodeId: NodeId; readonly value: K };

/** Subgraphs inside subgraphs; deeper is no workflow that an editor made. */
const MAX_SUBGRAPH_DEPTH = 16;
/** More than people mark; a subgraph that is used often multiplies its marks. */
const MAX_MARKS = 16;

/**
 * The nodes that a workflow marks under one property, with the ids that the prompt graph has (`57:8` in a subgraph), in
 * the workflow's order. The workflow is untrusted: what is not shaped like one is skipped. Every definition of a
 * subgraph is looked into once, however often it is used.
 */
export function findMarks<K extends string>(
  workflow: unknown,
  property: string,
  kinds: readonly K[],
): readonly Mark<K>[] {
  if (!isRecord(workflow)) return [];
  const subgraphs = subgraphsOf(workflow);
  /** The marks within a subgraph; none also while the subgraph is looked into: it may hold itself. */
  const answers = new Map<string, readonly Mark<K>[]>();

  const findIn = (nodes: unknown, depth: number): readonly Mark<K>[] => {
    const found: Mark<K>[] = [];
    if (!Array.isArray(nodes) || depth > MAX_SUBGRAPH_DEPTH) return found;
    for (const node of nodes) {
      if (found.length >= MAX_MARKS) break;
      if (!isRecord(node)) continue;
      const id = textOf(node['id']);
      const properties = node['properties'];
      const value = isRecord(properties) ? kinds.find((kind) => kind === properties[property]) : undefined;
      if (value !== undefined) found.push({ nodeId: id, value });
      for (const inner of findInSubgraph(textOf(node['type']), depth + 1))
        found.push({ nodeId: `${id}:${inner.nodeId}`, value: inner.value });
    }
    return found.slice(0, MAX_MARKS);
  };
  const findInSubgraph = (type: string, depth: number): readonly Mark<K>[] => {
    const known = answers.get(type);
    if (known || !subgraphs.has(type)) return known ?? [];
    answers.set(type, []);
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
