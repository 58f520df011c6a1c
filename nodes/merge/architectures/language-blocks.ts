import type { BlockPlan } from './define.ts';

/** The blocks of a decoder-only language model: IN (token embedding), its layers from L00 on, OUT (norm and head). */
export const LANGUAGE_BLOCKS: BlockPlan = {
  slots: [
    { block: 'IN', denoiser: ['model.embed_tokens.'] },
    { block: 'L', denoiser: ['model.layers.'], count: 32 },
    { block: 'OUT', denoiser: ['model.norm.', 'lm_head.'] },
  ],
};
