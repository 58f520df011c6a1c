import type { Dialect } from './dialect.ts';

/**
 * kohya's names, also LyCORIS' for LoCon: `lora_unet_…`, `lora_te1_…`, or a plain module name.
 * @see https://github.com/kohya-ss/sd-scripts networks/lora.py; LyCORIS lycoris/modules/locon.py
 */
export const KOHYA: Dialect = {
  id: 'kohya',
  kind: 'lora',
  suffixes: {
    '.lora_up.weight': 'up',
    '.lora_down.weight': 'down',
    '.lora_mid.weight': 'mid',
  },
  needs: [['up', 'down']],
  isScaled: true,
};
