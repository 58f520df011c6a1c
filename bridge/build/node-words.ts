import { nodeDefinitions } from '../../nodes/index.gen.ts';
import type { AnyNode } from '../../nodes/kit/define-node.ts';

/** The nodes that reach ComfyUI. */
export const packNodes: readonly AnyNode[] = nodeDefinitions;
