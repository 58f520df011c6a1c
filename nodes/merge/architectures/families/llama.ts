import { defineArchitecture } from '../define.ts';
import { LANGUAGE_BLOCKS } from '../language-blocks.ts';

export default defineArchitecture({
  family: 'llama',
  title: 'Llama',
  prefix: '',
  layouts: [
    {
      space: 'transformers',
      has: [
        { name: 'model.layers.0.self_attn.q_proj.weight', shape: [null, null] },
        { name: 'model.layers.0.mlp.gate_proj.weight', shape: [null, null] },
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
