import { describe, expect, test } from 'vitest';
import { BLOCK_PRESETS } from '../../../nodes/merge/architectures/block-presets.ts';
import { parseBlockWeights } from '../../../nodes/merge/architectures/block-weights.ts';
import { blockNames, blockOf } from '../../../nodes/merge/architectures/blocks.ts';
import { findArchitecture } from '../../../nodes/merge/architectures/find.ts';
import { readCheckpoint, readModels } from './layouts.ts';

const sd15 = findArchitecture('SD1.5');
const sdxl = findArchitecture('SDXL');
const flux = findArchitecture('Flux');
const numbers = (stack: string, count: number): string[] =>
  Array.from({ length: count }, (_, index) => `${stack}${String(index).padStart(2, '0')}`);

describe('block names', () => {
  test('the 26, 20 and 61 that lists of weights have', () => {
    expect(blockNames(sd15)).toEqual(['BASE', ...numbers('IN', 12), 'M00', ...numbers('OUT', 12)]);
    expect(blockNames(sdxl)).toEqual(['BASE', ...numbers('IN', 9), 'M00', ...numbers('OUT', 9)]);
    expect(blockNames(flux)).toEqual(['CLIP', 'T5', 'IN', ...numbers('D', 19), ...numbers('S', 38), 'OUT']);
    expect([blockNames(sd15).length, blockNames(sdxl).length, blockNames(flux).length]).toEqual([26, 20, 61]);
    expect(blockNames(sdxl, 'mecha')).toEqual([...blockNames(sdxl), 'VAE']);
    expect(blockNames(sd15, 'mecha')).toEqual(blockNames(sd15));
  });

  test('as deep as the model is', () => {
    const models = readModels('denoiser-keys.json');
    const namesOf = (name: string): Iterable<string> =>
      models.find(([each]) => each === name)?.[1].keys() ?? [];
    const sd3 = findArchitecture('SD3');
    expect(blockNames(sd3, 'supermerger', namesOf('sd3.5-large'))).toEqual([
      ...['CLIP', 'T5', 'IN'],
      ...numbers('J', 38),
      'OUT',
    ]);
    const vace = blockNames(findArchitecture('Wan'), 'supermerger', namesOf('wan-vace'));
    expect(vace.filter((block) => block.startsWith('B'))).toEqual(numbers('B', 30));
    expect(vace.filter((block) => block.startsWith('V'))).toEqual(numbers('V', 15));
  });

  test.each([
    ...['sd15', 'sd2', 'sdxl', 'sdxl-refiner'].map((name) => [name, readCheckpoint(name), name] as const),
    ...readModels('denoiser-keys.json').map(
      ([name, tensors]) =>
        [
          name,
          tensors,
          name.replace(/^(flux|sd3|wan|chroma|hunyuan-video)[-.].*/, '$1').replace('z-image', 'lumina2'),
        ] as const,
    ),
    ...readModels('language-model-keys.json').map(([name, tensors]) => [name, tensors, name] as const),
  ])('every tensor of %s is in one of them, and each block has tensors', (_, tensors, family) => {
    const architecture = findArchitecture(family);
    const blocks = new Set([...tensors.keys()].map((name) => blockOf(name, architecture)));
    const parts = new Set(
      architecture.encoders && !tensors.has('model.diffusion_model.out.2.bias') ? ['CLIP', 'T5', 'LLM'] : [],
    );
    const expected = blockNames(architecture, 'supermerger', tensors.keys()).filter(
      (name) => !parts.has(name),
    );
    expect([...blocks].sort()).toEqual([...expected].sort());
  });
});

describe('the block of a tensor', () => {
  test.each([
    ['model.diffusion_model.time_embed.0.weight', 'IN00', 'BASE'],
    ['model.diffusion_model.label_emb.0.0.weight', 'IN00', 'BASE'],
    ['model.diffusion_model.input_blocks.0.0.weight', 'IN00', 'IN00'],
    ['model.diffusion_model.input_blocks.8.1.proj_in.weight', 'IN08', 'IN08'],
    ['model.diffusion_model.middle_block.2.in_layers.0.weight', 'M00', 'M00'],
    ['model.diffusion_model.output_blocks.0.0.in_layers.0.weight', 'OUT00', 'OUT00'],
    ['model.diffusion_model.out.0.weight', 'OUT08', 'OUT08'],
    ['conditioner.embedders.1.model.text_projection', 'BASE', 'BASE'],
    ['first_stage_model.quant_conv.bias', 'BASE', 'VAE'],
    ['output_blocks.8.0.in_layers.0.weight', 'OUT08', 'OUT08'],
    ['v_pred', undefined, undefined],
    ['model_ema.diffusion_modelout0weight', undefined, undefined],
  ])('SDXL: %s', (name, supermerger, mecha) => {
    expect(blockOf(name, sdxl)).toBe(supermerger);
    expect(blockOf(name, sdxl, 'mecha')).toBe(mecha);
  });

  test.each([
    ['text_encoders.clip_l.transformer.text_model.final_layer_norm.bias', 'CLIP'],
    ['text_encoders.t5xxl.transformer.shared.weight', 'T5'],
    ['guidance_in.in_layer.weight', 'IN'],
    ['double_blocks.18.img_attn.qkv.weight', 'D18'],
    ['model.diffusion_model.single_blocks.37.linear2.bias', 'S37'],
    ['final_layer.linear.weight', 'OUT'],
    ['vae.decoder.conv_in.weight', undefined],
  ])('Flux: %s', (name, block) => {
    expect(blockOf(name, flux)).toBe(block);
  });
});

