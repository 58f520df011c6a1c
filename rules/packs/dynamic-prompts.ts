import { defineRules, type NodeRule } from '../define.ts';

/**
 * Templates with wildcards and variants. What was drawn from them is known of a run only; the template is not
 * it.
 */

const UNRESOLVED_TEXT: NodeRule = { role: 'string' };

export default defineRules({
  pack: 'dynamic-prompts',
  source: 'https://github.com/adieyal/comfyui-dynamicprompts/tree/3f2fff32358cf39e21b8b440ca87eac9a8e2bade',
  nodes: {
    DPRandomGenerator: UNRESOLVED_TEXT,
    DPCombinatorialGenerator: UNRESOLVED_TEXT,
    DPFeelingLucky: UNRESOLVED_TEXT,
    DPJinja: UNRESOLVED_TEXT,
    DPMagicPrompt: UNRESOLVED_TEXT,
    DPOutput: { role: 'preview', takes: { text: 'value' } },
  },
});
