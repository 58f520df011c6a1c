import { defineArchitecture } from '../define.ts';

export default defineArchitecture({
  family: 'hunyuan-video',
  title: 'HunyuanVideo',
  prefix: 'model.diffusion_model.',
  layouts: [
    {
      space: 'original',
      has: [
        { name: 'txt_in.individual_token_refiner.blocks.0.norm1.weight', shape: [null] },
        { name: 'img_in.proj.weight' },
        { name: 'double_blocks.0.img_attn.qkv.weight', shape: [null, null] },
      ],
    },
  ],
  variants: [
    { name: '1.5', any: [{ name: 'cond_type_embedding.weight' }] },
    { name: 'i2v', any: [{ name: 'img_in.proj.weight', shape: [null, 33, 1, 2, 2] }] },
    { name: 't2v', any: [{ name: 'img_in.proj.weight', shape: [null, 16, 1, 2, 2] }] },
  ],
  encoders: [
    { id: 'llm', prefixes: ['text_encoders.llama.', 'text_encoders.qwen25_7b.'] },
    { id: 'clip_l', prefixes: ['text_encoders.clip_l.'] },
  ],
  vae: ['vae.', 'first_stage_model.'],
  blocks: {
    slots: [
      { block: 'LLM', encoders: ['llm'] },
      { block: 'CLIP', encoders: ['clip_l'] },
      {
        block: 'IN',
        denoiser: [
          'img_in.',
          'time_in.',
          'time_r_in.',
          'guidance_in.',
          'vector_in.',
          'txt_in.',
          'byt5_in.',
          'vision_in.',
          'cond_type_embedding.',
        ],
      },
      { block: 'D', denoiser: ['double_blocks.'], count: 20 },
      { block: 'S', denoiser: ['single_blocks.'], count: 40 },
      { block: 'OUT', denoiser: ['final_layer.'] },
    ],
  },
});
