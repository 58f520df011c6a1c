import { LineageError } from '../kit/errors.ts';
import type { WarningSink } from '../kit/warnings.ts';
import type { NodeId, PromptGraph, PromptNode } from './graph.ts';

export type TraceStep = {
  readonly node: PromptNode;
  /** Links on the shortest way down to the start; the start itself is 0. */
  readonly distance: number;
  /** The next node on that way; absent for the start. */
  readonly toward?: TraceStep;
};

/** A link to an id the graph does not contain. */
export type DanglingLink = { readonly nodeId: NodeId; readonly input: string; readonly to: NodeId };

export type Trace = {
  readonly start: NodeId;
  /** Every node that can influence the start, nearest first, each exactly once. */
  readonly steps: ReadonlyMap<NodeId, TraceStep>;
  readonly dangling: readonly DanglingLink[];
};

/**
 * Walks upstream from a node, every node once, in O(nodes + links). What runs along the links is the business of
 * `flow.ts`.
 *
 * @param isLive whether a link can carry anything: the branches a switch does not take carry nothing
 * @throws LineageError `graph/unknown-node`
 */
export function traceUpstream(
  graph: PromptGraph,
  start: NodeId,
  isLive: (node: PromptNode, input: string) => boolean,
  warn: WarningSink,
): Trace {
  const first = graph.get(start);
  if (!first) {
    throw new LineageError('graph/unknown-node', `expected the id of a node, got ${start}`, { node: start });
  }
  // A Map iterates over what is added while it is walked: queue, visited set and answer in one.
  const steps = new Map<NodeId, TraceStep>([[start, { node: first, distance: 0 }]]);
  const dangling: DanglingLink[] = [];
  for (const step of steps.values()) {
    for (const [input, link] of step.node.links) {
      if (!isLive(step.node, input)) continue;
      const node = graph.get(link.from);
      if (!node) {
        dangling.push({ nodeId: step.node.id, input, to: link.from });
        warn('graph/dangling-link', `expected a node ${link.from}, got none`, `${step.node.id}.${input}`);
      } else if (!steps.has(node.id)) {
        steps.set(node.id, { node, distance: step.distance + 1, toward: step });
      }
    }
  }
  const cycle = findCycle(steps);
  if (cycle) warn('graph/cycle', `the links run in a circle: ${cycle.join(' -> ')}`, cycle[0]);
  return { start, steps, dangling };
}

/** The ids from a node down to the start of the trace, both included. */
export function pathToStart(step: TraceStep | undefined): NodeId[] {
  const path: NodeId[] = [];
  for (let at = step; at; at = at.toward) path.push(at.node.id);
  return path;
}

/** Depth-first over the traced nodes with an explicit stack; the first circle met, or undefined. */
function findCycle(steps: ReadonlyMap<NodeId, TraceStep>): NodeId[] | undefined {
  const done = new Set<NodeId>();
  for (const root of steps.keys()) {
    if (done.has(root)) continue;
    const open = new Map<NodeId, Iterator<NodeId>>();
    const enter = (id: NodeId): void => {
      const links = steps.get(id)?.node.links.values() ?? [];
      open.set(id, [...links].map((link) => link.from)[Symbol.iterator]());
    };
    enter(root);
    const stack: NodeId[] = [root];
    while (stack.length > 0) {
      const top = stack[stack.length - 1] ?? root;
      const next = open.get(top)?.next();
      if (!next || next.done) {
        stack.pop();
        open.delete(top);
        done.add(top);
      } else if (open.has(next.value)) {
        return [...stack.slice(stack.indexOf(next.value)), next.value];
      } else if (!done.has(next.value) && steps.has(next.value)) {
        enter(next.value);
        stack.push(next.value);
      }
    }
  }
  return undefined;
}
