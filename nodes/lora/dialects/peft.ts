import type { Dialect } from './dialect.ts';

const needs: Dialect['needs'] = [['up', 'down']];

/**
 * PEFT's names, as saved: `….lora_A.weight`; magnitudes count rows.
 * @see https://github.com/huggingface/peft src/peft/utils/save_and_load.py, tuners/lora/dora.py
 */
export const PEFT: Dialect = {
  id: 'peft',
  kind: 'lora',
  suffixes: {
    '.lora_B.weight': 'up',
    '.lora_A.weight': 'down',
    '.lora_magnitude_vector': 'magnitude',
    '.lora_magnitude_vector.weight': 'magnitude',
  },
  needs,
  isScaled: true,
  magnitudes: 'output',
};

/** With the name of the adapter in them, which PEFT drops when it saves and others don't. */
export const PEFT_DEFAULT: Dialect = {
  id: 'peft-default',
  kind: 'lora',
  suffixes: {
    '.lora_B.default.weight': 'up',
    '.lora_A.default.weight': 'down',
    '.lora_magnitude_vector.default': 'magnitude',
    '.lora_magnitude_vector.default.weight': 'magnitude',
  },
  needs,
  isScaled: true,
  magnitudes: 'output',
};

/** Parameters without a module of their own: `….lora_A` (Mochi). */
export const PEFT_BARE: Dialect = {
  id: 'peft-bare',
  kind: 'lora',
  suffixes: { '.lora_B': 'up', '.lora_A': 'down' },
  needs,
  isScaled: true,
};

/** Of embeddings: A is `[r, tokens]` and B `[dim, r]`, the weight `[tokens, dim]`. */
export const PEFT_EMBEDDING: Dialect = {
  id: 'peft-embedding',
  kind: 'lora',
  suffixes: { '.lora_embedding_B': 'up', '.lora_embedding_A': 'down' },
  needs,
  isScaled: true,
  isTransposed: true,
};

/** The bias of B (`lora_bias`); it is scaled by α over the rank, which A tells. */
export const PEFT_BIAS: Dialect = {
  id: 'peft-bias',
  kind: 'lora',
  part: 'bias',
  suffixes: { '.lora_B.bias': 'bias', '.lora_B.default.bias': 'bias' },
  needs: [['bias']],
  isScaled: true,
};
