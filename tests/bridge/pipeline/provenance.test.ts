import { createHash } from 'node:crypto';
import { readFileSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { preparePipeline } from '../../../bridge/pipeline/prepare-pipeline.ts';
import { readMergeRecord } from '../../../nodes/merge/provenance/merge-record.ts';
import { f16, writeModel } from '../merge/small-models.ts';
import { drawModel, filesIn, makeModelFolder, runnerIn, sha256Of } from './models.ts';

const A = 'realistic_base_v1.safetensors';
const B = 'photorealism_v2.safetensors';
const MERGE = {
  id: 'ab',
  type: 'merge',
  models: [
    { path: A, weight: 0.75 },
    { path: B, weight: 0.25 },
  ],
};
const STEPS = {
  pipeline: {
    name: 'Of two',
    steps: [
      MERGE,
      {
        id: 'end',
        type: 'convert',
        model: { step: 'ab' },
        output: { path: 'end.safetensors', precision: 'fp16' },
      },
    ],
  },
};

function textsOf(path: string): { readonly texts: Record<string, string>; readonly data: Buffer } {
  const file = readFileSync(path);
  const start = 8 + Number(file.readBigUInt64LE(0));
  return { texts: JSON.parse(file.toString('utf8', 8, start)).__metadata__, data: file.subarray(start) };
}

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

test('the header names the sources by their hashes, and the data by its own', async () => {
  const folder = makeModelFolder();
  await runnerIn(folder)(STEPS);
  const { texts, data } = textsOf(join(folder, 'end.safetensors'));
  expect(texts['modelspec.hash_sha256']).toBe(`0x${sha256(data)}`);
  expect(texts['modelspec.merged_from']).toBe(`${A}, ${B}`);
  expect(texts['modelspec.architecture']).toBe('stable-diffusion-xl-v1-base');
  const record = readMergeRecord(texts['lineage']);
  expect(record?.sources.map(({ name, sha256: whole, dataSha256 }) => [name, whole, dataSha256])).toEqual(
    [A, B].map((name) => {
      const path = join(folder, name);
      return [name, sha256(readFileSync(path)), sha256(textsOf(path).data)];
    }),
  );
  expect(record).toMatchObject({ mode: 'staged', step: 'end' });
  expect(JSON.parse(texts['sd_merge_recipe'] ?? '')).toMatchObject({
    primary_model_hash: sha256Of(folder, A),
    secondary_model_hash: sha256Of(folder, B),
    save_as_half: true,
  });
  expect(JSON.stringify(texts)).not.toContain(folder);
});

test('the same bytes on any number of threads, in any folder, at any time', async () => {
  const hashes = [];
  for (const threads of [1, 3]) {
    const folder = makeModelFolder();
    await runnerIn(folder)(STEPS, { threads });
    hashes.push(sha256Of(folder, 'end.safetensors'));
  }
  expect(hashes[0]).toBe(hashes[1]);
});

test('the record and the licence of a parent go on in the child', async () => {
  const folder = makeModelFolder();
  const run = runnerIn(folder);
  await run(STEPS);
  const parent = join(folder, 'end.safetensors');
  const { texts } = textsOf(parent);
  const licensed = { ...texts, 'modelspec.license': 'CreativeML Open RAIL-M' };
  const json = Buffer.from(JSON.stringify({ ...headerOf(parent), __metadata__: licensed }));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(json.length));
  writeFileSync(parent, Buffer.concat([length, json, textsOf(parent).data]));
  await run({
    models: [
      { path: 'end.safetensors', weight: 0.5 },
      { path: A, weight: 0.5 },
    ],
    output: 'child.safetensors',
  });
  const child = textsOf(join(folder, 'child.safetensors')).texts;
  expect(child['modelspec.license']).toBe('CreativeML Open RAIL-M');
  const record = readMergeRecord(child['lineage']);
  expect(record?.sources[0]?.record?.sources.map(({ name }) => name)).toEqual([A, B]);
});

