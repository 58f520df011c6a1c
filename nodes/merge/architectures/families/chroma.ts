import { defineArchitecture } from '../define.ts';

export default defineArchitecture({
  family: 'chroma',
  title: 'Chroma',
  prefix: 'model.diffusion_model.',
  layouts: [
    {
      space: 'original',
      has: [
        { name: 'double_blocks.0.img_attn.norm.key_norm.scale', shape: [128] },
        { name: 'distilled_guidance_layer.norms.0.scale', shape: [5120] },
        { name: 'txt_in.weight', shape: [3072, 4096] },
      ],
    },
    {
      space: 'original',
      has: [
        { name: 'double_blocks.0.img_attn.norm.key_norm.scale', shape: [128] },
        { name: 'distilled_guidance_layer.0.norms.0.scale', shape: [5120] },
        { name: 'txt_in.weight', shape: [3072, 4096] },
      ],
    },
  ],
  variants: [
    { name: 'radiance', any: [{ name: 'nerf_blocks.0.norm.scale' }] },
    { name: 'base', any: [{ name: 'img_in.weight' }] },
  ],
  encoders: [{ id: 't5xxl', prefixes: ['text_encoders.t5xxl.', 'text_encoder.'] }],
  vae: ['vae.', 'first_stage_model.'],
  blocks: {
    slots: [
      { block: 'T5', encoders: ['t5xxl'] },
      {
        block: 'IN',
        denoiser: ['img_in', 'txt_in.', 'distilled_guidance_layer.', 'nerf_image_embedder.'],
      },
      { block: 'D', denoiser: ['double_blocks.'], count: 19 },
      { block: 'S', denoiser: ['single_blocks.'], count: 38 },
      { block: 'OUT', denoiser: ['final_layer.', 'nerf_blocks.', 'nerf_final_layer'] },
    ],
  },
});
