import { createKernelPool } from '../../bridge/local/kernel-pool.ts';
import { builtinNodes } from '../../nodes/builtin/index.gen.ts';
import type { GraphNode, RunContext, RunInputs } from '../../nodes/kit/graph-node.ts';
import type { Host } from '../../nodes/kit/host.ts';

const pool = createKernelPool();

/** The built-in node of this class. */
export function builtinNode(id: string): GraphNode {
  const node = builtinNodes.flat().find((each) => each.id === id);
  if (!node) throw new Error(`no built-in node ${id}`);
  return node;
}

/** A host that has nothing, but for what is given; kernels run in real threads. */
export function contextOf(more: Partial<Host> = {}): RunContext {
  return {
    host: {
      prompt: undefined,
      extraPnginfo: {},
      nodeId: '1',
      signal: new AbortController().signal,
      models: {
        find: async () => ({ found: false, reason: 'unconfigured' }),
        hash: () => Promise.reject(new Error('no models')),
      },
      now: new Date(2026, 2, 4, 5, 6, 7),
      log: () => undefined,
      writeOutput: () => Promise.reject(new Error('no folder')),
      ...more,
    },
    dynamicPrompt: {
      original: {},
      node: () => undefined,
      displayId: (id) => id,
      parentId: () => undefined,
    },
    compute: pool.compute,
  };
}

/** Runs a built-in node. */
export async function runBuiltin(id: string, inputs: RunInputs, more: Partial<Host> = {}) {
  return await builtinNode(id).run(inputs, contextOf(more));
}
