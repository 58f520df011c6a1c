import { defineArchitecture } from '../define.ts';
import { LANGUAGE_BLOCKS } from '../language-blocks.ts';

export default defineArchitecture({
  family: 'mistral',
  title: 'Mistral',
  prefix: '',
  layouts: [
    {
      space: 'transformers',
      // Its tensors are named as Llama's: only the shapes of the 7B models tell it from one.
      has: [
        { name: 'model.layers.0.self_attn.q_proj.weight', shape: [4096, 4096] },
        { name: 'model.layers.0.self_attn.k_proj.weight', shape: [1024, 4096] },
        { name: 'model.layers.0.mlp.gate_proj.weight', shape: [14336, 4096] },
        { name: 'model.embed_tokens.weight', shape: [32000, 4096] },
      ],
      lacks: [
        'model.layers.0.self_attn.q_proj.bias',
        'model.layers.0.self_attn.q_norm.weight',
        'model.layers.0.pre_feedforward_layernorm.weight',
      ],
    },
  ],
  blocks: LANGUAGE_BLOCKS,
});
