import { defineRules, type NodeRule } from '../define.ts';

/**
 * The samplers of the Fill nodes, and the texts they are fed with. Model, conditionings and VAE come out of a
 * sampler as they went in; the latent and the image are what it made.
 */

const TAKES = {
  model: 'model',
  positive: 'positive',
  negative: 'negative',
  latent_image: 'latent',
  image: 'image',
  vae: 'vae',
} satisfies NodeRule['takes'];
const ALL = ['model', 'positive', 'negative', 'latent_image', 'image', 'vae'] as const;
const GIVES = [['model'], ['positive'], ['negative'], ALL, ['vae'], ALL] as const;
const PUTS = ['model', 'positive', 'negative', 'latent', 'vae', 'image'] as const;
const SETTINGS = {
  SEED: { input: 'seed' },
  STEPS: { input: 'steps' },
  CFG: { input: 'cfg' },
  SAMPLER_NAME: { input: 'sampler_name' },
  DENOISE: { input: 'denoise' },
} satisfies NodeRule['reads'];
const SCHEDULED = { ...SETTINGS, SCHEDULER: { input: 'scheduler' } } satisfies NodeRule['reads'];

/** A picture that can be encoded goes before a latent. */
const IMAGE_FIRST = {
  image: { input: 'vae', linked: true },
  latent_image: { input: 'image', linked: false },
} satisfies NodeRule['only'];
const BY_TYPE = {
  image: { input: 'input_type', is: 'image' },
  latent_image: { input: 'input_type', is: 'latent' },
} satisfies NodeRule['only'];

/** Text that only running the node can make. */
const UNRESOLVED_TEXT: NodeRule = { role: 'string' };

export default defineRules({
  pack: 'fill-nodes',
  source: 'https://github.com/filliptm/ComfyUI_Fill-Nodes/tree/1b7724cb53a9a28ffeba874f4b541853fbd9a83f',
  nodes: {
    FL_KsamplerBasic: {
      role: 'sampler',
      takes: TAKES,
      only: IMAGE_FIRST,
      gives: GIVES,
      puts: PUTS,
      reads: SCHEDULED,
    },
    FL_KsamplerPlus: {
      role: 'sampler',
      takes: TAKES,
      only: BY_TYPE,
      gives: GIVES,
      puts: PUTS,
      reads: SCHEDULED,
    },
    FL_KsamplerPlusV2: {
      role: 'sampler',
      takes: TAKES,
      only: BY_TYPE,
      gives: [...GIVES, []],
      puts: [...PUTS, 'value'],
      reads: SCHEDULED,
    },
    FL_KsamplerContextWindow: {
      role: 'sampler',
      takes: TAKES,
      only: IMAGE_FIRST,
      gives: [...GIVES, []],
      puts: [...PUTS, 'value'],
      reads: SCHEDULED,
    },
    // Its schedule is a curve drawn by hand, which has no name.
    FL_KsamplerSigma: {
      role: 'sampler',
      takes: TAKES,
      only: IMAGE_FIRST,
      gives: [...GIVES, []],
      puts: [...PUTS, 'sigmas'],
      reads: SETTINGS,
    },
    // Samples again at ever larger scales: the size is known of a run only.
    FL_FractalKSampler: {
      role: 'sampler',
      takes: {
        model: 'model',
        positive: 'positive',
        negative: 'negative',
        latent_image: 'latent',
        vae: 'vae',
      },
      gives: [['model', 'positive', 'negative', 'latent_image'], ['vae']],
      puts: ['latent', 'vae'],
      reads: SCHEDULED,
      resizes: true,
    },

    FL_PromptBasic: {
      role: 'string',
      computes: [
        {
          op: 'join',
          parts: [{ input: 'prepend' }, { input: 'prompt' }, { input: 'append' }],
          separator: { value: '' },
        },
      ],
    },
    FL_PromptMulti: UNRESOLVED_TEXT,
    FL_PromptSelector: UNRESOLVED_TEXT,
    FL_PromptSelectorBasic: UNRESOLVED_TEXT,
    FL_MadLibGenerator: UNRESOLVED_TEXT,
  },
});
