import { defineArchitecture } from '../define.ts';

export default defineArchitecture({
  family: 'hidream',
  title: 'HiDream',
  prefix: 'model.diffusion_model.',
  layouts: [
    {
      space: 'original',
      has: [
        { name: 'caption_projection.0.linear.weight', shape: [2560, 4096] },
        { name: 'double_stream_blocks.0.block.adaLN_modulation.1.weight', shape: [30720, 2560] },
        { name: 'single_stream_blocks.0.block.adaLN_modulation.1.weight', shape: [15360, 2560] },
      ],
    },
  ],
  encoders: [
    { id: 'clip_l', prefixes: ['text_encoders.clip_l.', 'text_encoder.'] },
    { id: 'clip_g', prefixes: ['text_encoders.clip_g.', 'text_encoder_2.'] },
    { id: 't5xxl', prefixes: ['text_encoders.t5xxl.', 'text_encoder_3.'] },
    { id: 'llm', prefixes: ['text_encoders.llama.', 'text_encoder_4.'] },
  ],
  vae: ['vae.', 'first_stage_model.'],
  blocks: {
    slots: [
      { block: 'CLIP', encoders: ['clip_l', 'clip_g'] },
      { block: 'T5', encoders: ['t5xxl'] },
      { block: 'LLM', encoders: ['llm'] },
      { block: 'IN', denoiser: ['t_embedder.', 'p_embedder.', 'x_embedder.', 'caption_projection.'] },
      { block: 'D', denoiser: ['double_stream_blocks.'], count: 16 },
      { block: 'S', denoiser: ['single_stream_blocks.'], count: 32 },
      { block: 'OUT', denoiser: ['final_layer.'] },
    ],
  },
});