function headerOf(
  path: string,
): Record<string, { dtype: 'F16'; shape: number[]; data_offsets: [number, number] }> {
  const file = readFileSync(path);
  return JSON.parse(file.toString('utf8', 8, 8 + Number(file.readBigUInt64LE(0))));
}

test('the report counts what went wrong in numbers, and names what was pruned', async () => {
  const folder = makeModelFolder();
  const more = { 'model_ema.num_updates': f16([1], [3]), betas: f16([4], [1, 2, 3, 4]) };
  const bad = new Map([...drawModel({ 'model.diffusion_model.input_blocks.0.0.weight': [8, 4, 3, 3] }, 5)]);
  const numbers = new Float32Array(288).fill(60000);
  numbers[7] = Number.NaN;
  bad.set('model.diffusion_model.input_blocks.0.0.weight', f16([8, 4, 3, 3], numbers));
  writeModel(
    join(folder, 'bad.safetensors'),
    new Map([...drawnSdxl(folder), ...bad, ...Object.entries(more)]),
  );
  const { report } = await runnerIn(folder)({
    models: [
      { path: 'bad.safetensors', weight: 2 },
      { path: A, weight: 0 },
    ],
    prune: true,
    output: 'm.safetensors',
  });
  const [step] = report.steps;
  expect(step?.damage).toEqual({ notFinite: 1, nan: 1, overflowed: 287, tensors: 1 });
  expect(Object.values(step?.pruned ?? {})[0]).toEqual(
    expect.arrayContaining(['betas', 'model_ema.num_updates']),
  );
});

/** The tensors of a model of the folder. */
function drawnSdxl(folder: string) {
  const path = join(folder, A);
  const { data } = textsOf(path);
  return Object.entries(headerOf(path)).map(
    ([
      name,
      {
        dtype,
        shape,
        data_offsets: [from, to],
      },
    ]) => {
      return [name, { dtype, shape, bytes: new Uint8Array(data.subarray(from, to)) }] as const;
    },
  );
}

test('the disk never holds more than the plan says', async () => {
  const folder = makeModelFolder();
  const steps = Array.from({ length: 4 }, (_, at) => ({
    ...MERGE,
    id: `s${at}`,
    models: [at === 0 ? { path: A } : { step: `s${at - 1}` }, { path: B }],
    ...(at === 3 && { output: 'end.safetensors' }),
  }));
  const manifest = { pipeline: { steps } };
  const pathOf = (spelled: string): string => join(folder, spelled);
  const plan = { manifest, pathOf, name: 'test', mode: 'staged', keepTemps: false, threads: 1 } as const;
  const { plan: planned } = await preparePipeline(plan, undefined);
  const most = Math.max(...planned.checked.disks.map(({ duringBytes }) => duringBytes));
  // Journals, of a few bytes for each MiB, are not counted.
  const models = (): string[] => filesIn(folder).filter((file) => !file.endsWith('.journal'));
  const held = (): number => models().reduce((sum, file) => sum + statSync(join(folder, file)).size, 0);
  const before = held();
  let highest = 0;
  await runnerIn(folder)(manifest, {
    onEvent: ({ kind }) => {
      if (kind === 'step-end' || kind === 'step-progress') highest = Math.max(highest, held() - before);
    },
  });
  expect(highest).toBeGreaterThan(0);
  expect(highest).toBeLessThanOrEqual(most);
});

test('a source of another name changes the header and not the data', async () => {
  const folder = makeModelFolder();
  const run = runnerIn(folder);
  const { report } = await run({ ...MERGE, output: 'm.safetensors' });
  renameSync(join(folder, A), join(folder, 'renamed.safetensors'));
  const models = [{ path: 'renamed.safetensors', weight: 0.75 }, MERGE.models[1]];
  const again = await run({ ...MERGE, models, output: 'm.safetensors' });
  expect(again.report.steps[0]?.outcome).toBe('relabelled');
  expect(again.report.steps[0]?.dataSha256).toEqual(report.steps[0]?.dataSha256);
  expect(textsOf(join(folder, 'm.safetensors')).texts['modelspec.merged_from']).toBe(
    `renamed.safetensors, ${B}`,
  );
});
