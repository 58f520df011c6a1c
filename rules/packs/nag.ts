import { defineRules, type NodeRule } from '../define.ts';

/**
 * Normalized attention guidance: a second negative prompt that works in the attention, also where the CFG
 * scale is 1 and the ordinary one does nothing. Both are negative prompts. `latent_image` of the guiders only
 * gives a shape.
 */

const TAKES = {
  model: 'model',
  positive: 'positive',
  negative: 'negative',
  nag_negative: 'negative',
} satisfies NodeRule['takes'];

export default defineRules({
  pack: 'nag',
  source: 'https://github.com/ChenDarYen/ComfyUI-NAG/tree/ef8a641be08983cf5f06669f70719b6eecce3c7f',
  nodes: {
    KSamplerWithNAG: {
      role: 'sampler',
      takes: { ...TAKES, latent_image: 'latent' },
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
    'KSamplerWithNAG (Advanced)': {
      role: 'sampler',
      takes: { ...TAKES, latent_image: 'latent' },
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
    SamplerCustomWithNAG: {
      role: 'sampler',
      takes: { ...TAKES, sampler: 'sampler', sigmas: 'sigmas', latent_image: 'latent' },
      puts: ['latent', 'latent'],
      reads: { SEED: { input: 'noise_seed' }, CFG: { input: 'cfg' } },
    },
    NAGGuider: {
      role: 'guider',
      takes: { model: 'model', conditioning: 'positive', nag_negative: 'negative' },
    },
    NAGCFGGuider: {
      role: 'guider',
      takes: TAKES,
      reads: { CFG: { input: 'cfg', on: 'guider' } },
    },
  },
});
