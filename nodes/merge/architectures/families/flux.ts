import { defineArchitecture } from '../define.ts';

export default defineArchitecture({
  family: 'flux',
  title: 'Flux',
  prefix: 'model.diffusion_model.',
  layouts: [
    {
      space: 'original',
      has: [
        { name: 'double_blocks.0.img_attn.norm.key_norm.scale', shape: [128] },
        { name: 'img_in.weight', shape: [3072, null] },
        { name: 'vector_in.in_layer.weight', shape: [3072, 768] },
        { name: 'txt_in.weight', shape: [3072, 4096] },
      ],
      lacks: ['distilled_guidance_layer.*', 'double_stream_modulation_img.*'],
    },
    {
      space: 'diffusers',
      has: [
        { name: 'transformer_blocks.0.attn.add_q_proj.weight', shape: [3072, 3072] },
        { name: 'single_transformer_blocks.0.proj_mlp.weight', shape: [12288, 3072] },
        { name: 'time_text_embed.text_embedder.linear_1.weight', shape: [3072, 768] },
        { name: 'context_embedder.weight', shape: [3072, 4096] },
      ],
    },
    { space: 'kohya', has: [{ name: 'lora_unet_double_blocks_*.lora_down.weight', shape: [null, 3072] }] },
    { space: 'kohya', has: [{ name: 'lora_unet_single_blocks_*.lora_down.weight', shape: [null, 3072] }] },
    {
      space: 'peft',
      has: [{ name: 'transformer.single_transformer_blocks.*.attn.to_q.lora_A.weight', shape: [null, 3072] }],
    },
    {
      space: 'peft',
      has: [{ name: 'transformer.transformer_blocks.*.attn.add_q_proj.lora_A.weight', shape: [null, 3072] }],
    },
  ],
  variants: [
    {
      name: 'fill',
      any: [
        { name: 'img_in.weight', shape: [3072, 384] },
        { name: 'x_embedder.weight', shape: [3072, 384] },
      ],
    },
    {
      name: 'control',
      any: [
        { name: 'img_in.weight', shape: [3072, 128] },
        { name: 'x_embedder.weight', shape: [3072, 128] },
      ],
    },
    {
      name: 'dev',
      any: [
        { name: 'guidance_in.in_layer.weight' },
        { name: 'time_text_embed.guidance_embedder.linear_1.weight' },
      ],
    },
    { name: 'schnell', any: [{ name: 'img_in.weight' }, { name: 'x_embedder.weight' }] },
  ],
  encoders: [
    {
      id: 'clip_l',
      prefixes: ['text_encoders.clip_l.transformer.', 'text_encoders.clip_l.', 'text_encoder.'],
      clip: { layout: 'hf', layers: 12, width: 768, kohya: 'lora_te1_', pipeline: 'text_encoder' },
    },
    { id: 't5xxl', prefixes: ['text_encoders.t5xxl.', 'text_encoder_2.'] },
  ],
  vae: ['vae.', 'first_stage_model.'],
  blocks: {
    slots: [
      { block: 'CLIP', encoders: ['clip_l'] },
      { block: 'T5', encoders: ['t5xxl'] },
      { block: 'IN', denoiser: ['img_in.', 'time_in.', 'guidance_in.', 'vector_in.', 'txt_in.'] },
      { block: 'D', denoiser: ['double_blocks.'], count: 19 },
      { block: 'S', denoiser: ['single_blocks.'], count: 38 },
      { block: 'OUT', denoiser: ['final_layer.'] },
    ],
  },
  structure: { kind: 'flux', double: 19, single: 38, width: 3072 },
});
