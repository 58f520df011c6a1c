import { describe, expect, test } from 'vitest';
import { checkPipeline, layOutManifest } from '../../nodes/pipeline/check.ts';
import type { FileFacts } from '../../nodes/pipeline/facts.ts';
import { factsOf, fileOf, nothingAt, optionsOf, realTensors, type Tensors } from './models.ts';

function plan(step: object, ...files: readonly FileFacts[]) {
  const { laidOut, findings } = layOutManifest({
    pipeline: { steps: [{ id: 's', output: 'out', ...step }] },
  });
  if (!laidOut) throw new Error(JSON.stringify(findings));
  const checked = checkPipeline(laidOut, factsOf(...files, nothingAt('out')), optionsOf(), {
    threads: 1,
    fixedBytes: 0,
    bytesPerThread: 0,
    needOf: () => 0,
  });
  const [first] = checked.steps;
  return {
    ...first,
    findings: checked.findings,
    tensors: new Map(first?.job?.tensors.map((each) => [each.name, each])),
  };
}

const SDXL = realTensors('sdxl').tensors;
const VAE = 'first_stage_model.';
const vaeOf = (tensors: Tensors): Tensors =>
  Object.fromEntries(
    Object.entries(tensors).flatMap(([name, text]) =>
      name.startsWith(VAE) ? [[name.slice(VAE.length), text]] : [],
    ),
  );
const checkpoint = fileOf('a', SDXL);
const vae = fileOf('vae', vaeOf(SDXL));

describe('the VAE of another file', () => {
  const convert = { type: 'convert', model: { path: 'a' }, vae: { path: 'vae' } };
  const count = Object.keys(vaeOf(SDXL)).length;
  const fromVae = (made: ReturnType<typeof plan>): number =>
    [...made.tensors.values()].filter(
      ({ value }) => value.kind === 'stored' && made.job?.files[value.file] === 'vae',
    ).length;

  test('alone or in a checkpoint: all of it, and nothing else', () => {
    const alone = plan(convert, checkpoint, vae);
    expect(alone.findings).toEqual([]);
    expect([fromVae(alone), alone.tensors.size]).toEqual([count, Object.keys(SDXL).length]);
    const whole = plan(convert, checkpoint, fileOf('vae', SDXL));
    expect([fromVae(whole), whole.tensors.size]).toEqual([count, Object.keys(SDXL).length]);
  });

  test('of another shape or with other tensors it is refused', () => {
    const [name = ''] = Object.keys(vaeOf(SDXL)).filter((each) => each === 'decoder.conv_in.weight');
    const odd = fileOf('vae', { ...vaeOf(SDXL), [name]: 'F32 512x16x3x3', extra: 'F32 1' });
    expect(plan(convert, checkpoint, odd).findings).toMatchObject([
      {
        code: 'pipeline/part',
        got: '1 that it does not have: "extra"; 1 of another shape: "decoder.conv_in.weight [512,16,3,3]"',
      },
    ]);
  });
});

describe('extract', () => {
  const extract = (part: string) => ({ type: 'extract', part, model: { path: 'a' } });

  test('VAE and rest make the whole again: the same bytes under the names of a VAE file', () => {
    const { tensors, findings } = plan(extract('vae'), checkpoint);
    expect(findings).toEqual([]);
    expect([...tensors.keys()].sort()).toEqual(Object.keys(vaeOf(SDXL)).sort());
    for (const [name, { value, dtype }] of tensors)
      expect(value).toMatchObject({
        kind: 'stored',
        dtype,
        offset: checkpoint.tensors.get(VAE + name)?.offset,
      });
  });

  test('one text encoder has its own names, two keep those of the checkpoint', () => {
    const two = plan(extract('text_encoder'), checkpoint).tensors;
    expect([...two.keys()].every((name) => name.startsWith('conditioner.embedders.'))).toBe(true);
    const one = plan(extract('text_encoder'), fileOf('a', realTensors('sd15').tensors)).tensors;
    expect(one.has('text_model.encoder.layers.0.self_attn.q_proj.weight')).toBe(true);
    expect(one.size).toBeLessThan(two.size);
  });

  test('what is not there cannot be taken', () => {
    const bare = fileOf('a', { w: 'F16 4' });
    expect(plan(extract('vae'), bare).findings).toMatchObject([
      { code: 'pipeline/part', expected: 'a checkpoint with a VAE', got: 'a, which was not recognised' },
    ]);
  });
});

