import { defineRules, type NodeRule } from '../define.ts';

/** Encoders that weigh words as other programs do. The text is the text. */

const PASSED: NodeRule = { role: 'passthrough', takes: { conditioning: 'same' } };

export default defineRules({
  pack: 'bnk-adv-clip-emb',
  source: 'https://github.com/BlenderNeko/ComfyUI_ADV_CLIP_emb/tree/63984deefb005da1ba90a1175e21d91040da38ab',
  nodes: {
    BNK_CLIPTextEncodeAdvanced: {
      role: 'encoder',
      takes: { clip: 'clip' },
      reads: {
        POSITIVE_PROMPT: { input: 'text', on: 'positive' },
        NEGATIVE_PROMPT: { input: 'text', on: 'negative' },
      },
    },
    BNK_CLIPTextEncodeSDXLAdvanced: {
      role: 'encoder',
      takes: { clip: 'clip' },
      reads: {
        POSITIVE_PROMPT: { inputs: ['text_g', 'text_l'], on: 'positive' },
        NEGATIVE_PROMPT: { inputs: ['text_g', 'text_l'], on: 'negative' },
      },
    },
    BNK_AddCLIPSDXLParams: PASSED,
    BNK_AddCLIPSDXLRParams: PASSED,
  },
});
