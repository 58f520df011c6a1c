import type { Json } from '../../kit/exact-json.ts';
import { compareNodeIds, type Link, type NodeId, type PromptGraph, type PromptNode } from '../graph.ts';
import { matchNodes, type NodeMatch } from './match-nodes.ts';

/** A node of one of the graphs. */
export type NamedNode = { readonly id: NodeId; readonly classType: string };

/** A value on a node that both graphs have. Texts are as the graph writes them; absent where the input is. */
export type ChangedInput = {
  /** By its id in the first graph. */
  readonly node: NamedNode;
  readonly input: string;
  readonly before?: Json;
  readonly after?: Json;
};

/** A link that leads elsewhere: the node and output that it comes from, absent where the input is a value or nothing. */
export type ChangedLink = {
  readonly node: NamedNode;
  readonly input: string;
  readonly before?: NamedNode & { readonly slot: number };
  readonly after?: NamedNode & { readonly slot: number };
};

/** How two prompt graphs differ. Ids alone are no difference. */
export type GraphDiff = {
  readonly removed: readonly NamedNode[];
  readonly added: readonly NamedNode[];
  readonly inputs: readonly ChangedInput[];
  readonly links: readonly ChangedLink[];
};

/** Compares two prompt graphs, node by node. In the order of the ids of the first, then of the second. */
export function diffGraphs(a: PromptGraph, b: PromptGraph): GraphDiff {
  const match = matchNodes(a, b);
  const matched = new Set(match.values());
  const inputs: ChangedInput[] = [];
  const links: ChangedLink[] = [];
  for (const node of inOrder(a)) {
    const other = b.get(match.get(node.id) ?? '');
    if (!other || !match.has(node.id)) continue;
    inputs.push(...changedInputs(node, other));
    links.push(...changedLinks(node, other, a, b, match));
  }
  return {
    removed: inOrder(a)
      .filter(({ id }) => !match.has(id))
      .map(named),
    added: inOrder(b)
      .filter(({ id }) => !matched.has(id))
      .map(named),
    inputs,
    links,
  };
}

/** Whether two graphs do the same. */
export function isSameGraph({ removed, added, inputs, links }: GraphDiff): boolean {
  return removed.length + added.length + inputs.length + links.length === 0;
}

function inOrder(graph: PromptGraph): PromptNode[] {
  return [...graph.values()].sort((x, y) => compareNodeIds(x.id, y.id));
}

function named({ id, classType }: PromptNode): NamedNode {
  return { id, classType };
}

function changedInputs(a: PromptNode, b: PromptNode): ChangedInput[] {
  const names = new Set([...a.literals.keys(), ...b.literals.keys()]);
  return [...names].flatMap((input) => {
    const [before, after] = [a.literals.get(input), b.literals.get(input)];
    if (JSON.stringify(before) === JSON.stringify(after)) return [];
    return [
      {
        node: named(a),
        input,
        ...(before !== undefined && { before }),
        ...(after !== undefined && { after }),
      },
    ];
  });
}

function changedLinks(
  a: PromptNode,
  b: PromptNode,
  inA: PromptGraph,
  inB: PromptGraph,
  match: NodeMatch,
): ChangedLink[] {
  const names = new Set([...a.links.keys(), ...b.links.keys()]);
  return [...names].flatMap((input) => {
    const [before, after] = [a.links.get(input), b.links.get(input)];
    // Of links that lead to nothing, the id is all there is.
    const target = before && (inA.has(before.from) ? match.get(before.from) : before.from);
    const isSame = before?.slot === after?.slot && target === after?.from;
    if (isSame) return [];
    const [from, to] = [sourceOf(before, inA), sourceOf(after, inB)];
    return [{ node: named(a), input, ...(from && { before: from }), ...(to && { after: to }) }];
  });
}

/** A link to a node that is not there has a class all the same: none. */
function sourceOf(
  link: Link | undefined,
  graph: PromptGraph,
): (NamedNode & { readonly slot: number }) | undefined {
  return link && { id: link.from, classType: graph.get(link.from)?.classType ?? '', slot: link.slot };
}