describe('convert', () => {
  test('prune drops EMA, optimizer state and leftovers, lists them, and keeps markers', () => {
    const name = 'model.diffusion_model.out.2.weight';
    const ema = 'model_ema.diffusion_modelout2weight';
    const model = fileOf('a', {
      ...SDXL,
      [ema]: 'F32 4x320x3x3',
      betas: 'F32 1000',
      'optimizer.x': 'F32 2',
      v_pred: 'F16 0',
    });
    const convert = (prune: unknown) => plan({ type: 'convert', model: { path: 'a' }, prune }, model);
    const pruned = convert(true);
    expect(pruned.tensors.size).toBe(Object.keys(SDXL).length + 1);
    expect(pruned.tensors.has('v_pred')).toBe(true);
    expect(
      pruned.plan?.pruned
        .get('a')
        ?.map(({ name: each, why }) => `${each} ${why}`)
        .sort(),
    ).toEqual(['betas junk', `${ema} ema`, 'optimizer.x optimizer']);
    expect(convert(false).tensors.size).toBe(Object.keys(SDXL).length + 4);
    const averaged = convert('ema').tensors.get(name);
    expect(averaged).toMatchObject({ dtype: 'F32', value: { offset: model.tensors.get(ema)?.offset } });
  });

  test('to the names of diffusers and back: the same tensors, bytes and shapes', () => {
    const unet = Object.fromEntries(
      Object.entries(SDXL).filter(([name]) => name.startsWith('model.diffusion_model.')),
    );
    const there = plan({ type: 'convert', model: { path: 'a' }, key_space: 'diffusers' }, fileOf('a', unet));
    expect(there.findings).toEqual([]);
    expect(there.tensors.size).toBe(Object.keys(unet).length);
    expect(there.tensors.has('down_blocks.1.attentions.0.transformer_blocks.0.attn1.to_q.weight')).toBe(true);
    const named = Object.fromEntries(
      [...there.tensors].map(([name, { dtype, shape }]) => [name, `${dtype} ${shape.join('x')}`]),
    );
    const back = plan({ type: 'convert', model: { path: 'a' }, key_space: 'ldm' }, fileOf('a', named));
    expect([...back.tensors.keys()].sort()).toEqual(Object.keys(unet).sort());
  });

  test('a fused tensor is cut by its rows', () => {
    const name = 'conditioner.embedders.1.model.transformer.resblocks.0.attn.in_proj_weight';
    // What diffusers keeps turned cannot be converted by copying.
    const model = fileOf(
      'a',
      Object.fromEntries(Object.entries(SDXL).filter(([each]) => !each.endsWith('text_projection'))),
    );
    const { tensors } = plan({ type: 'convert', model: { path: 'a' }, key_space: 'diffusers' }, model);
    const fused = model.tensors.get(name)?.offset ?? 0;
    const module = 'text_encoder_2.text_model.encoder.layers.0.self_attn';
    // 1280 rows of 1280 halves each.
    for (const [part, offset] of [
      ['q', 0],
      ['k', 3_276_800],
      ['v', 6_553_600],
    ] as const)
      expect(tensors.get(`${module}.${part}_proj.weight`)).toMatchObject({
        shape: [1280, 1280],
        value: { kind: 'stored', shape: [1280, 1280], offset: fused + offset },
      });
  });

  test('an unknown key space names those that are known', () => {
    expect(
      plan({ type: 'convert', model: { path: 'a' }, key_space: 'hf' }, checkpoint).findings,
    ).toMatchObject([{ where: 'key_space', expected: 'one of ldm, comfy-bare, diffusers', got: '"hf"' }]);
  });
});

describe('lora_merge', () => {
  const module = 'lora_unet_input_blocks_4_1_transformer_blocks_0_attn1_to_q';
  const weight = 'model.diffusion_model.input_blocks.4.1.transformer_blocks.0.attn1.to_q.weight';
  const factors = (name: string): Tensors => ({
    [`${name}.lora_up.weight`]: 'F16 640x8',
    [`${name}.lora_down.weight`]: 'F16 8x640',
    [`${name}.alpha`]: 'F16',
  });
  const bake = (...tensors: Tensors[]) =>
    plan(
      {
        type: 'lora_merge',
        model: { path: 'a' },
        loras: tensors.map((_, index) => ({ path: `l${index}`, strength: index + 0.5 })),
      },
      checkpoint,
      ...tensors.map((each, index) => fileOf(`l${index}`, each)),
    );

  test('into codes that stand for other numbers: refused', () => {
    const model = fileOf('a', { [weight]: 'F8_E4M3 640x640', scaled_fp8: 'F8_E4M3 2' });
    const step = { type: 'lora_merge', model: { path: 'a' }, loras: [{ path: 'l0' }] };
    const { findings } = plan(step, model, fileOf('l0', factors(module)));
    expect(findings).toMatchObject([{ code: 'pipeline/scaled', got: expect.stringContaining('in a') }]);
  });

  test('a weight is adapted by all that name it, in their order; all others are copied', () => {
    const { tensors, findings, plan: step } = bake(factors(module), factors(module));
    expect(findings).toEqual([]);
    expect(tensors.get(weight)?.value).toMatchObject({
      kind: 'adapted',
      shape: [640, 640],
      base: { kind: 'stored', file: 0 },
      patches: [
        {
          adapter: 'lora',
          strength: 0.5,
          tensors: { up: { shape: [640, 8] }, down: { file: 1 }, alpha: {} },
        },
        { adapter: 'lora', strength: 1.5, tensors: { up: { file: 2 } } },
      ],
    });
    expect([...tensors.values()].filter(({ value }) => value.kind === 'adapted')).toHaveLength(1);
    expect(step?.hits).toEqual([
      { label: 'l0', modules: 1, of: 1 },
      { label: 'l1', modules: 1, of: 1 },
    ]);
  });

  test('a module of one of q, k and v changes its rows of the fused weight', () => {
    const key = 'lora_te2_text_model_encoder_layers_0_self_attn_k_proj';
    const made = bake({ [`${key}.lora_up.weight`]: 'F16 1280x4', [`${key}.lora_down.weight`]: 'F16 4x1280' });
    expect(made.findings).toEqual([]);
    const fused = 'conditioner.embedders.1.model.transformer.resblocks.0.attn.in_proj_weight';
    expect(made.tensors.get(fused)?.value).toMatchObject({
      kind: 'adapted',
      patches: [{ rows: [1280, 2560] }],
    });
  });

  test('a module without a weight is told; an adapter without any is refused', () => {
    const lost = 'lora_unet_input_blocks_99_0_nothing';
    expect(bake({ ...factors(module), ...factors(lost) }).findings).toMatchObject([
      {
        level: 'warning',
        code: 'pipeline/modules',
        where: 'loras[0] (l0)',
        got: `1 of 2 that do; left out: "${lost}"`,
      },
    ]);
    expect(bake(factors(lost)).findings).toMatchObject([{ level: 'error', code: 'pipeline/part' }]);
  });
});
