import { defineRules } from '../define.ts';

/**
 * The restart samplers that this pack adds to those of the pack `restart-sampling`, and what wraps a sampler.
 * Left out: the momentum samplers and the many kinds of noise.
 */
export default defineRules({
  pack: 'sonar',
  source: 'https://github.com/blepping/ComfyUI-sonar/tree/6c4ae67e325d457f6a5cc5a0842a2f04f67c8f4a',
  nodes: {
    KRestartSamplerCustomNoise: {
      role: 'sampler',
      takes: {
        model: 'model',
        positive: 'positive',
        negative: 'negative',
        sampler: 'sampler',
        latent_image: 'latent',
      },
      puts: ['latent', 'latent'],
      reads: {
        SEED: { input: 'noise_seed' },
        STEPS: { input: 'steps' },
        CFG: { input: 'cfg' },
        SCHEDULER: { input: 'scheduler' },
        START_STEP: { input: 'start_at_step' },
        END_STEP: { input: 'end_at_step' },
      },
    },
    RestartSamplerCustomNoise: { role: 'passthrough', takes: { sampler: 'same' } },
    SamplerConfigOverride: { role: 'passthrough', takes: { sampler: 'same' } },
  },
});
