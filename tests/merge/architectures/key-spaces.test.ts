import { describe, expect, test } from 'vitest';
import type { Architecture, TensorShapes } from '../../../nodes/merge/architectures/define.ts';
import { findArchitecture } from '../../../nodes/merge/architectures/find.ts';
import { type KeyMap, makeKeyMap } from '../../../nodes/merge/architectures/key-spaces.ts';
import { readCheckpoint, readModels, readTensorNames, readUnetNames, scaleDown } from './layouts.ts';

const PREFIX = 'model.diffusion_model.';
const namesUnder = (tensors: TensorShapes, prefix: string): string[] =>
  [...tensors.keys()].filter((name) => name.startsWith(prefix));

describe.each(['sd15', 'sdxl'] as const)('the UNet of %s', (family) => {
  const map = makeKeyMap(findArchitecture(family));
  const unet = namesUnder(readCheckpoint(family), PREFIX);
  const published = readUnetNames(family);

  test("every tensor has diffusers' name, as diffusers' own conversion has it", () => {
    const originals = new Map([...published].map(([name, original]) => [original, name]));
    for (const name of unet) {
      const dot = name.lastIndexOf('.');
      const diffusers = originals.get(name.slice(PREFIX.length, dot)) + name.slice(dot);
      expect(map.fromCanonical(name, 'diffusers'), name).toEqual([{ name: diffusers, place: { name } }]);
      expect(map.toCanonical(diffusers), diffusers).toEqual({ name });
      expect(map.toCanonical(`unet.${diffusers}`)).toEqual({ name });
    }
    expect(unet.length).toBe(family === 'sdxl' ? 1680 : 686);
  });

  test('without the prefix, with it, and back', () => {
    for (const name of unet) {
      expect(map.toCanonical(name)).toEqual({ name });
      const bare = name.slice(PREFIX.length);
      expect(map.fromCanonical(name, 'comfy-bare')).toEqual([{ name: bare, place: { name } }]);
      expect(map.toCanonical(bare), bare).toEqual({ name });
    }
  });

  test("kohya's names of modules: either naming, underscores for dots", () => {
    // What the recording script found in ComfyUI's own table of adapter keys.
    for (const [diffusers, original] of published) {
      const place = { name: `${PREFIX}${original}.weight` };
      expect(map.ofModule(`lora_unet_${diffusers.replaceAll('.', '_')}`), diffusers).toEqual(place);
      expect(map.ofModule(`lora_unet_${original.replaceAll('.', '_')}`), original).toEqual(place);
      expect(map.ofModule(`unet.${diffusers}`)).toEqual(place);
    }
  });
});

test('a refiner and SSD-1B are placed as well', () => {
  const map = makeKeyMap(findArchitecture('sdxl-refiner'));
  for (const name of namesUnder(readCheckpoint('sdxl-refiner'), PREFIX)) {
    const [other] = map.fromCanonical(name, 'diffusers');
    expect(map.toCanonical(other?.name ?? ''), name).toEqual({ name });
  }
});

describe('adapters', () => {
  const map = makeKeyMap(findArchitecture('SDXL'));

  test.each([
    [
      'lora_te1_text_model_encoder_layers_0_mlp_fc1',
      { name: 'conditioner.embedders.0.transformer.text_model.encoder.layers.0.mlp.fc1.weight' },
    ],
    [
      'lora_te2_text_model_encoder_layers_3_self_attn_k_proj',
      {
        name: 'conditioner.embedders.1.model.transformer.resblocks.3.attn.in_proj_weight',
        rows: [1280, 2560],
      },
    ],
    [
      'text_encoder_2.text_model.encoder.layers.3.mlp.fc2',
      { name: 'conditioner.embedders.1.model.transformer.resblocks.3.mlp.c_proj.weight' },
    ],
    [
      'unet.down_blocks.1.attentions.0.transformer_blocks.0.attn1.processor.to_out',
      { name: `${PREFIX}input_blocks.4.1.transformer_blocks.0.attn1.to_out.0.weight` },
    ],
    ['lora_unet_no_such_block', undefined],
    ['lora_unet_down_blocks_3_resnets_0_conv1', undefined],
  ])('%s', (module, place) => {
    expect(map.ofModule(module)).toEqual(place);
  });

  test.each([
    ['lora_unet_double_blocks_0_img_attn_qkv', { name: `${PREFIX}double_blocks.0.img_attn.qkv.weight` }],
    [
      'lora_transformer_transformer_blocks_0_attn_to_q',
      { name: `${PREFIX}double_blocks.0.img_attn.qkv.weight`, rows: [0, 3072] },
    ],
    [
      'transformer.single_transformer_blocks.5.proj_mlp',
      { name: `${PREFIX}single_blocks.5.linear1.weight`, rows: [9216, 21504] },
    ],
    [
      'lora_te1_text_model_encoder_layers_0_mlp_fc1',
      { name: 'text_encoders.clip_l.transformer.text_model.encoder.layers.0.mlp.fc1.weight' },
    ],
  ])('Flux: %s', (module, place) => {
    expect(makeKeyMap(findArchitecture('Flux')).ofModule(module)).toEqual(place);
  });

  test('SD1.5 has one text encoder', () => {
    const sd15 = makeKeyMap(findArchitecture('SD1.5'));
    expect(sd15.ofModule('lora_te_text_model_encoder_layers_11_self_attn_out_proj')).toEqual({
      name: 'cond_stage_model.transformer.text_model.encoder.layers.11.self_attn.out_proj.weight',
    });
  });
});

