import type { GraphNode } from '../kit/graph-node.ts';
import type { InputSpec } from '../kit/input-spec.ts';
import { input, LONG_TEXT } from './declare-inputs.ts';

/**
 * One value typed in, for several inputs.
 * @see ComfyUI 618b803d comfy_extras/nodes_primitive.py
 */

/** Python's `sys.maxsize`, as bounds of numbers. */
const MAX_INTEGER = 2n ** 63n - 1n;

function primitive(id: string, title: string, value: InputSpec, type: string): GraphNode {
  return {
    id,
    title,
    category: 'utils/primitive',
    description: 'Gives the value that was typed in.',
    required: { value },
    outputs: [{ type, name: type }],
    run: (inputs) => ({ outputs: [inputs['value']] }),
  };
}

const bounds = { min: -MAX_INTEGER, max: MAX_INTEGER };

/** The nodes that hold one value. */
export default [
  primitive('PrimitiveString', 'String', input('STRING', { multiline: false }), 'STRING'),
  primitive('PrimitiveStringMultiline', 'String (Multiline)', LONG_TEXT, 'STRING'),
  primitive('PrimitiveInt', 'Int', input('INT', { ...bounds, control_after_generate: true }), 'INT'),
  primitive('PrimitiveFloat', 'Float', input('FLOAT', { ...bounds, step: 0.1 }), 'FLOAT'),
  primitive('PrimitiveBoolean', 'Boolean', input('BOOLEAN'), 'BOOLEAN'),
];