/** Values of supermerger's published list (mbwpresets.txt), BASE first, written as they stand there. */
const PUBLISHED: Readonly<Record<string, string>> = {
  FLAT_25:
    '0,0.25,0.25,0.25,0.25,0.25,0.25,0.25,0.25,0.25,0.25,0.25,0.25,0.25,0.25,0.25,0.25,0.25,0.25,0.25,0.25,0.25,0.25,0.25,0.25,0.25',
  FLAT_75:
    '0,0.75,0.75,0.75,0.75,0.75,0.75,0.75,0.75,0.75,0.75,0.75,0.75,0.75,0.75,0.75,0.75,0.75,0.75,0.75,0.75,0.75,0.75,0.75,0.75,0.75',
  WRAP08: '0,1,1,1,1,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,1,1,1,1',
  WRAP12: '0,1,1,1,1,1,1,0,0,0,0,0,0,0,0,0,0,0,0,0,1,1,1,1,1,1',
  WRAP14: '0,1,1,1,1,1,1,1,0,0,0,0,0,0,0,0,0,0,0,1,1,1,1,1,1,1',
  WRAP16: '0,1,1,1,1,1,1,1,1,0,0,0,0,0,0,0,0,0,1,1,1,1,1,1,1,1',
  MID12_50: '0,0,0,0,0,0,0.5,0.5,0.5,0.5,0.5,0.5,0.5,0.5,0.5,0.5,0.5,0.5,0.5,0.5,0,0,0,0,0,0',
  OUT07: '0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,1,1,1,1,1,1,1',
  OUT12: '0,0,0,0,0,0,0,0,0,0,0,0,0,0,1,1,1,1,1,1,1,1,1,1,1,1',
  OUT12_5: '0,0,0,0,0,0,0,0,0,0,0,0,0,0.5,1,1,1,1,1,1,1,1,1,1,1,1',
  RING08_SOFT: '0,0,0,0,0,0,0.5,1,1,1,0.5,0,0,0,0,0,0.5,1,1,1,0.5,0,0,0,0,0',
  RING08_5: '0,0,0,0,0,0,0,1,1,1,1,0,0,0,0,0,1,1,1,1,0,0,0,0,0,0',
  RING10_5: '0,0,0,0,0,0,1,1,1,1,1,0,0,0,0,0,1,1,1,1,1,0,0,0,0,0',
  RING10_3: '0,0,0,0,0,0,0,1,1,1,1,1,0,0,0,1,1,1,1,1,0,0,0,0,0,0',
  ALL_A: '0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0',
  ALL_B: '1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1',
};
/** Of the curves, the published values of IN02, IN08, OUT04 and OUT11. */
const PUBLISHED_AT = ['IN02', 'IN08', 'OUT04', 'OUT11'];
const CURVES: Readonly<Record<string, readonly number[]>> = {
  GRAD_V: [0.8333333333, 0.3333333333, 0.4166666667, 1],
  GRAD_A: [0.1666666667, 0.6666666667, 0.5833333333, 0],
  SMOOTHSTEP: [0.0196759259259259, 0.259259259259259, 0.794415509259259, 1],
  'REVERSE-SMOOTHSTEP': [0.980324074074074, 0.740740740740741, 0.205584490740741, 0],
  'SMOOTHSTEP*2': [0.0393518518518519, 0.518518518518519, 0.411168981481481, 0],
  'R_SMOOTHSTEP*2': [0.960648148148148, 0.481481481481481, 0.588831018518519, 1],
  'SMOOTHSTEP*3': [0.0590277777777778, 0.777777777777778, 0.383246527777778, 1],
  'R_SMOOTHSTEP*3': [0.940972222222222, 0.222222222222222, 0.616753472222222, 0],
  'SMOOTHSTEP*4': [0.0787037037037037, 0.962962962962963, 0.822337962962962, 0],
  'R_SMOOTHSTEP*4': [0.921296296296296, 0.0370370370370372, 0.177662037037038, 1],
  'SMOOTHSTEP/2': [0.0740740740740741, 0.740740740740741, 0.623842592592593, 0],
  'R_SMOOTHSTEP/2': [0.925925925925926, 0.259259259259259, 0.376157407407407, 1],
  'SMOOTHSTEP/3': [0.15625, 1, 0.04296875, 1],
  'R_SMOOTHSTEP/3': [0.84375, 0, 0.95703125, 0],
  'SMOOTHSTEP/4': [0.259259259259259, 0.740740740740741, 0.925925925925926, 0],
  'R_SMOOTHSTEP/4': [0.740740740740741, 0.259259259259259, 0.0740740740740742, 1],
  COSINE: [0.982962913144534, 0.75, 0.195619285495639, 0],
  REVERSE_COSINE: [0.0170370868554659, 0.25, 0.804380714504361, 1],
  FAKE_CUBIC_HERMITE: [0.28491512345679, 0.567901234567901, 0.435739776234568, 1],
  FAKE_REVERSE_CUBIC_HERMITE: [0.71508487654321, 0.432098765432099, 0.564260223765432, 0],
};

