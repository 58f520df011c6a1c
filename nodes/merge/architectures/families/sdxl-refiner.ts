import { defineArchitecture } from '../define.ts';
import { unetBlocks } from '../unet-blocks.ts';

export default defineArchitecture({
  family: 'sdxl-refiner',
  title: 'SDXL Refiner',
  modelspec: 'stable-diffusion-xl-v1-refiner',
  prefix: 'model.diffusion_model.',
  layouts: [
    {
      space: 'original',
      has: [
        { name: 'label_emb.0.0.weight', shape: [1536, 2560] },
        { name: 'input_blocks.0.0.weight', shape: [384, null, 3, 3] },
        { name: 'input_blocks.4.1.transformer_blocks.3.attn2.to_k.weight', shape: [768, 1280] },
        { name: 'input_blocks.9.0.op.weight', shape: [1536, 1536, 3, 3] },
      ],
    },
    {
      space: 'diffusers',
      has: [
        { name: 'add_embedding.linear_1.weight', shape: [1536, 2560] },
        { name: 'conv_in.weight', shape: [384, null, 3, 3] },
        { name: 'down_blocks.1.attentions.0.transformer_blocks.3.attn2.to_k.weight', shape: [768, 1280] },
        { name: 'down_blocks.2.downsamplers.0.conv.weight', shape: [1536, 1536, 3, 3] },
      ],
    },
    { space: 'kohya', has: [{ name: 'lora_unet_*_attn2_to_k.lora_down.weight', shape: [null, 1280] }] },
  ],
  encoders: [
    {
      id: 'clip_g',
      prefixes: ['conditioner.embedders.0.model.', 'text_encoders.clip_g.transformer.', 'text_encoder_2.'],
      clip: { layout: 'openclip', layers: 32, width: 1280, kohya: 'lora_te2_', pipeline: 'text_encoder_2' },
    },
  ],
  vae: ['first_stage_model.', 'vae.'],
  blocks: unetBlocks(12, ['clip_g'], 'VAE'),
  structure: { kind: 'unet', residuals: 2, depths: [0, 4, 4, 0], middleDepth: 4, labels: true },
});
