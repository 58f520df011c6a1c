import { nodeDefinitions } from '../../nodes/index.gen.ts';
import type { AnyNode } from '../../nodes/kit/define-node.ts';
import { type InputSpec, toInputSpec } from '../../nodes/kit/input-spec.ts';

/** An input in ComfyUI's terms, by name. */
export type NamedInput = InputSpec & { readonly name: string; readonly optional: boolean };

/** Types that the canvas draws as widgets; all others are sockets. */
const WIDGET_TYPES: ReadonlySet<string> = new Set(['STRING', 'INT', 'FLOAT', 'BOOLEAN', 'COMBO']);

/** The nodes that reach ComfyUI. */
export const packNodes: readonly AnyNode[] = nodeDefinitions;

/** A node's inputs as the canvas lists them: what is required first. */
export function inputsInOrder({ inputs }: AnyNode): readonly NamedInput[] {
  const all = Object.entries(inputs).map(([name, field]) => ({
    name,
    optional: field.optional ?? false,
    ...toInputSpec(field),
  }));
  return [...all.filter(({ optional }) => !optional), ...all.filter(({ optional }) => optional)];
}

/** Whether the canvas draws a widget for an input: it then has a place in a workflow's `widgets_values`. */
export function isWidget({ type }: InputSpec): boolean {
  return typeof type !== 'string' || WIDGET_TYPES.has(type);
}
