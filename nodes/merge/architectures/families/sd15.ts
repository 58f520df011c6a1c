import { defineArchitecture } from '../define.ts';
import { unetBlocks } from '../unet-blocks.ts';

export default defineArchitecture({
  family: 'sd15',
  title: 'SD1.5',
  modelspec: 'stable-diffusion-v1',
  prefix: 'model.diffusion_model.',
  layouts: [
    {
      space: 'original',
      has: [
        { name: 'input_blocks.0.0.weight', shape: [320, null, 3, 3] },
        { name: 'input_blocks.1.1.transformer_blocks.0.attn2.to_k.weight', shape: [320, 768] },
        { name: 'input_blocks.1.1.proj_in.weight', shape: [320, 320, 1, 1] },
      ],
      lacks: ['label_emb.*'],
    },
    {
      space: 'diffusers',
      has: [
        { name: 'conv_in.weight', shape: [320, null, 3, 3] },
        { name: 'down_blocks.0.attentions.0.transformer_blocks.0.attn2.to_k.weight', shape: [320, 768] },
        { name: 'down_blocks.0.attentions.0.proj_in.weight', shape: [320, 320, 1, 1] },
      ],
      lacks: ['add_embedding.*'],
    },
    { space: 'kohya', has: [{ name: 'lora_unet_*_attn2_to_k.lora_down.weight', shape: [null, 768] }] },
    { space: 'peft', has: [{ name: 'unet.*.attn2.to_k.lora_A.weight', shape: [null, 768] }] },
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
      name: 'pix2pix',
      any: [
        { name: 'input_blocks.0.0.weight', shape: [320, 8, 3, 3] },
        { name: 'conv_in.weight', shape: [320, 8, 3, 3] },
      ],
    },
  ],
  encoders: [
    {
      id: 'clip_l',
      prefixes: ['cond_stage_model.transformer.', 'text_encoders.clip_l.transformer.', 'text_encoder.'],
      clip: { layout: 'hf', layers: 12, width: 768, kohya: 'lora_te_', pipeline: 'text_encoder' },
    },
  ],
  vae: ['first_stage_model.', 'vae.'],
  blocks: unetBlocks(12, ['clip_l'], 'BASE'),
  structure: { kind: 'unet', residuals: 2, depths: [1, 1, 1, 0], middleDepth: 1, labels: false },
});
