import { compareNodeIds, type NodeId, type PromptGraph, type PromptNode } from '../graph.ts';

/** Rounds in which a node learns of its neighbours: as many links away as its place is compared. */
const ROUNDS = 6;
/** In larger groups of like nodes, they are paired in the order of their ids. */
const MAX_COMPARED = 64;

/** Which node of the second graph each of the first is. */
export type NodeMatch = ReadonlyMap<NodeId, NodeId>;

/**
 * Finds the same nodes in two graphs by their class and place, whatever ids they have: what feeds them and what they
 * feed, several links away. Where not all of that is the same, less of it has to be, down to the class alone; among
 * equals the same id decides, then the inputs that are alike.
 *
 * Linear in nodes and links, but for the equals.
 */
export function matchNodes(a: PromptGraph, b: PromptGraph): NodeMatch {
  const names = new Map<string, number>();
  const [placesA, placesB] = [placesOf(a, names), placesOf(b, names)];
  const match = new Map<NodeId, NodeId>();
  const taken = new Set<NodeId>();
  for (let round = ROUNDS; round >= 0; round--) {
    const inA = groupBy(a, placesA[round], (id) => !match.has(id));
    const inB = groupBy(b, placesB[round], (id) => !taken.has(id));
    for (const [place, left] of inA) {
      const right = inB.get(place);
      if (!right) continue;
      for (const [one, other] of pairUp(left, right)) {
        match.set(one, other);
        taken.add(other);
      }
    }
  }
  return match;
}

type Places = ReadonlyMap<NodeId, number>;

/** A number for the surroundings of each node, round by round; equal numbers mean equal surroundings in both graphs. */
function placesOf(graph: PromptGraph, names: Map<string, number>): readonly Places[] {
  const nameOf = (text: string): number => {
    const known = names.get(text);
    if (known !== undefined) return known;
    names.set(text, names.size);
    return names.size - 1;
  };
  const consumers = new Map<NodeId, { readonly by: NodeId; readonly how: string }[]>();
  for (const { id, links } of graph.values()) {
    for (const [input, { from, slot }] of links) {
      const known = consumers.get(from);
      const use = { by: id, how: `${slot} ${input}` };
      if (known) known.push(use);
      else consumers.set(from, [use]);
    }
  }
  const rounds: Places[] = [new Map([...graph.values()].map(({ id, classType }) => [id, nameOf(classType)]))];
  for (let round = 0; round < ROUNDS; round++) {
    const before = rounds[round] ?? new Map();
    const next = new Map<NodeId, number>();
    for (const { id, links } of graph.values()) {
      const fed = [...links].map(([input, { from, slot }]) => `< ${input} ${slot} ${before.get(from)}`);
      const feeds = (consumers.get(id) ?? []).map(({ by, how }) => `> ${how} ${before.get(by)}`);
      next.set(id, nameOf([round, before.get(id), ...fed.toSorted(), ...feeds.toSorted()].join('\n')));
    }
    rounds.push(next);
  }
  return rounds;
}

function groupBy(
  graph: PromptGraph,
  places: Places | undefined,
  isFree: (id: NodeId) => boolean,
): Map<number | undefined, PromptNode[]> {
  return Map.groupBy(
    [...graph.values()].filter(({ id }) => isFree(id)),
    ({ id }) => places?.get(id),
  );
}

function pairUp(left: readonly PromptNode[], right: readonly PromptNode[]): [NodeId, NodeId][] {
  const pairs: [NodeId, NodeId][] = [];
  const free = new Map(right.toSorted((a, b) => compareNodeIds(a.id, b.id)).map((node) => [node.id, node]));
  const waiting = left
    .toSorted((a, b) => compareNodeIds(a.id, b.id))
    .filter(({ id }) => {
      if (!free.delete(id)) return true;
      pairs.push([id, id]);
      return false;
    });
  for (const node of waiting) {
    const candidates = [...free.values()].slice(0, MAX_COMPARED);
    const best = candidates.toSorted((a, b) => likeness(node, b) - likeness(node, a))[0];
    if (!best) break;
    free.delete(best.id);
    pairs.push([node.id, best.id]);
  }
  return pairs;
}

/** How many literals are the same. */
function likeness(a: PromptNode, b: PromptNode): number {
  let same = 0;
  for (const [name, value] of a.literals)
    if (JSON.stringify(b.literals.get(name)) === JSON.stringify(value)) same++;
  return same;
}
