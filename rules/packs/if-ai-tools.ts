import { defineRules, type NodeRule } from '../define.ts';

/** Prompts that a language model writes are known of a run only; what is shown or joined is handed on. */

const UNRESOLVED_TEXT: NodeRule = { role: 'string' };

export default defineRules({
  pack: 'if-ai-tools',
  source: 'https://github.com/if-ai/ComfyUI-IF_AI_tools/tree/93130d80ad90230bccc5c29f63f10a1c95d0eff9',
  nodes: {
    IF_ChatPrompt: UNRESOLVED_TEXT,
    IF_ImagePrompt: UNRESOLVED_TEXT,
    IF_PromptMkr: UNRESOLVED_TEXT,
    IF_DisplayTextWildcard: UNRESOLVED_TEXT,
    IF_DisplayText: { role: 'string', takes: { text: 'same' }, gives: [['text'], [], [], []] },
    IF_TextTyper: { role: 'string', takes: { text: 'same' }, gives: [['text']] },
    IF_JoinText: {
      role: 'string',
      computes: [
        {
          op: 'join',
          parts: [
            { input: 'text1', default: '' },
            { input: 'text2', default: '' },
            { input: 'text3', default: '' },
            { input: 'text4', default: '' },
          ],
          separator: { input: 'separator', default: ' ' },
          skipEmpty: true,
        },
      ],
    },
  },
});
