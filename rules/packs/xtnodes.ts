import { defineRules, type NodeRule, type Stream } from '../define.ts';

/**
 * Loaders with previews. Those that load by an address of Civitai's are left out: the name of the file is in
 * the answer of the site. So are the two that clean and join prompts, which drop what they take for a
 * repetition.
 */

const LOADED: readonly Stream[] = ['model', 'clip'];
const RUNS = { input: 'bypass', not: true } as const;

const LORA_IN_STACK = {
  LORA_MODEL_NAME: { input: 'model_name', on: LOADED, if: RUNS },
  LORA_STRENGTH_MODEL: { input: 'lora_weight', on: 'model', if: RUNS },
} satisfies NodeRule['reads'];

export default defineRules({
  pack: 'xtnodes',
  source:
    'https://github.com/X-T-E-R/ComfyUI-EasyCivitai-XTNodes/tree/afba95227fb2ffad52cc5a0dc5ed6ef1fe98da68',
  nodes: {
    CheckpointLoaderSimpleWithPreviews: {
      role: 'loader',
      reads: { MODEL_NAME: { input: 'model_name', on: 'model' } },
    },
    LoraLoaderWithPreviews: {
      role: 'patch',
      takes: { model: 'same', clip: 'same' },
      gives: [['model'], ['clip']],
      reads: {
        LORA_MODEL_NAME: { input: 'model_name', on: LOADED },
        LORA_STRENGTH_MODEL: { input: 'strength_model', on: 'model' },
        LORA_STRENGTH_CLIP: { input: 'strength_clip', on: 'clip' },
      },
    },
    // Stacks of (name, strength, strength), for the loaders of other packs that take one.
    LoraLoaderStackedWithPreviews: {
      role: 'patch',
      takes: { lora_stack: 'same' },
      reads: {
        ...LORA_IN_STACK,
        LORA_STRENGTH_CLIP: { input: 'lora_weight', on: 'clip', if: RUNS },
      },
    },
    LoraLoaderStackedAdvancedWithPreviews: {
      role: 'patch',
      takes: { lora_stack: 'same' },
      reads: {
        ...LORA_IN_STACK,
        LORA_STRENGTH_CLIP: { input: 'clip_weight', on: 'clip', if: RUNS },
      },
    },
  },
});
