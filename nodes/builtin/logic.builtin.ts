import type { GraphNode } from '../kit/graph-node.ts';
import { input } from './declare-inputs.ts';
import { toggleOf } from './read-inputs.ts';
import { showValue } from './show-value.ts';

/**
 * Choosing between values, and looking at one.
 * @see ComfyUI 618b803d comfy_extras/nodes_logic.py, nodes_preview_any.py
 */

/** One type for both inputs and the output, whichever it is. */
const MATCHED = 'COMFY_MATCHTYPE_V3';
const branch = input(MATCHED, { lazy: true, template: { template_id: 'switch', allowed_types: '*' } });

const comfySwitch: GraphNode = {
  id: 'ComfySwitchNode',
  title: 'Switch',
  category: 'logic',
  description: 'Gives one of two values; what the other one needs does not run.',
  experimental: true,
  required: { switch: input('BOOLEAN'), on_false: branch, on_true: branch },
  outputs: [{ type: MATCHED, name: 'output' }],
  checkLazy(inputs) {
    const wanted = toggleOf(inputs, 'switch') ? 'on_true' : 'on_false';
    return inputs[wanted] === undefined ? [wanted] : [];
  },
  run: (inputs) => ({ outputs: [inputs[toggleOf(inputs, 'switch') ? 'on_true' : 'on_false']] }),
};

const previewAny: GraphNode = {
  id: 'PreviewAny',
  title: 'Preview as Text',
  category: 'utils',
  description: 'Shows any value as a text.',
  required: { source: input('*') },
  outputs: [],
  terminal: true,
  run: (inputs) => ({ ui: { text: [showValue(inputs['source'])] } }),
};

/** The nodes that choose and show. */
export default [comfySwitch, previewAny];
