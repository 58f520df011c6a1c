import { LineageError } from '../kit/errors.ts';
import { compareNodeIds, type NodeId, type PromptGraph, type PromptNode } from './graph.ts';
import type { RuleBook } from './rule-book.ts';

/** Names of inputs on which unknown nodes that save pictures take them. */
const PICTURE_INPUTS = ['images', 'image', 'video'];

/**
 * The nodes that save pictures, by id: class types that a rule calls savers. Where there is none, nodes of unknown
 * class that nothing consumes and that take a picture. Previews never count.
 */
export function findSaveNodes(graph: PromptGraph, book: RuleBook): readonly PromptNode[] {
  const nodes = [...graph.values()].sort((a, b) => compareNodeIds(a.id, b.id));
  const known = nodes.filter((node) => book.get(node.classType)?.rule.role === 'saver');
  if (known.length > 0) return known;
  const consumed = new Set(nodes.flatMap((node) => [...node.links.values()].map((link) => link.from)));
  return nodes.filter(
    (node) =>
      !book.has(node.classType) &&
      !consumed.has(node.id) &&
      PICTURE_INPUTS.some((input) => node.links.has(input)),
  );
}

/**
 * The node to trace from: the one named, or the graph's only saving node.
 *
 * @throws LineageError `graph/unknown-node`, `graph/no-save-node`, `graph/several-save-nodes` with all of them
 */
export function chooseSaveNode(graph: PromptGraph, book: RuleBook, named: NodeId | undefined): NodeId {
  if (named !== undefined) {
    if (graph.has(named)) return named;
    throw new LineageError('graph/unknown-node', `expected the id of a node, got ${named}`, { node: named });
  }
  const [first, ...others] = findSaveNodes(graph, book);
  if (!first) {
    throw new LineageError(
      'graph/no-save-node',
      `expected a node that saves a picture among ${graph.size} nodes, got none`,
    );
  }
  if (others.length > 0) {
    const list = [first, ...others].map((node) => `${node.id} (${node.classType})`).join(', ');
    throw new LineageError('graph/several-save-nodes', `expected one saving node, got ${list}`);
  }
  return first.id;
}
