import { defineRules } from '../define.ts';

/**
 * Loaders for models and text encoders in GGUF files. The class types spell CLIP in capitals, as ComfyUI's own loaders
 * do. `dequant_dtype` and `patch_dtype` say in what the weights are computed, not how they are stored, and are no
 * weight type of the model.
 */
export default defineRules({
  pack: 'gguf',
  source: 'https://github.com/city96/ComfyUI-GGUF/tree/795e45156ece99afbc3efef911e63fcb46e6a20d',
  nodes: {
    UnetLoaderGGUF: { role: 'loader', reads: { MODEL_NAME: { input: 'unet_name', on: 'model' } } },
    UnetLoaderGGUFAdvanced: { role: 'loader', reads: { MODEL_NAME: { input: 'unet_name', on: 'model' } } },
    CLIPLoaderGGUF: { role: 'loader', reads: { CLIP_MODEL_NAME: { input: 'clip_name', on: 'clip' } } },
    DualCLIPLoaderGGUF: {
      role: 'loader',
      reads: { CLIP_MODEL_NAME: { inputs: ['clip_name1', 'clip_name2'], on: 'clip' } },
    },
    TripleCLIPLoaderGGUF: {
      role: 'loader',
      reads: { CLIP_MODEL_NAME: { inputs: ['clip_name1', 'clip_name2', 'clip_name3'], on: 'clip' } },
    },
    QuadrupleCLIPLoaderGGUF: {
      role: 'loader',
      reads: {
        CLIP_MODEL_NAME: { inputs: ['clip_name1', 'clip_name2', 'clip_name3', 'clip_name4'], on: 'clip' },
      },
    },
  },
});