describe('presets', () => {
  test('are those of the published list, without the two that are left out', () => {
    expect([...BLOCK_PRESETS.keys()].sort()).toEqual(
      [...Object.keys(PUBLISHED), ...Object.keys(CURVES)].sort(),
    );
  });

  test.each(Object.entries(PUBLISHED))('%s, block by block', (name, published) => {
    expect([...parseBlockWeights(name, sd15).values()].join()).toBe(published);
  });

  test.each(Object.entries(CURVES))('%s, on its curve', (name, published) => {
    const weights = parseBlockWeights(name, sd15);
    expect(weights.get('BASE')).toBe(0);
    for (const [nth, block] of PUBLISHED_AT.entries()) {
      expect(weights.get(block), block).toBeCloseTo(published[nth] ?? Number.NaN, 9);
    }
  });

  test('on 20 blocks lose what a UNet of three levels has not', () => {
    const long = parseBlockWeights('GRAD_V', sd15);
    const short = parseBlockWeights('grad_v', sdxl);
    expect([...short.keys()]).toEqual(blockNames(sdxl));
    for (const [block, weight] of short) expect(weight).toBe(long.get(block));
  });

  test('are for UNets', () => {
    expect(() => parseBlockWeights('GRAD_V', flux)).toThrow(/presets are for UNets/);
  });
});

describe('weights as users write them', () => {
  test('a list, as text or numbers', () => {
    const list = Array.from({ length: 20 }, (_, index) => index / 10);
    const expected = new Map(blockNames(sdxl).map((block, index) => [block, index / 10]));
    expect(parseBlockWeights(list, sdxl)).toEqual(expected);
    expect(parseBlockWeights(list.join(', '), sdxl)).toEqual(expected);
    expect(parseBlockWeights(list, sdxl, { convention: 'mecha' })).toEqual(expected);
    expect(parseBlockWeights([...list, 7], sdxl, { convention: 'mecha' }).get('VAE')).toBe(7);
  });

  test('26 for 20 blocks: the 1st to 10th, and the 14th to 23rd', () => {
    const list = Array.from({ length: 26 }, (_, index) => index);
    expect([...parseBlockWeights(list, sdxl).values()]).toEqual([
      ...[0, 1, 2, 3, 4, 5, 6, 7, 8, 9],
      ...[13, 14, 15, 16, 17, 18, 19, 20, 21, 22],
    ]);
  });

  test('pairs, ranges and beginnings', () => {
    const weights = parseBlockWeights('IN00-IN02=0.3, in01:0.5\nOUT*=1; M00=-1e-1', sdxl);
    expect(Object.fromEntries(weights)).toEqual({
      ...{ IN00: 0.3, IN01: 0.5, IN02: 0.3, M00: -0.1 },
      ...Object.fromEntries(numbers('OUT', 9).map((block) => [block, 1])),
    });
    expect([...weights.keys()]).toEqual(blockNames(sdxl).filter((block) => weights.has(block)));
    expect(parseBlockWeights('*=1', flux).size).toBe(61);
  });

  test.each([
    ['IN09=1', /got "IN09"/],
    ['IN05-IN01=1', /got "IN05-IN01"/],
    ['X*=1', /got "X\*"/],
    ['IN00=', /pairs BLOCK=WEIGHT/],
    ['IN00=NaN', /a number as weight/],
    ['IN00=0x10', /a number as weight/],
    ['1,2,3', /20 or 26 weights for SDXL, got 3/],
    ['0.5,x', /a number as weight/],
    ['GRAD_Z', /the name of a preset, got "GRAD_Z"/],
    ['', /got ""/],
    ['1,'.repeat(20_000), /at most 20000 characters/],
  ])('refuses %s', (input, message) => {
    const parse = (): unknown => parseBlockWeights(input, sdxl);
    expect(parse).toThrow(message);
    expect(parse).toThrow(expect.objectContaining({ code: 'merge/block-weights' }));
  });

  test('refuses numbers that are none', () => {
    expect(() =>
      parseBlockWeights(
        Array.from({ length: 20 }, () => Number.NaN),
        sdxl,
      ),
    ).toThrow(/finite/);
  });
});
