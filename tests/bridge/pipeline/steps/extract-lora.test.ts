import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { runJob } from '../../../../bridge/merge/run-job.ts';
import { readFacts } from '../../../../bridge/pipeline/collect-facts.ts';
import { extractLora } from '../../../../bridge/pipeline/steps/extract-lora.ts';
import { adaptTensors } from '../../../../nodes/pipeline/adapt-tensors.ts';
import { startJob, viewFile } from '../../../../nodes/pipeline/view.ts';
import { distance, draw } from '../../../lora/draw.ts';
import { f32, type Made, makeFolder, numbersOf, readModel } from '../../merge/small-models.ts';
import { drawCheckpoint, openModel, placeOf, RUN, readFixture } from './small-sdxl.ts';

const fixture = readFixture<{
  readonly rank: number;
  readonly relativeError: number;
  /** Of the whole, where nothing is lost but by storing the factors. */
  readonly rounding: Readonly<Record<'F16' | 'BF16', number>>;
  readonly cases: Readonly<
    Record<
      string,
      { readonly scale: number; readonly values: readonly number[][]; readonly errors: readonly number[] }
    >
  >;
}>('extractions.json');
const folder = makeFolder();
const base = drawCheckpoint();
type Opened = Awaited<ReturnType<typeof openModel>>;
let [opened, tuned]: (Opened | undefined)[] = [];
const changed = new Map<string, Made>();

function change(tensors: Map<string, Made>, name: string, scale: number): void {
  const { shape } = base.get(name)!;
  const step = draw(9000 + placeOf(name, base), shape, scale).data;
  tensors.set(
    name,
    f32(
      shape,
      numbersOf(base.get(name)!).map((value, i) => value + step[i]!),
    ),
  );
}

beforeAll(async () => {
  for (const [name, made] of base) changed.set(name, made);
  for (const [name, { scale }] of Object.entries(fixture.cases)) change(changed, name, scale);
  opened = await openModel(folder, 'base.safetensors', base);
  tuned = await openModel(folder, 'tuned.safetensors', changed);
});
afterAll(() => rmSync(folder, { recursive: true }));

type Dtype = Parameters<typeof extractLora>[0]['dtype'];

function extract(file: string, rank: number, model = tuned!, threads = RUN.threads, dtype: Dtype = 'F32') {
  const out = { path: join(folder, file), metadata: new Map([['format', 'pt']]) };
  return extractLora({ model: model.model, base: opened!.model, rank, dtype, out }, { ...RUN, threads });
}

const TARGETS: Readonly<Record<string, readonly string[]>> = {
  'model.diffusion_model.input_blocks.4.1.transformer_blocks.0.attn1.to_q.weight': [
    'lora_unet_input_blocks_4_1_transformer_blocks_0_attn1_to_q',
  ],
  'model.diffusion_model.input_blocks.4.1.transformer_blocks.1.ff.net.0.proj.weight': [
    'lora_unet_input_blocks_4_1_transformer_blocks_1_ff_net_0_proj',
  ],
  'model.diffusion_model.input_blocks.1.0.in_layers.2.weight': ['lora_unet_input_blocks_1_0_in_layers_2'],
  'model.diffusion_model.input_blocks.0.0.weight': ['lora_unet_input_blocks_0_0'],
  'conditioner.embedders.0.transformer.text_model.encoder.layers.0.mlp.fc1.weight': [
    'lora_te1_text_model_encoder_layers_0_mlp_fc1',
  ],
  'conditioner.embedders.1.model.transformer.resblocks.3.attn.in_proj_weight': ['q', 'k', 'v'].map(
    (part) => `lora_te2_text_model_encoder_layers_3_self_attn_${part}_proj`,
  ),
};

test("the modules that differ, in kohya's names, with numpy's singular values and error", async () => {
  const { modules, relativeError, left } = await extract('rank.safetensors', fixture.rank);
  expect([modules, left]).toEqual([8, []]);
  expect(Math.abs(relativeError / fixture.relativeError - 1)).toBeLessThan(1e-5);
  const lora = readModel(join(folder, 'rank.safetensors'));
  expect(lora.size).toBe(24);
  for (const [name, { values }] of Object.entries(fixture.cases)) {
    for (const [part, target] of TARGETS[name]!.entries()) {
      const up = lora.get(`${target}.lora_up.weight`)!;
      const rank = up.shape[1]!;
      expect(numbersOf(lora.get(`${target}.alpha`)!)).toEqual(Float32Array.of(rank));
      // Half of each value is in either factor: the square of a column's norm is the value.
      for (let k = 0; k < rank; k++) {
        const column = numbersOf(up).filter((_, i) => i % rank === k);
        const value = column.reduce((sum, each) => sum + each * each, 0);
        expect(Math.abs(value / values[part]![k]! - 1), `${target} ${k}`).toBeLessThan(1e-5);
      }
    }
  }
});

