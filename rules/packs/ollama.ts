import { defineRules, type NodeRule } from '../define.ts';

/** Text that a language model writes: known of a run only. */

const UNRESOLVED_TEXT: NodeRule = { role: 'string' };

export default defineRules({
  pack: 'ollama',
  source: 'https://github.com/stavsap/comfyui-ollama/tree/6db7560576e5a59488708e6be13e07b5aba2432a',
  nodes: {
    OllamaGenerateV2: UNRESOLVED_TEXT,
    OllamaChat: UNRESOLVED_TEXT,
    OllamaVision: UNRESOLVED_TEXT,
    OllamaGenerate: UNRESOLVED_TEXT,
    OllamaGenerateAdvance: UNRESOLVED_TEXT,
    OllamaLoadContext: UNRESOLVED_TEXT,
  },
});
