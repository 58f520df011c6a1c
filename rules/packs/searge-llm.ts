import { defineRules } from '../define.ts';

/**
 * A prompt that a language model writes is known of a run only; the second output is the text it was asked
 * with.
 */
export default defineRules({
  pack: 'searge-llm',
  source: 'https://github.com/SeargeDP/ComfyUI_Searge_LLM/tree/3ea788875d772577ab92044bc4a8397755eb4a24',
  nodes: {
    Searge_LLM_Node: { role: 'string', takes: { text: 'same' }, gives: [[], ['text']] },
    Searge_Output_Node: { role: 'preview', takes: { text: 'value' } },
  },
});
