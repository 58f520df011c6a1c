import type { ApiLink } from '../../../nodes/kit/api-prompt.ts';
import type { DynamicPrompt, ExpandedNode, RunContext } from '../../../nodes/kit/graph-node.ts';

/** A node that is being written into an expansion. */
export type BuiltNode = {
  readonly id: string;
  /** A link to one of its outputs. */
  out(slot: number): ApiLink;
  /** Sets an input; undefined or null takes it away. */
  set(name: string, value: unknown): void;
};

/** An expansion while it is written. */
export type GraphBuilder = {
  /** Adds a node; without a name it is numbered. */
  add(
    classType: string,
    inputs?: Readonly<Record<string, unknown>>,
    name?: string,
    shownAs?: string,
  ): BuiltNode;
  finish(): Readonly<Record<string, ExpandedNode>>;
};

/** How many expansions each node of a prompt has made, so that calls of one list run stay apart. */
const counts = new WeakMap<DynamicPrompt, Map<string, number>>();

/** Starts an expansion whose ids begin with the expanding node's: `4.0.1.name`. */
export function buildGraph({ host, dynamicPrompt }: RunContext): GraphBuilder {
  const made = counts.get(dynamicPrompt) ?? new Map<string, number>();
  counts.set(dynamicPrompt, made);
  const index = made.get(host.nodeId) ?? 0;
  made.set(host.nodeId, index + 1);
  const prefix = `${host.nodeId}.0.${index}.`;
  const nodes = new Map<string, { node: Omit<ExpandedNode, 'inputs'>; inputs: Map<string, unknown> }>();

  return {
    add(classType, inputs = {}, name = String(nodes.size + 1), shownAs) {
      const id = prefix + name;
      const values = new Map(Object.entries(inputs));
      const node = {
        class_type: classType,
        ...(shownAs !== undefined && { override_display_id: shownAs }),
      };
      nodes.set(id, { node, inputs: values });
      const set = (input: string, value: unknown): void => {
        if (value === undefined || value === null) values.delete(input);
        else values.set(input, value);
      };
      for (const [input, value] of Object.entries(inputs)) set(input, value);
      return { id, out: (slot) => [id, slot], set };
    },
    finish() {
      const entries = [...nodes].map(
        ([id, { node, inputs }]) => [id, { ...node, inputs: Object.fromEntries(inputs) }] as const,
      );
      return Object.fromEntries(entries);
    },
  };
}
