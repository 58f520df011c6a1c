import { describe, expect, test } from 'vitest';
import type { TensorShape, TensorShapes } from '../../../nodes/merge/architectures/define.ts';
import { type Detection, detectArchitecture } from '../../../nodes/merge/architectures/detect.ts';
import { findArchitecture } from '../../../nodes/merge/architectures/find.ts';
import { architectures } from '../../../nodes/merge/architectures/index.gen.ts';
import { makeKeyMap } from '../../../nodes/merge/architectures/key-spaces.ts';
import { readCheckpoint, readModels, readTensorNames, readUnetNames, scaleDown } from './layouts.ts';

function say({ found, others }: Detection): string {
  if (!found) return `unknown (${others.map(({ architecture }) => architecture.family).join(', ')})`;
  return [found.architecture.family, found.variant, found.keySpace, found.confidence]
    .filter(Boolean)
    .join(' ');
}

function tensorsOf(shapes: Readonly<Record<string, readonly number[]>>, dtype = 'F16'): TensorShapes {
  return new Map(Object.entries(shapes).map(([name, shape]) => [name, { dtype, shape }]));
}

function renamed(tensors: TensorShapes, rename: (name: string) => string | undefined): TensorShapes {
  return new Map(
    [...tensors].flatMap(([name, tensor]): [string, TensorShape][] => {
      const other = rename(name);
      return other === undefined ? [] : [[other, tensor]];
    }),
  );
}

const PREFIX = 'model.diffusion_model.';
const bare = (tensors: TensorShapes): TensorShapes =>
  renamed(tensors, (name) => (name.startsWith(PREFIX) ? name.slice(PREFIX.length) : undefined));

describe('whole checkpoints', () => {
  test.each([
    ['sd15', 'sd15 ldm exact', ['clip_l']],
    ['sd2', 'sd2 ldm exact', ['clip_h']],
    ['sdxl', 'sdxl base ldm exact', ['clip_l', 'clip_g']],
    ['sdxl-refiner', 'sdxl-refiner ldm exact', ['clip_g']],
  ])('%s', (family, expected, encoders) => {
    const detection = detectArchitecture(readCheckpoint(family));
    expect(say(detection)).toBe(expected);
    expect(detection.parts).toEqual({ denoiser: true, encoders, vae: true });
    expect(detection.precision).toBe('fp16');
    expect(detection.others).toEqual([]);
  });

  test.each(['sd15', 'sd2', 'sdxl', 'sdxl-refiner'])(
    '%s with fewer channels is still it, by its names',
    (family) => {
      const { found } = detectArchitecture(scaleDown(readCheckpoint(family), 32));
      expect([found?.architecture.family, found?.confidence]).toEqual([family, 'names']);
    },
  );

  test.each(['sd15', 'sd2', 'sdxl', 'sdxl-refiner'])('%s without the prefix of checkpoints', (family) => {
    const detection = detectArchitecture(bare(readCheckpoint(family)));
    expect(detection.found?.architecture.family).toBe(family);
    expect(detection.found?.keySpace).toBe('comfy-bare');
    expect(detection.parts).toEqual({ denoiser: true, encoders: [], vae: false });
  });

  test('inpainting models by their nine channels', () => {
    const tensors = new Map(readCheckpoint('sd15'));
    tensors.set(`${PREFIX}input_blocks.0.0.weight`, { dtype: 'F16', shape: [320, 9, 3, 3] });
    expect(say(detectArchitecture(tensors))).toBe('sd15 inpainting ldm exact');
  });

  test('SSD-1B by the depth of its transformers', () => {
    const deep = /input_blocks\.[78]\.1\.transformer_blocks\.[4-9]\./;
    const tensors = renamed(readCheckpoint('sdxl'), (name) => (deep.test(name) ? undefined : name));
    expect(say(detectArchitecture(tensors))).toBe('sdxl ssd-1b ldm exact');
  });
});

