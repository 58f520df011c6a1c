import { defineArchitecture } from '../define.ts';

export default defineArchitecture({
  family: 'wan',
  title: 'Wan',
  prefix: 'model.diffusion_model.',
  layouts: [
    {
      space: 'original',
      has: [
        { name: 'head.modulation', shape: [1, 2, null] },
        { name: 'patch_embedding.weight', shape: [null, null, 1, 2, 2] },
        { name: 'text_embedding.0.weight', shape: [null, 4096] },
        { name: 'blocks.0.self_attn.q.weight', shape: [null, null] },
      ],
    },
  ],
  variants: [
    { name: 'vace', any: [{ name: 'vace_patch_embedding.weight' }] },
    { name: 's2v', any: [{ name: 'casual_audio_encoder.encoder.final_linear.weight' }] },
    { name: 'humo', any: [{ name: 'audio_proj.audio_proj_glob_1.layer.bias' }] },
    { name: 'animate', any: [{ name: 'face_adapter.fuser_blocks.0.k_norm.weight' }] },
    { name: 'camera', any: [{ name: 'control_adapter.conv.weight' }] },
    { name: 'i2v', any: [{ name: 'img_emb.proj.0.bias' }] },
    { name: 't2v', any: [{ name: 'patch_embedding.weight' }] },
  ],
  encoders: [{ id: 'umt5xxl', prefixes: ['text_encoders.umt5xxl.', 'text_encoder.'] }],
  vae: ['vae.', 'first_stage_model.'],
  blocks: {
    slots: [
      { block: 'T5', encoders: ['umt5xxl'] },
      {
        block: 'IN',
        denoiser: [
          'patch_embedding.',
          'text_embedding.',
          'time_embedding.',
          'time_projection.',
          'img_emb.',
          'ref_conv.',
          'vace_patch_embedding.',
          'control_adapter.',
          'trainable_cond_mask.',
          'casual_audio_encoder.',
          'cond_encoder.',
          'frame_packer.',
          'audio_injector.',
          'audio_proj.',
          'pose_patch_embedding.',
          'motion_encoder.',
          'face_encoder.',
          'face_adapter.',
        ],
      },
      { block: 'B', denoiser: ['blocks.'], count: 40 },
      { block: 'V', denoiser: ['vace_blocks.'], count: 0 },
      { block: 'OUT', denoiser: ['head.'] },
    ],
  },
});
