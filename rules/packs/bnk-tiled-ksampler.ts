import { defineRules, type NodeRule } from '../define.ts';

/** KSamplers that work tile by tile; the picture keeps the size of its latent. */

const TAKES = {
  model: 'model',
  positive: 'positive',
  negative: 'negative',
  latent_image: 'latent',
} satisfies NodeRule['takes'];

export default defineRules({
  pack: 'bnk-tiled-ksampler',
  source:
    'https://github.com/BlenderNeko/ComfyUI_TiledKSampler/tree/2fd9b05d97ecffc604c642ffbb40220b182966b2',
  nodes: {
    BNK_TiledKSampler: {
      role: 'sampler',
      takes: TAKES,
      puts: ['latent'],
      reads: {
        SEED: { input: 'seed' },
        STEPS: { input: 'steps' },
        CFG: { input: 'cfg' },
        SAMPLER_NAME: { input: 'sampler_name' },
        SCHEDULER: { input: 'scheduler' },
        DENOISE: { input: 'denoise' },
      },
    },
    BNK_TiledKSamplerAdvanced: {
      role: 'sampler',
      takes: TAKES,
      puts: ['latent'],
      reads: {
        SEED: { input: 'noise_seed' },
        STEPS: { input: 'steps' },
        CFG: { input: 'cfg' },
        SAMPLER_NAME: { input: 'sampler_name' },
        SCHEDULER: { input: 'scheduler' },
        START_STEP: { input: 'start_at_step' },
        END_STEP: { input: 'end_at_step' },
      },
    },
  },
});
