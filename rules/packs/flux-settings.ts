import { defineRules } from '../define.ts';

/**
 * One node for what a SamplerCustomAdvanced with Flux needs: guidance, sampler, sigmas and noise, a slot
 * each.
 */
export default defineRules({
  pack: 'flux-settings',
  source:
    'https://github.com/Light-x02/ComfyUI-FluxSettingsNode/tree/7c6bd492250e8768a78ee9b1cb9980c54e7f68e2',
  nodes: {
    // The model only gives its range of noise.
    FluxSettingsNode: {
      role: 'passthrough',
      takes: { conditioning: 'same' },
      gives: [['conditioning'], [], [], []],
      reads: {
        GUIDANCE: { input: 'guidance', on: 'positive', slot: 0 },
        SAMPLER_NAME: { input: 'sampler_name', on: 'sampler', slot: 1 },
        SCHEDULER: { input: 'scheduler', on: 'sigmas', slot: 2 },
        STEPS: { input: 'steps', on: 'sigmas', slot: 2 },
        DENOISE: { input: 'denoise', on: 'sigmas', slot: 2 },
        SEED: { input: 'noise_seed', on: 'noise', slot: 3 },
      },
    },
  },
});
