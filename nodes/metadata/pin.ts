import { isRecord, type NodeId } from './graph.ts';

/** What a node can be marked as in the workflow's `properties`, under `lineage.pin`. */
export type PinKind = 'sampler';

const PIN_PROPERTY = 'lineage.pin';
/** Subgraphs inside subgraphs; deeper is no workflow that an editor made. */
const MAX_SUBGRAPH_DEPTH = 16;

/**
 * The id, as the prompt graph spells it (`57:8`), of the node that a workflow marks. The workflow is untrusted:
 * what is not shaped like one is skipped.
 */
export function findPin(workflow: unknown, kind: PinKind): NodeId | undefined {
  if (!isRecord(workflow)) return undefined;
  return findIn(workflow['nodes'], subgraphsOf(workflow), '', kind, 0);
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

function findIn(
  nodes: unknown,
  subgraphs: ReadonlyMap<string, unknown>,
  prefix: string,
  kind: PinKind,
  depth: number,
): NodeId | undefined {
  if (!Array.isArray(nodes) || depth > MAX_SUBGRAPH_DEPTH) return undefined;
  for (const node of nodes) {
    if (!isRecord(node)) continue;
    const id = `${prefix}${String(node['id'])}`;
    const properties = node['properties'];
    if (isRecord(properties) && properties[PIN_PROPERTY] === kind) return id;
    const inner = subgraphs.get(String(node['type']));
    const found = findIn(inner, subgraphs, `${id}:`, kind, depth + 1);
    if (found) return found;
  }
  return undefined;
}