// ComfyUI's own detection of the same tensors, as recorded.
const CLASSES: Readonly<Record<string, string>> = {
  Flux: 'flux',
  FluxSchnell: 'flux',
  Flux2: 'flux2',
  Chroma: 'chroma',
  SD3: 'sd3',
  Lumina2: 'lumina2',
  ZImage: 'lumina2',
  HiDream: 'hidream',
  QwenImage: 'qwen-image',
  WAN21_T2V: 'wan',
  WAN21_I2V: 'wan',
  WAN21_Vace: 'wan',
  WAN22_S2V: 'wan',
  WAN21_HuMo: 'wan',
  WAN22_Animate: 'wan',
  ChromaRadiance: 'chroma',
  HunyuanVideo: 'hunyuan-video',
  HunyuanVideo15: 'hunyuan-video',
};
const VARIANTS: Readonly<Record<string, string>> = {
  'flux-dev': 'dev',
  'flux-schnell': 'schnell',
  flux2: 'dev',
  chroma: 'base',
  'sd3-medium': '3-medium',
  'sd3.5-large': '3.5-large',
  'sd3.5-medium': '3.5-medium',
  lumina2: 'lumina2',
  'z-image': 'z-image',
  'qwen-image': 'base',
  'wan-1.3b': 't2v',
  'wan-14b': 't2v',
  'wan-i2v': 'i2v',
  'wan-vace': 'vace',
  'wan-s2v': 's2v',
  'wan-humo': 'humo',
  'wan-animate': 'animate',
  'chroma-radiance': 'radiance',
  'hunyuan-video': 't2v',
  'hunyuan-video-1.5': '1.5',
};

describe('transformers that denoise', () => {
  test.each(readModels('denoiser-keys.json'))('%s', (name, tensors, comfyClass) => {
    const { found, others } = detectArchitecture(tensors);
    expect(found?.architecture.family).toBe(CLASSES[comfyClass]);
    expect(found?.variant).toBe(VARIANTS[name]);
    expect(found?.confidence).toBe('exact');
    expect(found?.keySpace).toBe('comfy-bare');
    expect(others).toEqual([]);
  });
});

describe('language models', () => {
  test.each(readModels('language-model-keys.json'))('%s', (name, tensors) => {
    expect(say(detectArchitecture(tensors))).toBe(`${name} transformers exact`);
  });

  test('what config.json says decides between families whose tensors are named alike', () => {
    const [, llama] = readModels('language-model-keys.json').find(([name]) => name === 'llama') ?? [];
    const tensors = llama ?? new Map();
    expect(detectArchitecture(tensors, 'mistral').found?.architecture.family).toBe('mistral');
    expect(detectArchitecture(tensors, 'qwen3').found?.architecture.family).toBe('llama');
  });
});

describe('other key spaces', () => {
  test.each(['sd15', 'sdxl'] as const)('the UNet of %s as diffusers names it', (family) => {
    const originals = new Map([...readUnetNames(family)].map(([name, original]) => [original, name]));
    const tensors = renamed(bare(readCheckpoint(family)), (name) => {
      const dot = name.lastIndexOf('.');
      const module = originals.get(name.slice(0, dot));
      return module && module + name.slice(dot);
    });
    const { found, others } = detectArchitecture(tensors);
    expect([found?.architecture.family, found?.keySpace, found?.confidence]).toEqual([
      family,
      'diffusers',
      'exact',
    ]);
    expect(others).toEqual([]);
  });

  test('the transformer of Flux as diffusers names it', () => {
    const map = makeKeyMap(findArchitecture('Flux'));
    const dev = readModels('denoiser-keys.json').find(([name]) => name === 'flux-dev')?.[1];
    const tensors = new Map<string, TensorShape>();
    for (const name of readTensorNames('flux-names.json').keys()) {
      const place = map.toCanonical(name);
      const { dtype = '', shape = [] } = dev?.get(place?.name.slice(PREFIX.length) ?? '') ?? {};
      tensors.set(name, {
        dtype,
        shape: place?.rows ? [place.rows[1] - place.rows[0], ...shape.slice(1)] : shape,
      });
    }
    expect(say(detectArchitecture(tensors))).toBe('flux dev diffusers exact');
  });

  test.each([
    ['lora_unet_down_blocks_1_attentions_0_transformer_blocks_0_attn2_to_k', 768, 'sd15 kohya exact'],
    ['lora_unet_down_blocks_1_attentions_0_transformer_blocks_0_attn2_to_k', 1024, 'sd2 kohya exact'],
    ['lora_unet_input_blocks_4_1_transformer_blocks_0_attn2_to_k', 2048, 'sdxl kohya exact'],
    ['lora_unet_input_blocks_4_1_transformer_blocks_0_attn2_to_k', 1280, 'sdxl-refiner kohya exact'],
    ['lora_unet_double_blocks_3_img_attn_qkv', 3072, 'flux kohya exact'],
    ['lora_unet_single_blocks_3_linear1', 3072, 'flux kohya exact'],
    // A width that none of the families has: any of them could be meant.
    [
      'lora_unet_input_blocks_4_1_transformer_blocks_0_attn2_to_k',
      512,
      'unknown (sd15, sd2, sdxl-refiner, sdxl)',
    ],
  ])('an adapter of kohya: %s, %i wide', (module, width, expected) => {
    const detection = detectArchitecture(
      tensorsOf({ [`${module}.lora_down.weight`]: [8, width], [`${module}.lora_up.weight`]: [640, 8] }),
    );
    expect(say(detection)).toBe(expected);
    expect(detection.parts.denoiser).toBe(false);
  });

  test('an adapter of PEFT', () => {
    const tensors = tensorsOf({
      'unet.mid_block.attentions.0.transformer_blocks.0.attn2.to_k.lora_A.weight': [8, 2048],
    });
    expect(say(detectArchitecture(tensors))).toBe('sdxl peft exact');
    const flux = tensorsOf({ 'transformer.transformer_blocks.3.attn.add_q_proj.lora_A.weight': [8, 3072] });
    expect(say(detectArchitecture(flux))).toBe('flux peft exact');
  });
});

