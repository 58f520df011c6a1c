import { defineRules, type NodeRule } from '../define.ts';

/**
 * Sampling that goes back some steps and repeats them. STEPS is the declared number, as with any KSampler;
 * how many more the restarts add follows from the model's sigmas.
 */

const TAKES = {
  model: 'model',
  positive: 'positive',
  negative: 'negative',
  latent_image: 'latent',
} satisfies NodeRule['takes'];

const WHOLE: NodeRule = {
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
};

const RANGE = {
  SEED: { input: 'noise_seed' },
  STEPS: { input: 'steps' },
  CFG: { input: 'cfg' },
  SCHEDULER: { input: 'scheduler' },
  START_STEP: { input: 'start_at_step' },
  END_STEP: { input: 'end_at_step' },
} satisfies NodeRule['reads'];

export default defineRules({
  pack: 'restart-sampling',
  source: 'https://github.com/ssitu/ComfyUI_restart_sampling/tree/5b06f9623f7884d36f7b07af66bc6427f30ebf15',
  nodes: {
    KRestartSamplerSimple: WHOLE,
    KRestartSampler: WHOLE,
    KRestartSamplerAdv: {
      role: 'sampler',
      takes: TAKES,
      puts: ['latent'],
      reads: { ...RANGE, SAMPLER_NAME: { input: 'sampler_name' } },
    },
    KRestartSamplerCustom: {
      role: 'sampler',
      takes: { ...TAKES, sampler: 'sampler' },
      puts: ['latent', 'latent'],
      reads: RANGE,
    },
    // Sigmas that are put in stand instead of the schedule.
    RestartScheduler: {
      role: 'scheduler',
      takes: { sigmas_opt: 'same' },
      reads: {
        SCHEDULER: { input: 'scheduler', on: 'sigmas', if: { input: 'sigmas_opt', linked: false } },
        STEPS: { input: 'steps', on: 'sigmas', if: { input: 'sigmas_opt', linked: false } },
        DENOISE: { input: 'denoise', on: 'sigmas', if: { input: 'sigmas_opt', linked: false } },
        START_STEP: { input: 'start_at_step', on: 'sigmas' },
        END_STEP: { input: 'end_at_step', on: 'sigmas' },
      },
    },
    RestartSampler: { role: 'passthrough', takes: { sampler: 'same' } },
  },
});
