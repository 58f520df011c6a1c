import { describe, expect, expectTypeOf, test } from 'vitest';
import { createWarningLog } from '../../nodes/kit/warning-log.ts';
import { DETAIL_KEYS, type DetailKey } from '../../nodes/metadata/detail-keys.ts';
import { isBuiltIn, renderParameters } from '../../nodes/metadata/infotext.ts';
import { type ParameterOptions, toParameters } from '../../nodes/metadata/parameters.ts';
import { resolveResources } from '../../nodes/metadata/resolve.ts';
import { reduceParameters } from '../../nodes/metadata/stages.ts';
import { advanced, chain, codes, kSampler, learnGraph, node, type RawGraph } from './graphs.ts';
import { type LiteralModel, literalModels } from './model-store.ts';

/** Every key of the line, `LoRA n` and `ControlNet n` with one number. */
const ALL_KEYS = [
  'Steps',
  'Sampler',
  'Schedule type',
  'CFG scale',
  'Distilled CFG Scale',
  'Seed',
  'Size',
  'Model hash',
  'Model',
  'VAE hash',
  'VAE',
  'Denoising strength',
  'Clip skip',
  'Batch index',
  'Batch size',
  'Weight dtype',
  'Shift',
  'Max shift',
  'Base shift',
  'Upscaler',
  'ControlNet 0',
  'LoRA 0',
  'Text encoders',
  'LoRAs',
  'Lora hashes',
  'Hashes',
  'Civitai resources',
  'Version',
  'Samplers',
  'Samplers detail',
  'Metadata Fallback',
];

const MODELS: readonly LiteralModel[] = [
  {
    name: 'dev.sft',
    autoV2: '1a1a1a1a1a',
    published: { version: { modelVersionId: 691639 }, sha256s: [] },
  },
  { name: 'glow.safetensors', autoV2: '3c3c3c3c3c' },
  { name: 'kl.pt', autoV2: '4d4d4d4d4d' },
];
const base = chain(advanced('j', 30, 0, 20), kSampler('k', 30));
/** Two samplers and everything that a line can tell of, but for the shift of one number. */
const everything: RawGraph = {
  ...base,
  unet: node('UNETLoader', { unet_name: 'dev.sft', weight_dtype: 'fp8_e4m3fn' }),
  clip: node('DualCLIPLoader', { clip_name1: 't5xxl.sft', clip_name2: 'clip_l.sft', type: 'flux' }),
  lora: node('LoraLoader', {
    lora_name: 'glow.safetensors',
    strength_model: 0.8,
    strength_clip: 0.5,
    model: ['unet', 0],
    clip: ['clip', 0],
  }),
  shift: node('ModelSamplingFlux', {
    max_shift: 1.15,
    base_shift: 0.5,
    width: 64,
    height: 48,
    model: ['lora', 0],
  }),
  skip: node('CLIPSetLastLayer', { stop_at_clip_layer: -2, clip: ['lora', 1] }),
  pos: node('CLIPTextEncode', { text: 'a heron', clip: ['skip', 0] }),
  guide: node('FluxGuidance', { guidance: 3.5, conditioning: ['pos', 0] }),
  canny: node('ControlNetLoader', { control_net_name: 'canny.safetensors' }),
  img: node('LoadImage', { image: 'x.png' }),
  control: node('ControlNetApplyAdvanced', {
    strength: 0.8,
    control_net: ['canny', 0],
    image: ['img', 0],
    positive: ['guide', 0],
    negative: ['neg', 0],
  }),
  k: node('KSampler', {
    ...base['k']?.inputs,
    denoise: 0.4,
    model: ['shift', 0],
    positive: ['control', 0],
    negative: ['control', 1],
  }),
  j: node('KSamplerAdvanced', { ...base['j']?.inputs, model: ['shift', 0] }),
  vae: node('VAELoader', { vae_name: 'kl.pt' }),
  decode: node('VAEDecode', { samples: ['k', 0], vae: ['vae', 0] }),
  up: node('UpscaleModelLoader', { model_name: '4x.pth' }),
  larger: node('ImageUpscaleWithModel', { upscale_model: ['up', 0], image: ['decode', 0] }),
  save: node('SaveImage', { filename_prefix: 'x', images: ['larger', 0] }),
};
const shifted: RawGraph = {
  ...everything,
  shift: node('ModelSamplingSD3', { shift: 3, model: ['lora', 0] }),
};

async function parametersOf(graph: RawGraph, options: ParameterOptions = {}) {
  const { warn, list } = createWarningLog();
  // The last sampler runs at part strength; it is the one to tell of here.
  const { learnt } = learnGraph(graph, { select: 'nearest' });
  const resources = await resolveResources(learnt, literalModels(MODELS), () => {});
  return { parameters: toParameters(learnt, resources, options, warn), warnings: list };
}

test('each key that can be written is written, built in, and in the table', async () => {
  const size = { width: 64, height: 48 };
  const options: ParameterOptions = { size, loraSummary: true, batch: { index: 0, size: 2 } };
  const written = new Set<string>();
  for (const graph of [everything, shifted]) {
    const { parameters } = await parametersOf(graph, options);
    for (const { key } of [...parameters.details, ...reduceParameters(parameters).details]) written.add(key);
    if (/, Hashes: \{/.test(renderParameters(parameters))) written.add('Hashes');
  }
  expect([...written].sort()).toEqual([...ALL_KEYS].sort());
  for (const key of written) expect(isBuiltIn(key), key).toBe(true);
  const table = DETAIL_KEYS.map(({ key, numbered }) => (numbered ? `${key} 0` : key));
  expect(table).toEqual(ALL_KEYS);
});

describe('a key of the user’s own', () => {
  test.each(ALL_KEYS.flatMap((key) => [key, key.toUpperCase()]))('cannot be %s', async (key) => {
    const extra = new Map([[key, 'forged']]);
    const { parameters, warnings } = await parametersOf(chain(kSampler('k', 5)), { extra });
    expect(renderParameters(parameters)).not.toContain('forged');
    expect(codes(warnings)).toEqual(['value/cleaned']);
  });

  test.each(['LoRA', 'LoRA x', 'LoRA 0 b', 'a Steps', 'Steps b', 'ControlNet'])('can be %s', async (key) => {
    const { parameters } = await parametersOf(chain(kSampler('k', 5)), { extra: new Map([[key, 'mine']]) });
    expect(renderParameters(parameters)).toContain(`, ${key}: mine, `);
  });
});

test('the type of a key knows numbers and refuses other words', () => {
  expectTypeOf<'LoRA 12'>().toExtend<DetailKey>();
  expectTypeOf<'Metadata Fallback'>().toExtend<DetailKey>();
  expectTypeOf<'LoRA'>().not.toExtend<DetailKey>();
  expectTypeOf<'Project'>().not.toExtend<DetailKey>();
});
