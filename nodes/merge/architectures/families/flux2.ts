import { defineArchitecture } from '../define.ts';

export default defineArchitecture({
  family: 'flux2',
  title: 'Flux.2',
  prefix: 'model.diffusion_model.',
  layouts: [
    {
      space: 'original',
      has: [
        { name: 'double_blocks.0.img_attn.norm.key_norm.scale', shape: [128] },
        { name: 'img_in.weight', shape: [null, 128] },
        { name: 'double_stream_modulation_img.lin.weight', shape: [null, null] },
        { name: 'single_stream_modulation.lin.weight', shape: [null, null] },
      ],
    },
  ],
  variants: [{ name: 'dev', any: [{ name: 'txt_in.weight', shape: [6144, 15360] }] }],
  encoders: [{ id: 'llm', prefixes: ['text_encoders.mistral3_24b.', 'text_encoder.'] }],
  vae: ['vae.', 'first_stage_model.'],
  blocks: {
    slots: [
      { block: 'LLM', encoders: ['llm'] },
      {
        block: 'IN',
        denoiser: [
          'img_in.',
          'time_in.',
          'guidance_in.',
          'txt_in.',
          'double_stream_modulation_img.',
          'double_stream_modulation_txt.',
          'single_stream_modulation.',
        ],
      },
      { block: 'D', denoiser: ['double_blocks.'], count: 8 },
      { block: 'S', denoiser: ['single_blocks.'], count: 48 },
      { block: 'OUT', denoiser: ['final_layer.'] },
    ],
  },
});
