import { defineArchitecture } from '../define.ts';

export default defineArchitecture({
  family: 'sd3',
  title: 'SD3',
  prefix: 'model.diffusion_model.',
  layouts: [
    {
      space: 'original',
      has: [
        { name: 'joint_blocks.0.context_block.attn.qkv.weight', shape: [null, null] },
        { name: 'x_embedder.proj.weight', shape: [null, 16, 2, 2] },
        { name: 'context_embedder.weight', shape: [null, 4096] },
      ],
    },
  ],
  variants: [
    {
      name: '3.5-medium',
      any: [{ name: 'joint_blocks.0.x_block.attn2.qkv.weight' }],
    },
    {
      name: '3.5-large',
      any: [{ name: 'joint_blocks.37.x_block.attn.qkv.weight' }],
    },
    {
      name: '3-medium',
      any: [{ name: 'joint_blocks.23.x_block.attn.qkv.weight' }],
    },
  ],
  encoders: [
    { id: 'clip_l', prefixes: ['text_encoders.clip_l.', 'text_encoder.'] },
    { id: 'clip_g', prefixes: ['text_encoders.clip_g.', 'text_encoder_2.'] },
    { id: 't5xxl', prefixes: ['text_encoders.t5xxl.', 'text_encoder_3.'] },
  ],
  vae: ['first_stage_model.', 'vae.'],
  blocks: {
    slots: [
      { block: 'CLIP', encoders: ['clip_l', 'clip_g'] },
      { block: 'T5', encoders: ['t5xxl'] },
      {
        block: 'IN',
        denoiser: [
          'pos_embed',
          'x_embedder.',
          't_embedder.',
          'y_embedder.',
          'context_embedder.',
          'context_processor.',
        ],
      },
      { block: 'J', denoiser: ['joint_blocks.'], count: 24 },
      { block: 'OUT', denoiser: ['final_layer.'] },
    ],
  },
});
