import type { AnyNode } from '../../../nodes/kit/define-node.ts';
import type { Field } from '../../../nodes/kit/fields.ts';
import type { GraphNode } from '../../../nodes/kit/graph-node.ts';
import { type InputSpec, toInputSpec } from '../../../nodes/kit/input-spec.ts';
import { readFields } from '../../../nodes/kit/read-field.ts';

/**
 * As ComfyUI declares them for a save node. Asking for the id puts it into the cache key: of two equal save nodes both
 * save.
 */
const TERMINAL_HIDDEN = { prompt: 'PROMPT', extra_pnginfo: 'EXTRA_PNGINFO', unique_id: 'UNIQUE_ID' } as const;

/**
 * Brings a node of ours into the executor's form. What arrives on its inputs is checked against its fields before the
 * node sees it.
 *
 * @returns a node whose `run` throws LineageError `nodes/wrong-input`, and whatever the node throws
 */
export function adaptNode(spec: AnyNode): GraphNode {
  const fields = Object.entries(spec.inputs);
  const optional = fields.filter(([, field]) => field.optional);
  return {
    id: spec.id,
    title: spec.title,
    category: spec.category,
    description: spec.description,
    required: toSpecs(fields.filter(([, field]) => !field.optional)),
    ...(optional.length > 0 && { optional: toSpecs(optional) }),
    ...(spec.terminal && { terminal: true, hidden: TERMINAL_HIDDEN }),
    outputs: Object.entries(spec.outputs).map(([name, output]) => ({ name, ...output })),
    isAsync: true,
    async run(inputs, { host }) {
      const checked = readFields(spec.inputs, inputs, host.nodeId);
      // Every value is what its field promises by now; AnyNode has forgotten which types these are.
      const { outputs, ui } = await spec.run(checked as never, host);
      return { outputs: Object.keys(spec.outputs).map((name) => outputs[name]), ...(ui && { ui }) };
    },
  };
}

function toSpecs(fields: readonly (readonly [string, Field])[]): Readonly<Record<string, InputSpec>> {
  return Object.fromEntries(fields.map(([name, field]) => [name, toInputSpec(field)]));
}
