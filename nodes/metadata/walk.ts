import { type Fact, placesAt, readFacts } from './facts.ts';
import { type Arrival, type FlowContext, type Step, stepUpstream } from './flow.ts';
import type { NodeId, PromptNode } from './graph.ts';
import type { BookedRule } from './rule-book.ts';

/** A place a walk came by; the chain of `from` leads back down to where the walk began. */
export type Visit = { readonly arrival: Arrival; readonly from?: Visit };

/** A fact and the visit that met it. */
export type MetFact = Fact & { readonly visit: Visit };

export type WalkOptions = {
  /** Whether a step is taken; it sees where the step leads and the node it leaves. */
  readonly follows: (step: Step, leaving: PromptNode) => boolean;
  /** The rule of a node whose own facts belong to somebody else: another sampler. */
  readonly isForeign?: (node: PromptNode) => boolean;
  /** Ends the walk after so many places. */
  readonly maxVisits?: number;
};

/**
 * Walks upstream on streams, breadth first, and reads the facts on the way, nearest first. Every combination of
 * node, output and stream is visited once; every fact of a node is given once.
 */
export function walkFacts(start: Arrival, context: FlowContext, options: WalkOptions): MetFact[] {
  return factsAlong(walk(start, context, options), context, options);
}

/** The facts along a walk that was made already, every one of a node once. */
export function factsAlong(visits: Iterable<Visit>, context: FlowContext, options: WalkOptions): MetFact[] {
  const facts: MetFact[] = [];
  const met = new Set<PromptNode>();
  const given = new Set<string>();
  for (const visit of visits) {
    const { node } = visit.arrival;
    const booked = context.book.get(node.classType);
    if (!booked || (booked.isUnconditional && met.has(node))) continue;
    met.add(node);
    for (const fact of factsAt(visit, booked, context, options)) {
      if (!booked.isUnconditional) {
        const key = `${node.id}\n${fact.rule}\n${fact.input}\n${fact.item}`;
        if (given.has(key)) continue;
        given.add(key);
      }
      facts.push({ ...fact, visit });
    }
  }
  return facts;
}

function factsAt(visit: Visit, booked: BookedRule, context: FlowContext, options: WalkOptions): Fact[] {
  const { node } = visit.arrival;
  const counts = placesAt(visit.arrival);
  const foreign = visit.from !== undefined && options.isForeign?.(node) === true;
  return readFacts(node, booked, (place) => counts(place) && (!foreign || place.on !== undefined), context);
}

/** The visits of a walk, nearest first. */
export function walk(start: Arrival, context: FlowContext, options: WalkOptions): readonly Visit[] {
  const visits: Visit[] = [{ arrival: start }];
  const isNew = createSeen();
  isNew(start);
  // The list grows while it is walked.
  for (const visit of visits) {
    for (const step of stepUpstream(visit.arrival, context)) {
      if (!options.follows(step, visit.arrival.node) || !isNew(step)) continue;
      if (visits.length === options.maxVisits) {
        const far = `the way upstream was followed over ${visits.length} places and no further`;
        context.warn('value/unresolved', far, start.node.id);
        return visits;
      }
      visits.push({ arrival: step, from: visit });
    }
  }
  return visits;
}

/** Whether an arrival is met for the first time. */
export function createSeen(): (arrival: Arrival) => boolean {
  // There are few ways to arrive and many nodes: sets of nodes by way are twice as fast as one of long keys.
  const nodesByWay = new Map<string, Set<PromptNode>>();
  return ({ node, slot, stream }) => {
    const way = `${slot}\n${stream}`;
    const nodes = nodesByWay.get(way);
    if (nodes?.has(node)) return false;
    if (nodes) nodes.add(node);
    else nodesByWay.set(way, new Set([node]));
    return true;
  };
}

/** Node ids from a visit down to the node where its walk began, both included, or the first `limit` of them; repeats left out. */
export function visitPath(visit: Visit, limit: number): NodeId[] {
  const path: NodeId[] = [];
  for (let at: Visit | undefined = visit; at && path.length < limit; at = at.from) {
    if (path.at(-1) !== at.arrival.node.id) path.push(at.arrival.node.id);
  }
  return path;
}