/** Checks a map against recorded origins: the whole of a tensor, or rows of it. */
function checkPlaces(
  map: KeyMap,
  architecture: Architecture,
  names: ReturnType<typeof readTensorNames>,
  from: string,
  to: string,
): void {
  for (const [name, origin] of names) {
    const place = map.toCanonical(from + name);
    if (typeof origin === 'string') {
      expect(place, name).toEqual({ name: to + origin });
    } else if (origin.length === 1) {
      const [[original, start, count] = ['', 0, 0]] = origin;
      expect(place, name).toEqual({ name: to + original, rows: [start, start + count] });
    } else {
      const [[original, half, count] = ['', 0, 0]] = origin;
      expect(origin).toEqual([
        [original, half, count],
        [original, 0, half],
      ]);
      expect(place, name).toEqual({ name: to + original, turn: 'halves-swapped' });
    }
    const back = map.fromCanonical(place?.name ?? '', 'diffusers').find((each) => each.name.endsWith(name));
    expect(back?.place, `${architecture.family}: ${name}`).toEqual(place);
  }
}

describe('fused tensors', () => {
  const sdxl = findArchitecture('SDXL');
  const flux = findArchitecture('Flux');
  const once = makeKeyMap(sdxl);

  test('CLIP-G of SDXL, as ComfyUI and transformers have it', () => {
    const to = 'conditioner.embedders.1.model.';
    const names = readTensorNames('clip-g-names.json');
    for (const from of ['text_encoder_2.', 'text_encoders.clip_g.transformer.']) {
      checkPlaces(makeKeyMap(sdxl), sdxl, names, from, to);
    }
    expect(makeKeyMap(sdxl).toCanonical('text_encoder_2.text_projection.weight')).toEqual({
      name: `${to}text_projection`,
      turn: 'transposed',
    });
    const placed = new Set([...names.keys()].map((name) => once.toCanonical(`text_encoder_2.${name}`)?.name));
    const fused = namesUnder(readCheckpoint('sdxl'), to).filter((name) => !placed.has(name));
    expect(fused).toEqual([`${to}text_projection`, `${to}logit_scale`]);
  });

  test('Flux, as diffusers has it', () => {
    checkPlaces(makeKeyMap(flux), flux, readTensorNames('flux-names.json'), '', PREFIX);
    const dev = readModels('denoiser-keys.json').find(([name]) => name === 'flux-dev')?.[1] ?? new Map();
    const map = makeKeyMap(flux);
    for (const bare of dev.keys()) {
      expect(map.toCanonical(bare)).toEqual({ name: PREFIX + bare });
      expect(map.fromCanonical(PREFIX + bare, 'diffusers').length, bare).toBeGreaterThan(0);
    }
    const length = (bare: string): number => map.fromCanonical(PREFIX + bare, 'diffusers').length;
    expect([length('double_blocks.18.txt_attn.qkv.bias'), length('single_blocks.37.linear1.weight')]).toEqual(
      [3, 4],
    );
  });

  test('rows cover a fused tensor without hole or overlap, also of a model of another width', () => {
    const tensors = scaleDown(readCheckpoint('sdxl'), 32);
    const map = makeKeyMap(sdxl, { clip_g: 40 });
    const name = 'conditioner.embedders.1.model.transformer.resblocks.31.attn.in_proj_bias';
    const rows = map.fromCanonical(name, 'diffusers').map(({ place }) => place.rows);
    expect(rows).toEqual([
      [0, 40],
      [40, 80],
      [80, 120],
    ]);
    expect(tensors.get(name)?.shape).toEqual([120]);
  });
});

describe('names that are not renamed', () => {
  const sd15 = makeKeyMap(findArchitecture('SD1.5'));

  test('the text encoder as early NovelAI files have it', () => {
    const to = 'cond_stage_model.transformer.text_model.';
    for (const name of namesUnder(readCheckpoint('sd15'), to)) {
      expect(sd15.toCanonical(name.replace('text_model.', ''))).toEqual({ name });
      expect(sd15.toCanonical(name)).toEqual({ name });
    }
  });

  test.each(['v_pred', 'model_ema.decay', 'first_stage_model.quant_conv.bias', 'alphas_cumprod'])(
    '%s',
    (name) => {
      expect(sd15.toCanonical(name)).toEqual({ name });
    },
  );

  test.each([
    'unet.conv_in.alpha',
    'transformer_blocks.0.attn.to_q.weight',
    'text_encoder.text_model.encoder.layers.12.mlp.fc1.weight',
    '',
  ])('not known: %j', (name) => {
    expect(sd15.toCanonical(name)).toBeUndefined();
  });

  test('families without a known structure: the prefix', () => {
    const wan = makeKeyMap(findArchitecture('Wan'));
    expect(wan.toCanonical('blocks.0.self_attn.q.weight')).toEqual({
      name: `${PREFIX}blocks.0.self_attn.q.weight`,
    });
    const llama = makeKeyMap(findArchitecture('Llama'));
    expect(llama.toCanonical('model.layers.0.mlp.up_proj.weight')).toEqual({
      name: 'model.layers.0.mlp.up_proj.weight',
    });
  });
});
