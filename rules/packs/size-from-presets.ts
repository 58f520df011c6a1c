import { defineRules, type NodeRule, type Operation, type Stream } from '../define.ts';

/**
 * Sizes chosen from a list, "1024 x 1024". What is drawn or found by likeness to a picture is known of a run
 * only.
 */

const PICTURE: readonly Stream[] = ['latent', 'image'];

function side(pattern: string): Operation {
  const digits = {
    op: 'regex-replace',
    text: { input: 'preset' },
    find: { value: pattern },
    with: { value: '' },
  } as const;
  return { op: 'cast', of: digits, to: 'int' };
}
const SIZE: NodeRule = { role: 'value', computes: [side(' *x.*$'), side('^.*x *')] };
const PRESET_LATENT: NodeRule = {
  role: 'latent',
  reads: {
    IMAGE_WIDTH: { input: 'preset', on: PICTURE, normalise: 'width-of' },
    IMAGE_HEIGHT: { input: 'preset', on: PICTURE, normalise: 'height-of' },
    BATCH_SIZE: { input: 'batch_size', on: PICTURE },
  },
};
const UNKNOWN_LATENT: NodeRule = {
  role: 'latent',
  reads: { BATCH_SIZE: { input: 'batch_size', on: PICTURE } },
};
const UNKNOWN_SIZE: NodeRule = { role: 'value' };

export default defineRules({
  pack: 'size-from-presets',
  source:
    'https://github.com/nkchocoai/ComfyUI-SizeFromPresets/tree/05d2d9cd430c64e303a2561b0d9b6e49fec1bbea',
  nodes: {
    SizeFromPresetsSD15: SIZE,
    SizeFromPresetsSDXL: SIZE,
    EmptyLatentImageFromPresetsSD15: PRESET_LATENT,
    EmptyLatentImageFromPresetsSDXL: PRESET_LATENT,
    RandomSizeFromPresetsSD15: UNKNOWN_SIZE,
    RandomSizeFromPresetsSDXL: UNKNOWN_SIZE,
    RandomEmptyLatentImageFromPresetsSD15: UNKNOWN_LATENT,
    RandomEmptyLatentImageFromPresetsSDXL: UNKNOWN_LATENT,
    GetSimilarResolution: UNKNOWN_SIZE,
    GetSimilarResolutionEmptyLatent: UNKNOWN_LATENT,
  },
});
