import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { runJob } from '../../../../bridge/merge/run-job.ts';
import { detectArchitecture } from '../../../../nodes/merge/architectures/detect.ts';
import { adaptTensors } from '../../../../nodes/pipeline/adapt-tensors.ts';
import { startJob, viewFile } from '../../../../nodes/pipeline/view.ts';
import { draw } from '../../../lora/draw.ts';
import { readModels } from '../../../merge/architectures/layouts.ts';
import { f32, type Made, makeFolder, numbersOf, readModel } from '../../merge/small-models.ts';
import { drawCheckpoint, openModel, RUN, readFixture } from './small-sdxl.ts';

type Bake = {
  readonly kind: string;
  readonly weight: string;
  readonly files: Readonly<Record<string, readonly [number, readonly number[], number] | number>>;
  readonly strength: number;
  readonly every: number;
  readonly values: readonly number[];
  readonly sum: number;
  readonly changed: number;
};

const folder = makeFolder();
afterAll(() => rmSync(folder, { recursive: true }));

const { cases } = readFixture<{ cases: readonly Bake[] }>('bakes.json');
const checkpoint = drawCheckpoint();

function adapterOf({ files }: Pick<Bake, 'files'>): Map<string, Made> {
  return new Map(
    Object.entries(files).map(([name, value]) => [
      name,
      typeof value === 'number' ? f32([], [value]) : f32(value[1], draw(value[0], value[1], value[2]).data),
    ]),
  );
}

async function bake(adapters: readonly { readonly tensors: Map<string, Made>; readonly strength: number }[]) {
  const job = startJob();
  const base = viewFile((await openModel(folder, 'base.safetensors', checkpoint)).facts, job);
  const views = [];
  for (const [at, { tensors, strength }] of adapters.entries()) {
    const { facts } = await openModel(folder, `adapter-${at}.safetensors`, tensors);
    views.push({ view: viewFile(facts, job), strength });
  }
  const { tensors, findings, hits } = adaptTensors('bake', base, views);
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
  return { baked: readModel(out), findings, hits };
}

test('the engine bakes every kind of adapter as torch does', async () => {
  const { baked, findings, hits } = await bake(
    cases.map((each) => ({ tensors: adapterOf(each), strength: each.strength })),
  );
  // The one that PEFT would scale by what stands beside the file.
  const unscaled = cases.findIndex(({ kind }) => kind === 'PEFT');
  expect(findings.map(({ code, where }) => [code, where])).toEqual([
    ['pipeline/scale', expect.stringContaining(`loras[${unscaled}]`)],
  ]);
  expect(hits.map(({ modules, of }) => [modules, of])).toEqual(cases.map(() => [1, 1]));
  for (const { kind, weight, every, values, sum, changed } of cases) {
    const after = numbersOf(baked.get(weight)!);
    const before = numbersOf(checkpoint.get(weight)!);
    expect(after.filter((value, i) => value !== before[i]).length, kind).toBeGreaterThan(0.98 * changed);
    values.forEach((value, i) => {
      expect(Math.abs(after[i * every]! - value), `${kind} [${i * every}]`).toBeLessThan(1e-5);
    });
    const total = after.reduce((all, value) => all + value, 0);
    expect(Math.abs(total - sum), kind).toBeLessThan(1e-7 * after.length + 1e-5);
  }
  const touched = new Set(cases.map(({ weight }) => weight));
  for (const [name, { bytes }] of checkpoint)
    if (!touched.has(name)) expect(Buffer.compare(baked.get(name)!.bytes, bytes), name).toBe(0);
});

test('rows outside a module of a fused weight keep their bits', async () => {
  const fused = cases.find(({ kind }) => kind === 'kohya, CLIP-G, rows')!;
  const { baked } = await bake([{ tensors: adapterOf(fused), strength: 1 }]);
  const [after, before] = [numbersOf(baked.get(fused.weight)!), numbersOf(checkpoint.get(fused.weight)!)];
  const isOutside = (_: number, i: number): boolean => i < 40 * 40 || i >= 80 * 40;
  expect(after.filter(isOutside)).toEqual(before.filter(isOutside));
});

test('tensors that no module takes are named, and so are modules without a weight', async () => {
  const tensors = adapterOf(cases[0]!);
  tensors.set('lora_unet_no_such_block.lora_up.weight', f32([4, 2], draw(1, [4, 2]).data));
  tensors.set('lora_unet_no_such_block.lora_down.weight', f32([2, 4], draw(2, [2, 4]).data));
  tensors.set('something.else', f32([1], [1]));
  tensors.set('bundle_emb.style.clip_l', f32([1, 2], [1, 2]));
  const { findings, hits } = await bake([{ tensors, strength: 1 }]);
  expect(hits.map(({ modules, of }) => [modules, of])).toEqual([[1, 2]]);
  expect(findings.map(({ code }) => code)).toEqual(['pipeline/modules']);
  expect(findings[0]?.got).toContain('something.else');
  expect(findings[0]?.got).toContain('bundle_emb.style.clip_l');
  expect(findings[0]?.got).toContain('lora_unet_no_such_block');
});

test('a control LoRA for Flux widens the input layer: zeros, and the product of its factors', async () => {
  const [, layout] = readModels('denoiser-keys.json').find(([name]) => name === 'flux-dev')!;
  const shape = [3072, 64];
  const weight = draw(1, shape).data;
  const scale = 'single_blocks.0.norm.key_norm.scale';
  const held = new Map([
    ['img_in.weight', f32(shape, weight)],
    [scale, f32([128], draw(4, [128]).data)],
  ]);
  const base = await openModel(folder, 'flux.safetensors', held);
  const [down, up] = [draw(2, [2, 128]).data, draw(3, [3072, 2]).data];
  const control = new Map([
    ['img_in.lora_A.weight', f32([2, 128], down)],
    ['img_in.lora_B.weight', f32([3072, 2], up)],
    [scale, f32([128], draw(5, [128]).data)],
  ]);
  const job = startJob();
  const model = { ...viewFile(base.facts, job), detection: detectArchitecture(layout) };
  const view = viewFile((await openModel(folder, 'control.safetensors', control)).facts, job);
  const { tensors, findings } = adaptTensors('bake', model, [{ view, strength: 1 }]);
  expect(findings).toEqual([]);
  const out = join(folder, 'wide.safetensors');
  const made = [...tensors].map(([name, tensor]) => ({ name, ...tensor }));
  await runJob(
    { files: job.paths, tensors: made, metadata: new Map(), notFinite: 'error' },
    { out, memoryBytes: 1 << 28, resumable: false, flush: false, ...RUN },
  );
  const wide = readModel(out).get('img_in.weight')!;
  expect(numbersOf(readModel(out).get(scale)!)).toEqual(draw(5, [128]).data);
  expect(wide.shape).toEqual([3072, 128]);
  const wrong = numbersOf(wide).filter((value, i) => {
    const [row, column] = [Math.floor(i / 128), i % 128];
    const before = column < 64 ? weight[64 * row + column]! : 0;
    const delta = up[2 * row]! * down[column]! + up[2 * row + 1]! * down[128 + column]!;
    return Math.abs(value - before - delta) > 1e-6;
  });
  expect(wrong.length).toBe(0);
});
