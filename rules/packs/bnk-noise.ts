import { defineRules, type Stream } from '../define.ts';

/** Noise as a latent, and sampling backwards: from a picture to the noise that gives it. */

const PICTURE: readonly Stream[] = ['latent', 'image'];

export default defineRules({
  pack: 'bnk-noise',
  source: 'https://github.com/BlenderNeko/ComfyUI_Noise/tree/0c9ec19b16dc72334cb8ce82c3774aed183048e4',
  nodes: {
    // The sampler behind it makes the picture. Its last step counts from the end, so that it declares no
    // range as a KSamplerAdvanced does.
    BNK_Unsampler: {
      role: 'latent',
      takes: { model: 'model', positive: 'positive', negative: 'negative', latent_image: 'latent' },
      puts: ['latent'],
      reads: {
        STEPS: { input: 'steps' },
        CFG: { input: 'cfg' },
        SAMPLER_NAME: { input: 'sampler_name' },
        SCHEDULER: { input: 'scheduler' },
      },
    },
    BNK_NoisyLatentImage: {
      role: 'latent',
      reads: {
        SEED: { input: 'seed', on: PICTURE },
        IMAGE_WIDTH: { input: 'width', on: PICTURE },
        IMAGE_HEIGHT: { input: 'height', on: PICTURE },
        BATCH_SIZE: { input: 'batch_size', on: PICTURE },
      },
    },
    // What is mixed in is noise, not a picture.
    BNK_InjectNoise: { role: 'latent', takes: { latents: 'same' } },
    BNK_SlerpLatent: { role: 'latent', takes: { latents1: 'same', latents2: 'same' } },
    BNK_GetSigma: { role: 'value' },
  },
});
