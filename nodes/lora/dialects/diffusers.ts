import type { Dialect } from './dialect.ts';

/** diffusers' attention processors: `….processor.to_q_lora.up.weight`. */
export const DIFFUSERS_PROCESSOR: Dialect = {
  id: 'diffusers-processor',
  kind: 'lora',
  suffixes: { '_lora.up.weight': 'up', '_lora.down.weight': 'down' },
  needs: [['up', 'down']],
  isScaled: true,
};

/** diffusers' layers: `….to_q.lora.up.weight`. */
export const DIFFUSERS_LAYER: Dialect = {
  id: 'diffusers-layer',
  kind: 'lora',
  suffixes: { '.lora.up.weight': 'up', '.lora.down.weight': 'down' },
  needs: [['up', 'down']],
  isScaled: true,
};

/** Text encoders of diffusers: `….q_proj.lora_linear_layer.up.weight`. */
export const DIFFUSERS_LINEAR: Dialect = {
  id: 'diffusers-linear',
  kind: 'lora',
  suffixes: {
    '.lora_linear_layer.up.weight': 'up',
    '.lora_linear_layer.down.weight': 'down',
  },
  needs: [['up', 'down']],
  isScaled: true,
};
