import { isApiLink } from '../../../nodes/kit/api-prompt.ts';
import type { ExpandedNode, GraphResult } from '../../../nodes/kit/graph-node.ts';
import { isRecord } from '../../../nodes/kit/is-record.ts';
import type { ReturnedOutputs } from './merge-returns.ts';
import { NodeResultError } from './node-error.ts';

/** What the calls of one node grew. */
export type Expansion = {
  /** The new nodes by their ids in the running graph. */
  readonly nodes: ReadonlyMap<string, ExpandedNode>;
  /** What the node gives in the end, by call; links lead to the new ids. */
  readonly returns: readonly ReturnedOutputs[];
};

/**
 * Ids grow with each level, so all ids of a loop take the square of its rounds: here some 5,000 rounds and 100 MB. One
 * that never ends would take all memory.
 */
const PARENT_ID_MAX = 32_768;

/**
 * Gives the nodes of an expansion their place: `parent.call.graph.name`, with the names that the node chose and one
 * graph a call (so 0). A name that begins with `parent.` is such an id already, and stays. Links to those names are
 * led to the new ids; every other link leads to a node of the graph around, as it stands.
 *
 * @throws NodeResultError for what is no graph
 */
export function readExpansion(parent: string, results: readonly GraphResult[]): Expansion {
  if (parent.length > PARENT_ID_MAX) {
    throw new NodeResultError(
      `expected nodes that expand less deep, got an id of ${parent.length} characters: does the loop end?`,
    );
  }
  const nodes = new Map<string, ExpandedNode>();
  const returns: ReturnedOutputs[] = [];
  for (const [call, { expand, outputs }] of results.entries()) {
    if (!expand) {
      if (outputs) returns.push({ outputs, expanded: false });
      continue;
    }
    if (!isRecord(expand)) throw new NodeResultError('expected nodes by name under expand');
    const place = (name: string): string =>
      name.startsWith(`${parent}.`) ? name : `${parent}.${call}.0.${name}`;
    const lead = (value: unknown): unknown =>
      isApiLink(value) && Object.hasOwn(expand, value[0]) ? [place(value[0]), value[1]] : value;
    for (const [name, node] of Object.entries(expand)) {
      if (!isRecord(node) || typeof node.class_type !== 'string' || !isRecord(node.inputs)) {
        throw new NodeResultError(`expected class_type and inputs of the expanded node ${name}`);
      }
      const inputs: Record<string, unknown> = Object.create(null);
      for (const [input, value] of Object.entries(node.inputs)) inputs[input] = lead(value);
      nodes.set(place(name), { ...node, inputs });
    }
    returns.push({ outputs: (outputs ?? []).map(lead), expanded: true });
  }
  return { nodes, returns };
}
