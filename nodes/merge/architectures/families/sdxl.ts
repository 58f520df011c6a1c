import { defineArchitecture } from '../define.ts';
import { unetBlocks } from '../unet-blocks.ts';

/** The transformer that tells the depth of the lowest level: 10 in SDXL, 4 in SSD-1B, 2 in Vega. */
const LOW = 'input_blocks.7.1.transformer_blocks';
const LOW_DIFFUSERS = 'down_blocks.2.attentions.0.transformer_blocks';

export default defineArchitecture({
  family: 'sdxl',
  title: 'SDXL',
  modelspec: 'stable-diffusion-xl-v1-base',
  prefix: 'model.diffusion_model.',
  layouts: [
    {
      space: 'original',
      has: [
        { name: 'label_emb.0.0.weight', shape: [1280, 2816] },
        { name: 'input_blocks.0.0.weight', shape: [320, null, 3, 3] },
        { name: 'input_blocks.4.1.transformer_blocks.0.attn2.to_k.weight', shape: [640, 2048] },
        { name: `${LOW}.1.attn2.to_k.weight`, shape: [1280, 2048] },
      ],
      lacks: ['input_blocks.9.*'],
    },
    {
      space: 'diffusers',
      has: [
        { name: 'add_embedding.linear_1.weight', shape: [1280, 2816] },
        { name: 'conv_in.weight', shape: [320, null, 3, 3] },
        { name: 'down_blocks.1.attentions.0.transformer_blocks.0.attn2.to_k.weight', shape: [640, 2048] },
        { name: `${LOW_DIFFUSERS}.1.attn2.to_k.weight`, shape: [1280, 2048] },
      ],
      lacks: ['down_blocks.3.*'],
    },
    { space: 'kohya', has: [{ name: 'lora_unet_*_attn2_to_k.lora_down.weight', shape: [null, 2048] }] },
    { space: 'peft', has: [{ name: 'unet.*.attn2.to_k.lora_A.weight', shape: [null, 2048] }] },
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
    {
      name: 'base',
      any: [{ name: `${LOW}.9.attn2.to_k.weight` }, { name: `${LOW_DIFFUSERS}.9.attn2.to_k.weight` }],
    },
    {
      name: 'ssd-1b',
      any: [{ name: `${LOW}.3.attn2.to_k.weight` }, { name: `${LOW_DIFFUSERS}.3.attn2.to_k.weight` }],
    },
    {
      name: 'vega',
      any: [{ name: `${LOW}.1.attn2.to_k.weight` }, { name: `${LOW_DIFFUSERS}.1.attn2.to_k.weight` }],
    },
  ],
  encoders: [
    {
      id: 'clip_l',
      prefixes: [
        'conditioner.embedders.0.transformer.',
        'text_encoders.clip_l.transformer.',
        'text_encoder.',
      ],
      clip: { layout: 'hf', layers: 12, width: 768, kohya: 'lora_te1_', pipeline: 'text_encoder' },
    },
    {
      id: 'clip_g',
      prefixes: ['conditioner.embedders.1.model.', 'text_encoders.clip_g.transformer.', 'text_encoder_2.'],
      clip: { layout: 'openclip', layers: 32, width: 1280, kohya: 'lora_te2_', pipeline: 'text_encoder_2' },
    },
  ],
  vae: ['first_stage_model.', 'vae.'],
  blocks: unetBlocks(9, ['clip_l', 'clip_g'], 'VAE'),
  structure: { kind: 'unet', residuals: 2, depths: [0, 2, 10], middleDepth: 10, labels: true },
});
