import { defineArchitecture } from '../define.ts';
import { LANGUAGE_BLOCKS } from '../language-blocks.ts';

export default defineArchitecture({
  family: 'qwen3',
  title: 'Qwen3',
  prefix: '',
  layouts: [
    {
      space: 'transformers',
      has: [
        { name: 'model.layers.0.self_attn.q_proj.weight', shape: [null, null] },
        { name: 'model.layers.0.self_attn.q_norm.weight', shape: [128] },
        { name: 'model.layers.0.mlp.gate_proj.weight', shape: [null, null] },
      ],
      // Gemma 3 has norms of q and k as well, and this one besides.
      lacks: ['model.layers.0.self_attn.q_proj.bias', 'model.layers.0.pre_feedforward_layernorm.weight'],
    },
  ],
  blocks: LANGUAGE_BLOCKS,
});
