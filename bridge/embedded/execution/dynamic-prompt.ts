import type { ApiNode, ApiPrompt } from '../../../nodes/kit/api-prompt.ts';
import type { DynamicPrompt, ExpandedNode } from '../../../nodes/kit/graph-node.ts';
import type { NodeMeta } from '../job.ts';

/** A node that an expansion added. */
type Ephemeral = { readonly node: ExpandedNode; readonly parent: string };

/** The graph of a running job, which grows. */
export type RunningPrompt = DynamicPrompt & {
  /** Adds a node that `parent` expanded into; one with the same id is replaced. */
  add(id: string, node: ExpandedNode, parent: string): void;
  /** The node of the posted prompt that it came from: itself, or the outermost that expanded. */
  realId(id: string): string;
  meta(id: string): NodeMeta;
};

export function createRunningPrompt(original: ApiPrompt): RunningPrompt {
  const ephemeral = new Map<string, Ephemeral>();
  // Loops nest one expansion a round: without a memory every look-up would walk all rounds.
  const displayIds = new Map<string, string>();
  const realIds = new Map<string, string>();

  /** What stands at the end of a chain of ephemeral nodes; the answer is remembered for each of them. */
  function follow(id: string, memory: Map<string, string>, next: (from: Ephemeral) => string): string {
    const chain = new Set<string>();
    let current = id;
    let end: string | undefined;
    while (end === undefined) {
      const from = ephemeral.get(current);
      // A circle of overrides names nothing that a client knows: each stands for itself then.
      if (!from || chain.has(current)) end = current;
      else {
        chain.add(current);
        current = next(from);
        end = memory.get(current);
      }
    }
    for (const node of chain) memory.set(node, end);
    return end;
  }

  const prompt: RunningPrompt = {
    original,
    node(id): ApiNode | undefined {
      return ephemeral.get(id)?.node ?? (Object.hasOwn(original, id) ? original[id] : undefined);
    },
    displayId(id) {
      return displayIds.get(id) ?? follow(id, displayIds, (e) => e.node.override_display_id ?? e.parent);
    },
    parentId(id) {
      const found = ephemeral.get(id);
      return found && (found.node.override_parent_id ?? found.parent);
    },
    realId(id) {
      return realIds.get(id) ?? follow(id, realIds, (e) => e.parent);
    },
    add(id, node, parent) {
      ephemeral.set(id, { node, parent });
      displayIds.delete(id);
      realIds.delete(id);
    },
    meta(id) {
      return {
        node_id: id,
        display_node: prompt.displayId(id),
        parent_node: prompt.parentId(id) ?? null,
        real_node_id: prompt.realId(id),
      };
    },
  };
  return prompt;
}
