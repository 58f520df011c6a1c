import { describe, expect, test } from 'vitest';
import type { TensorShape, TensorShapes } from '../../nodes/merge/architectures/define.ts';
import { detectArchitecture } from '../../nodes/merge/architectures/detect.ts';
import { checkStructure } from '../../nodes/pipeline/check-structure.ts';
import {
  readCheckpoint,
  readModels,
  readTensorNames,
  readUnetNames,
  scaleDown,
} from '../merge/architectures/layouts.ts';

function check(tensors: TensorShapes) {
  const { found } = detectArchitecture(tensors);
  if (!found) throw new Error('not recognised');
  return checkStructure(tensors, found);
}

const FINE = { missing: [], unexpected: [], misshapen: [] };
const FAMILIES = ['sd15', 'sd2', 'sdxl', 'sdxl-refiner'];
const OTHERS = ['denoiser-keys.json', 'language-model-keys.json'].flatMap((file) => readModels(file));
const SDXL = readCheckpoint('sdxl');
const UNET = 'model.diffusion_model.';

describe('what real models hold is whole', () => {
  test.each(FAMILIES)('%s, of any size', (family) => {
    const checkpoint = readCheckpoint(family);
    expect(check(checkpoint)).toEqual({ ...FINE, isListed: true });
    expect(check(scaleDown(checkpoint, 32))).toEqual({ ...FINE, isListed: true });
  });

  test.each(OTHERS)('%s', (_, tensors) => {
    expect(check(tensors)).toEqual({ ...FINE, isListed: false });
  });

  test("an SDXL UNet in diffusers' names", () => {
    const tensors = [...readUnetNames('sdxl')].flatMap(([diffusers, original]) =>
      ['weight', 'bias'].flatMap((parameter): [string, TensorShape][] => {
        const tensor = SDXL.get(`${UNET}${original}.${parameter}`);
        return tensor ? [[`${diffusers}.${parameter}`, tensor]] : [];
      }),
    );
    expect(tensors.length).toBeGreaterThan(1600);
    expect(check(new Map(tensors))).toEqual({ ...FINE, isListed: true });
  });

  test('CLIP-G with q, k and v apart, as transformers has it', () => {
    const start = 'conditioner.embedders.1.model.';
    const others = [...SDXL].filter(([name]) => !name.startsWith(start));
    const apart = [...readTensorNames('clip-g-names.json')].map(([name, of]): [string, TensorShape] => {
      const whole = SDXL.get(start + (typeof of === 'string' ? of : of[0]![0]))!;
      const shape = typeof of === 'string' ? whole.shape : [of[0]![2], ...whole.shape.slice(1)];
      return [
        start + name,
        { ...whole, shape: name === 'text_projection.weight' ? shape.toReversed() : shape },
      ];
    });
    expect(check(new Map([...others, ...apart]))).toMatchObject({ ...FINE, isListed: true });
  });
});

describe.each(FAMILIES)('%s', (family) => {
  const checkpoint = readCheckpoint(family);
  const optional = /skip_connection|position_ids|text_projection|logit_scale/;
  // Every 97th of two thousand: each would take a while.
  const names = [...checkpoint.keys()].filter((name, i) => i % 97 === 0 && !optional.test(name));

  test('any tensor that is missing is named', () => {
    const { found } = detectArchitecture(checkpoint);
    for (const name of names) {
      const tensors = new Map(checkpoint);
      tensors.delete(name);
      expect(checkStructure(tensors, found!).missing).toEqual([name]);
    }
  });

  test('what does not belong there is named', () => {
    const tensors = new Map(checkpoint);
    const stranger = { dtype: 'F16', shape: [4] };
    for (const name of ['unknown.thing', `${UNET}out.3.weight`]) tensors.set(name, stranger);
    expect(check(tensors)).toMatchObject({
      missing: [],
      unexpected: ['unknown.thing', `${UNET}out.3.weight`],
    });
  });
});

test('pieces of a fused tensor are counted together', () => {
  const start = 'conditioner.embedders.1.model.';
  const layer = `${start}text_model.encoder.layers.5.self_attn`;
  const tensors = new Map(SDXL);
  for (const parameter of ['weight', 'bias']) {
    const name = `${start}transformer.resblocks.5.attn.in_proj_${parameter}`;
    const { dtype, shape } = SDXL.get(name)!;
    tensors.delete(name);
    const [rows = 0, ...rest] = shape;
    for (const piece of ['q', 'k', 'v'])
      tensors.set(`${layer}.${piece}_proj.${parameter}`, { dtype, shape: [rows / 3, ...rest] });
  }
  expect(check(tensors)).toMatchObject(FINE);
  tensors.delete(`${layer}.k_proj.weight`);
  expect(check(tensors).misshapen).toHaveLength(2);
});

test('a bias of another length, and a block of another shape than those beside it', () => {
  const tensors = new Map(SDXL);
  tensors.set(`${UNET}out.2.bias`, { dtype: 'F16', shape: [5] });
  const odd = `${UNET}middle_block.1.transformer_blocks.4.attn1.to_q.weight`;
  tensors.set(odd, { dtype: 'F16', shape: [1280, 640] });
  expect(check(tensors).misshapen).toEqual([
    `${odd}: [1280,640], and [1280,1280] in the blocks beside it expected`,
    `${UNET}out.2.bias: [5], and [4] as its weight's rows expected`,
  ]);
});

test('a gap in the blocks of a family without a list', () => {
  const [, flux] = OTHERS.find(([name]) => name === 'flux-dev')!;
  const gone = [...flux.keys()].filter((name) => name.startsWith('single_blocks.7.'));
  const tensors = new Map([...flux].filter(([name]) => !gone.includes(name)));
  expect(gone.length).toBeGreaterThan(3);
  expect(
    check(tensors)
      .missing.map((name) => name.replace(UNET, ''))
      .sort(),
  ).toEqual(gone.sort());
});