describe('what is not known', () => {
  test('is a normal answer', () => {
    expect(detectArchitecture(new Map())).toEqual({
      others: [],
      parts: { denoiser: false, encoders: [], vae: false },
      dtypes: [],
    });
    const aura = tensorsOf({ 'double_layers.0.attn.w1q.weight': [3072, 3072], toString: [1] });
    expect(say(detectArchitecture(aura))).toBe('unknown ()');
  });

  test('one sign of several is not enough, and neither is one with other sides', () => {
    const signs = {
      'input_blocks.0.0.weight': [320, 4, 3, 3],
      'input_blocks.1.1.transformer_blocks.0.attn2.to_k.weight': [320, 768],
    };
    expect(say(detectArchitecture(tensorsOf(signs)))).toBe('unknown ()');
    const withProjection = { ...signs, 'input_blocks.1.1.proj_in.weight': [320, 320, 1, 1] };
    expect(say(detectArchitecture(tensorsOf(withProjection)))).toBe('sd15 comfy-bare exact');
    const flat = { ...signs, 'input_blocks.1.1.proj_in.weight': [320, 320, 1] };
    expect(say(detectArchitecture(tensorsOf(flat)))).toBe('unknown ()');
  });

  test('parts are told even so', () => {
    const vae = tensorsOf({ 'first_stage_model.decoder.conv_in.weight': [512, 4, 3, 3] });
    expect(detectArchitecture(vae).parts).toEqual({ denoiser: false, encoders: [], vae: true });
    const encoders = tensorsOf({
      'text_encoders.t5xxl.transformer.shared.weight': [32128, 4096],
      // Another encoder in each pipeline.
      'text_encoder.final_layer_norm.weight': [768],
    });
    expect(detectArchitecture(encoders).parts.encoders).toEqual(['t5xxl']);
  });
});

describe('precision', () => {
  test('is the dtype with most of the bytes', () => {
    const tensors = new Map<string, TensorShape>([
      ['a', { dtype: 'F8_E4M3', shape: [10, 10] }],
      ['b', { dtype: 'F32', shape: [20] }],
      ['c', { dtype: 'I64', shape: [] }],
      ['d', { dtype: 'BF16', shape: [0, 7] }],
    ]);
    const { precision, dtypes } = detectArchitecture(tensors);
    expect(precision).toBe('fp8_e4m3');
    expect(dtypes).toEqual([
      { dtype: 'F8_E4M3', share: 100 / 188 },
      { dtype: 'F32', share: 80 / 188 },
      { dtype: 'I64', share: 8 / 188 },
      { dtype: 'BF16', share: 0 },
    ]);
  });
});

describe('the families', () => {
  test('are found as users write them', () => {
    for (const architecture of architectures) {
      expect(findArchitecture(architecture.title)).toBe(architecture);
      expect(findArchitecture(architecture.family)).toBe(architecture);
    }
    expect(findArchitecture('sd 1.5').family).toBe('sd15');
    expect(() => findArchitecture('SDXXL')).toThrow(expect.objectContaining({ code: 'merge/architecture' }));
  });
});
