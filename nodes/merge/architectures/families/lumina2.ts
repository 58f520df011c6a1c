import { defineArchitecture } from '../define.ts';

export default defineArchitecture({
  family: 'lumina2',
  title: 'Lumina 2',
  prefix: 'model.diffusion_model.',
  layouts: [
    {
      space: 'original',
      has: [
        { name: 'cap_embedder.1.weight', shape: [null, null] },
        { name: 'noise_refiner.0.attention.qkv.weight', shape: [null, null] },
        { name: 'layers.0.attention.qkv.weight', shape: [null, null] },
      ],
    },
  ],
  variants: [
    { name: 'z-image', any: [{ name: 'cap_embedder.1.weight', shape: [3840, 2560] }] },
    { name: 'lumina2', any: [{ name: 'cap_embedder.1.weight', shape: [2304, 2304] }] },
  ],
  encoders: [
    {
      id: 'llm',
      prefixes: [
        'text_encoders.gemma2_2b.',
        'text_encoders.qwen3_4b.',
        'text_encoders.gemma3_4b.',
        'text_encoder.',
      ],
    },
  ],
  vae: ['vae.', 'first_stage_model.'],
  blocks: {
    slots: [
      { block: 'LLM', encoders: ['llm'] },
      {
        block: 'IN',
        denoiser: [
          'x_embedder.',
          't_embedder.',
          'cap_embedder.',
          'x_pad_token',
          'cap_pad_token',
          'clip_text_pooled_proj.',
          'time_text_embed.',
        ],
      },
      { block: 'N', denoiser: ['noise_refiner.'], count: 2 },
      { block: 'C', denoiser: ['context_refiner.'], count: 2 },
      { block: 'L', denoiser: ['layers.'], count: 26 },
      { block: 'OUT', denoiser: ['final_layer.', 'norm_final.'] },
    ],
  },
});
