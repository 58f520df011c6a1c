import { defineRules } from '../define.ts';

/**
 * Describes a picture, and encodes the description for Flux: the first paragraph for T5, the second and third
 * for CLIP. The prompt is the whole caption; which line went where is known of a run.
 */
export default defineRules({
  pack: 'miaoshouai-tagger',
  source:
    'https://github.com/miaoshouai/ComfyUI-Miaoshouai-Tagger/tree/9a4697bedff397ce5d9d52cc2b3cc6fd4bee1482',
  nodes: {
    // The second slot is the encoding of no text at all.
    Miaoshouai_Flux_CLIPTextEncode: {
      role: 'encoder',
      takes: { clip: 'clip' },
      gives: [['clip'], ['clip'], [], [], []],
      reads: {
        POSITIVE_PROMPT: { input: 'caption', on: 'positive', slot: 0 },
        NEGATIVE_PROMPT: { input: 'caption', on: 'negative', slot: 0 },
        GUIDANCE: { input: 'guidance', on: 'positive', slot: 0 },
      },
    },
    Miaoshouai_Tagger: { role: 'string', takes: { images: 'same' }, gives: [['images'], [], [], [], []] },
    Miaoshouai_SaveTags: { role: 'string', takes: { captions: 'same' }, gives: [['captions']] },
    Miaoshouai_Caption_Analyzer: { role: 'string' },
  },
});
