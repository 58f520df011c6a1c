import { defineRules, type NodeRule, type Place, type Stream } from '../define.ts';

/**
 * Scales a picture and samples it again tile by tile. The upscale model is brought to the factor that the
 * node names, whatever its own is.
 */

const PICTURE: readonly Stream[] = ['latent', 'image'];

const TAKES = {
  model: 'model',
  positive: 'positive',
  negative: 'negative',
  vae: 'vae',
} satisfies NodeRule['takes'];

const SETTINGS = {
  SEED: { input: 'seed' },
  STEPS: { input: 'steps' },
  CFG: { input: 'cfg' },
  SAMPLER_NAME: { input: 'sampler_name' },
  SCHEDULER: { input: 'scheduler' },
  DENOISE: { input: 'denoise' },
} satisfies NodeRule['reads'];
const SCALED = { SCALE_BY: { input: 'upscale_by', on: PICTURE } } satisfies NodeRule['reads'];

/** The node's own setting, where not both a sampler and sigmas come in. */
function builtIn(input: string): readonly Place[] {
  return [
    { input, if: { input: 'custom_sampler', linked: false } },
    { input, if: { input: 'custom_sigmas', linked: false } },
  ];
}

export default defineRules({
  pack: 'ultimate-sd-upscale',
  source: 'https://github.com/ssitu/ComfyUI_UltimateSDUpscale/tree/34a3c2c0d8a0321d4f9a355092f105046e56d998',
  nodes: {
    UltimateSDUpscale: {
      role: 'sampler',
      takes: { ...TAKES, image: 'image', upscale_model: 'upscale' },
      puts: ['image'],
      reads: { ...SETTINGS, ...SCALED },
    },
    UltimateSDUpscaleNoUpscale: {
      role: 'sampler',
      takes: { ...TAKES, upscaled_image: 'image' },
      puts: ['image'],
      reads: SETTINGS,
    },
    // The custom sampler and sigmas count together or not at all.
    UltimateSDUpscaleCustomSample: {
      role: 'sampler',
      takes: {
        ...TAKES,
        image: 'image',
        upscale_model: 'upscale',
        custom_sampler: 'sampler',
        custom_sigmas: 'sigmas',
      },
      only: {
        custom_sampler: { input: 'custom_sigmas', linked: true },
        custom_sigmas: { input: 'custom_sampler', linked: true },
      },
      puts: ['image'],
      reads: {
        ...SETTINGS,
        ...SCALED,
        STEPS: builtIn('steps'),
        SAMPLER_NAME: builtIn('sampler_name'),
        SCHEDULER: builtIn('scheduler'),
        DENOISE: builtIn('denoise'),
      },
    },
  },
});
