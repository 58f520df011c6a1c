import { defineRules, type NodeRule } from '../define.ts';

/**
 * Encoders that translate first. The prompt is the translation, which only a run knows; of Google's nodes the
 * text itself where the button translates it beforehand.
 */

const TRANSLATED: NodeRule = {
  role: 'encoder',
  takes: { clip: 'clip' },
  gives: [['clip'], []],
  reads: {
    POSITIVE_PROMPT: { output: 1, on: 'positive', slot: 0 },
    NEGATIVE_PROMPT: { output: 1, on: 'negative', slot: 0 },
  },
};
const UNRESOLVED_TEXT: NodeRule = { role: 'string' };

export default defineRules({
  pack: 'alekpet',
  source:
    'https://github.com/AlekPet/ComfyUI_Custom_Nodes_AlekPet/tree/9c2bb57d46b9cbcf2b3e6093900511bf2b5e5148',
  nodes: {
    ArgosTranslateCLIPTextEncodeNode: TRANSLATED,
    DeepTranslatorCLIPTextEncodeNode: TRANSLATED,
    ChatGLM4TranslateCLIPTextEncodeNode: TRANSLATED,
    GoogleTranslateCLIPTextEncodeNode: {
      role: 'encoder',
      takes: { clip: 'clip' },
      gives: [['clip'], []],
      reads: {
        POSITIVE_PROMPT: [
          { output: 1, on: 'positive', slot: 0 },
          { input: 'text', on: 'positive', slot: 0, if: { input: 'manual_translate', is: true } },
        ],
        NEGATIVE_PROMPT: [
          { output: 1, on: 'negative', slot: 0 },
          { input: 'text', on: 'negative', slot: 0, if: { input: 'manual_translate', is: true } },
        ],
      },
    },
    ArgosTranslateTextNode: UNRESOLVED_TEXT,
    DeepTranslatorTextNode: UNRESOLVED_TEXT,
    ChatGLM4TranslateTextNode: UNRESOLVED_TEXT,
    ChatGLM4InstructNode: UNRESOLVED_TEXT,
    GoogleTranslateTextNode: {
      role: 'string',
      computes: [{ op: 'pick', by: { input: 'manual_translate' }, cases: { true: { input: 'text' } } }],
    },
  },
});
