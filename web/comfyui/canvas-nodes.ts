import { app, type CanvasGraph, type CanvasNode } from '../scripts/app.js';

/** The outermost graph; older front ends have it only as the graph that is shown. */
function rootGraph(): CanvasGraph {
  return app.rootGraph ?? app.graph;
}

/** The node that a prompt's id names: `57:8` is node 8 in the subgraph of node 57. */
export function findNode(id: string): CanvasNode | undefined {
  let graph: CanvasGraph | undefined = rootGraph();
  let node: CanvasNode | undefined;
  for (const part of id.split(':')) {
    node = graph?.nodes.find((each) => String(each.id) === part);
    graph = node?.subgraph;
  }
  return node;
}

/** Every node of the workflow, once: a subgraph that is used twice has its nodes once. */
export function allNodes(): CanvasNode[] {
  const graphs = new Set<CanvasGraph>([rootGraph()]);
  // A set may grow while it is walked.
  for (const graph of graphs) for (const { subgraph } of graph.nodes) if (subgraph) graphs.add(subgraph);
  return [...graphs].flatMap((graph) => graph.nodes);
}

/** Brings a node into view; one in a subgraph that is not open is shown by the node that stands for it. */
export function showNode(id: string): void {
  const parts = id.split(':');
  for (let length = parts.length; length > 0; length--) {
    const node = findNode(parts.slice(0, length).join(':'));
    if (!node || app.canvas.graph?.nodes.includes(node) !== true) continue;
    app.canvas.centerOnNode(node);
    app.canvas.selectNode?.(node);
    return;
  }
}
