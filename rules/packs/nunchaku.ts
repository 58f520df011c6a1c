import { defineRules } from '../define.ts';

/** Models in four bits for Flux and Qwen-Image. The wrapper takes LoRAs of its own loaders only. */
export default defineRules({
  pack: 'nunchaku',
  source: 'https://github.com/nunchaku-tech/ComfyUI-nunchaku/tree/dbfd194294b727d9bec597a9a5df6d431c5d3a6f',
  nodes: {
    NunchakuFluxDiTLoader: {
      role: 'loader',
      reads: {
        MODEL_NAME: { input: 'model_path', on: 'model' },
        WEIGHT_DTYPE: { input: 'data_type', on: 'model' },
      },
    },
    NunchakuQwenImageDiTLoader: {
      role: 'loader',
      reads: { MODEL_NAME: { input: 'model_name', on: 'model' } },
    },

    // One strength, for the model.
    NunchakuFluxLoraLoader: {
      role: 'patch',
      takes: { model: 'same' },
      reads: {
        LORA_MODEL_NAME: { input: 'lora_name', on: 'model' },
        LORA_STRENGTH_MODEL: { input: 'lora_strength', on: 'model' },
      },
    },
    // Fifteen slots; those that say None are passed over.
    NunchakuFluxLoraStack: {
      role: 'patch',
      takes: { model: 'same' },
      reads: {
        LORA_MODEL_NAME: { prefix: 'lora_name_', on: 'model' },
        LORA_STRENGTH_MODEL: { prefix: 'lora_strength_', on: 'model' },
      },
    },

    NunchakuTextEncoderLoaderV2: {
      role: 'loader',
      reads: { CLIP_MODEL_NAME: { inputs: ['text_encoder1', 'text_encoder2'], on: 'clip' } },
    },
    // A T5 of four bits takes the place of the one that was loaded before it.
    NunchakuTextEncoderLoader: {
      role: 'loader',
      reads: {
        CLIP_MODEL_NAME: [
          {
            inputs: ['text_encoder1', 'text_encoder2', 'int4_model'],
            on: 'clip',
            if: { input: 'use_4bit_t5', is: 'enable' },
          },
          {
            inputs: ['text_encoder1', 'text_encoder2'],
            on: 'clip',
            if: { input: 'use_4bit_t5', not: 'enable' },
          },
        ],
      },
    },

    // A face or a picture that only guides.
    NunchakuPulidLoader: { role: 'patch', takes: { model: 'same' }, gives: [['model'], []] },
    NunchakuPuLIDLoaderV2: { role: 'patch', takes: { model: 'same' }, gives: [['model'], []] },
    NunchakuPulidApply: { role: 'patch', takes: { model: 'same', image: 'reference' } },
    NunchakuFluxPuLIDApplyV2: { role: 'patch', takes: { model: 'same', image: 'reference' } },
    NunchakuIPAdapterLoader: { role: 'patch', takes: { model: 'same' }, gives: [['model'], []] },
    NunchakuFluxIPAdapterApply: { role: 'patch', takes: { model: 'same', image: 'reference' } },
    NunchakuDepthPreprocessor: { role: 'image', takes: { image: 'same' } },
  },
});
