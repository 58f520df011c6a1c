import { defineArchitecture } from '../define.ts';
import { unetBlocks } from '../unet-blocks.ts';

export default defineArchitecture({
  family: 'sd2',
  title: 'SD2',
  prefix: 'model.diffusion_model.',
  layouts: [
    {
      space: 'original',
      has: [
        { name: 'input_blocks.0.0.weight', shape: [320, null, 3, 3] },
        { name: 'input_blocks.1.1.transformer_blocks.0.attn2.to_k.weight', shape: [320, 1024] },
        { name: 'input_blocks.1.1.proj_in.weight', shape: [320, 320] },
      ],
      lacks: ['label_emb.*'],
    },
    {
      space: 'diffusers',
      has: [
        { name: 'conv_in.weight', shape: [320, null, 3, 3] },
        { name: 'down_blocks.0.attentions.0.transformer_blocks.0.attn2.to_k.weight', shape: [320, 1024] },
        { name: 'down_blocks.0.attentions.0.proj_in.weight', shape: [320, 320] },
      ],
      lacks: ['add_embedding.*'],
    },
    { space: 'kohya', has: [{ name: 'lora_unet_*_attn2_to_k.lora_down.weight', shape: [null, 1024] }] },
    { space: 'peft', has: [{ name: 'unet.*.attn2.to_k.lora_A.weight', shape: [null, 1024] }] },
  ],
  variants: [
    {
      name: 'inpainting',
      any: [
        { name: 'input_blocks.0.0.weight', shape: [320, 9, 3, 3] },
        { name: 'conv_in.weight', shape: [320, 9, 3, 3] },
      ],
    },
    {
      name: 'depth',
      any: [
        { name: 'input_blocks.0.0.weight', shape: [320, 5, 3, 3] },
        { name: 'conv_in.weight', shape: [320, 5, 3, 3] },
      ],
    },
  ],
  encoders: [
    {
      id: 'clip_h',
      prefixes: ['cond_stage_model.model.', 'text_encoders.clip_h.transformer.', 'text_encoder.'],
      clip: { layout: 'openclip', layers: 24, width: 1024, kohya: 'lora_te_', pipeline: 'text_encoder' },
    },
  ],
  vae: ['first_stage_model.', 'vae.'],
  blocks: unetBlocks(12, ['clip_h'], 'BASE'),
  structure: { kind: 'unet', residuals: 2, depths: [1, 1, 1, 0], middleDepth: 1, labels: false },
});