test("the error of each weight is numpy's, and the worst one is named", async () => {
  const { worst, found, relativeError } = await extract('rank.safetensors', fixture.rank);
  const errors = Object.entries(fixture.cases).flatMap(([name, { errors: all }]) =>
    all.map((error, part) => ({ error, target: TARGETS[name]![part]! })),
  );
  const largest = errors.reduce((most, each) => (each.error > most.error ? each : most));
  expect(worst.module).toContain(largest.target);
  expect(Math.abs(worst.relativeError / largest.error - 1)).toBeLessThan(1e-5);
  expect(found).toEqual({
    scores: {
      modules: 8,
      relative_error: relativeError,
      worst_error: worst.relativeError,
      worst_module: worst.module,
    },
  });
});

test.each(['F16', 'BF16'] as const)(
  'at full rank the error is what %s loses, as numpy has it',
  async (dtype) => {
    const { relativeError } = await extract('narrow.safetensors', 4096, tuned, RUN.threads, dtype);
    expect(Math.abs(relativeError / fixture.rounding[dtype] - 1)).toBeLessThan(0.01);
  },
);

test('the same bytes on any number of threads', async () => {
  await extract('one.safetensors', 3, tuned, 1);
  await extract('two.safetensors', 3, tuned, 2);
  const [one, two] = ['one', 'two'].map((file) => readModel(join(folder, `${file}.safetensors`)));
  expect(two).toEqual(one);
});

test('baked at full rank it is the model that it was extracted from', async () => {
  const { relativeError } = await extract('full.safetensors', 4096);
  expect(relativeError).toBeLessThan(1e-6);
  const job = startJob();
  const path = join(folder, 'full.safetensors');
  const view = viewFile((await readFacts(path, path)).facts, job);
  const { tensors, findings } = adaptTensors('bake', viewFile(opened!.facts, job), [{ view, strength: 1 }]);
  expect(findings).toEqual([]);
  const out = join(folder, 'baked.safetensors');
  await runJob(
    {
      files: job.paths,
      tensors: [...tensors].map(([name, tensor]) => ({ name, ...tensor })),
      metadata: new Map(),
      notFinite: 'error',
    },
    { out, memoryBytes: 1 << 28, resumable: false, flush: false, ...RUN },
  );
  const baked = readModel(out);
  for (const [name, made] of changed) {
    if (made.dtype !== 'F32') continue;
    expect(distance(numbersOf(baked.get(name)!), numbersOf(made)), name).toBeLessThan(1e-6);
  }
});

test('what has no module is named; text encoders that hardly differ are left alone', async () => {
  const tensors = new Map(base);
  change(tensors, 'model.diffusion_model.input_blocks.4.1.transformer_blocks.0.attn1.to_q.weight', 0.02);
  change(tensors, 'model.diffusion_model.out.2.bias', 0.02);
  const encoder = 'conditioner.embedders.0.transformer.text_model.encoder.layers.0.mlp.fc1.weight';
  change(tensors, encoder, 0.0099);
  const { modules, left } = await extract(
    'few.safetensors',
    2,
    await openModel(folder, 'few-tuned', tensors),
  );
  expect(modules).toBe(1);
  expect([...left].sort()).toEqual([encoder, 'model.diffusion_model.out.2.bias']);
});

test('models that are the same, and numbers that are none, are refused', async () => {
  await expect(extract('none.safetensors', 2, opened)).rejects.toThrow('to differ');
  const tensors = new Map(changed);
  const name = 'model.diffusion_model.out.2.weight';
  const values = numbersOf(base.get(name)!).slice();
  values[3] = Number.NaN;
  tensors.set(name, f32(base.get(name)!.shape, values));
  const broken = await openModel(folder, 'nan.safetensors', tensors);
  await expect(extract('nan-lora.safetensors', 2, broken)).rejects.toThrow(`1 that are not in "${name}"`);
});
