import { defineArchitecture } from '../define.ts';
import { LANGUAGE_BLOCKS } from '../language-blocks.ts';

export default defineArchitecture({
  family: 'qwen2',
  title: 'Qwen2',
  prefix: '',
  layouts: [
    {
      space: 'transformers',
      has: [
        { name: 'model.layers.0.self_attn.q_proj.weight', shape: [null, null] },
        { name: 'model.layers.0.self_attn.q_proj.bias', shape: [null] },
        { name: 'model.layers.0.mlp.gate_proj.weight', shape: [null, null] },
      ],
      lacks: ['model.layers.0.self_attn.q_norm.weight'],
    },
  ],
  blocks: LANGUAGE_BLOCKS,
});
