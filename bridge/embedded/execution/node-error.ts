import type { ApiNode } from '../../../nodes/kit/api-prompt.ts';

/**
 * A node asked for an input that cannot be computed, or was handed what it cannot take. The name is what clients of
 * ComfyUI see as `exception_type`.
 */
export class NodeInputError extends Error {
  override readonly name = 'comfy_execution.graph.NodeInputError';
}

/** A link or a result names a node that is not in the graph. */
export class NodeNotFoundError extends Error {
  override readonly name = 'comfy_execution.graph.NodeNotFoundError';
}

/** A node gave back what its class did not declare. */
export class NodeResultError extends TypeError {
  override readonly name = 'NodeResultError';
}

/** The node under an id, which a graph that was validated has. @throws NodeNotFoundError */
export function requireNode(node: ApiNode | undefined, id: string): ApiNode {
  if (!node) throw new NodeNotFoundError(`Node ${id} not found`);
  return node;
}
