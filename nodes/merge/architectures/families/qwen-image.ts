import { defineArchitecture } from '../define.ts';

export default defineArchitecture({
  family: 'qwen-image',
  title: 'Qwen-Image',
  prefix: 'model.diffusion_model.',
  layouts: [
    {
      // The authors' names are those of diffusers.
      space: 'original',
      has: [
        { name: 'txt_norm.weight', shape: [3584] },
        { name: 'img_in.weight', shape: [3072, 64] },
        { name: 'transformer_blocks.0.img_mod.1.weight', shape: [18432, 3072] },
      ],
    },
  ],
  variants: [
    { name: 'layered', any: [{ name: 'time_text_embed.addition_t_embedding.weight' }] },
    { name: 'base', any: [{ name: 'img_in.weight' }] },
  ],
  encoders: [{ id: 'llm', prefixes: ['text_encoders.qwen25_7b.', 'text_encoder.'] }],
  vae: ['vae.', 'first_stage_model.'],
  blocks: {
    slots: [
      { block: 'LLM', encoders: ['llm'] },
      { block: 'IN', denoiser: ['img_in.', 'txt_in.', 'txt_norm.', 'time_text_embed.'] },
      { block: 'B', denoiser: ['transformer_blocks.'], count: 60 },
      { block: 'OUT', denoiser: ['norm_out.', 'proj_out.'] },
    ],
  },
});
