import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { createFileHasher } from '../../../bridge/local/hash-file.ts';
import { createMemoryLedger } from '../../../bridge/local/ledger.ts';
import { rebuildFile } from '../../../bridge/pipeline/rebuild-file.ts';
import { lineage, newFolder } from '../cli/run.ts';
import { f32, numbersOf, readModel, writeModel } from '../merge/small-models.ts';
import { runnerIn, writeExampleModels } from './models.ts';

const WEIGHT = 'model.diffusion_model.middle_block.1.transformer_blocks.9.attn1.to_q.weight';
const MODULE = 'base_model.model.mid_block.attentions.0.transformer_blocks.9.attn1.to_q';
const ADAPTER = 'adapter/adapter_model.safetensors';
const BAKE = {
  pipeline: {
    steps: [
      {
        id: 'bake',
        type: 'lora_merge',
        model: { path: 'base.safetensors' },
        loras: [{ path: ADAPTER, strength: 1 }],
        output: 'baked.safetensors',
      },
    ],
  },
};

/**
 * What PEFT 0.21.2 adds for A[i, j] = ((3i + j) mod 7 - 3) / 8 of 4 x 32 and B[i, j] = ((i + 2j) mod 5 - 2) / 4 of
 * 32 x 4, by `merge_and_unload`: the first row's first numbers, the last row's last, all together and their squares.
 */
const ADDED = {
  'alpha 4': {
    config: { peft_type: 'LORA', r: 4, lora_alpha: 4 },
    first: [0.40625, -0.0625, -0.09375, -0.125, -0.15625, 0.03125, 0, 0.40625],
    last: [0.15625, -0.125, -0.1875, -0.25, -0.09375, 0.28125, 0.21875, 0.15625],
    sum: 0.6875,
    squares: 42.986328125,
  },
  'alpha 8': {
    config: { peft_type: 'LORA', r: 4, lora_alpha: 8 },
    first: [0.8125, -0.125, -0.1875, -0.25, -0.3125, 0.0625, 0, 0.8125],
    last: [0.3125, -0.25, -0.375, -0.5, -0.1875, 0.5625, 0.4375, 0.3125],
    sum: 1.375,
    squares: 171.9453125,
  },
  'alpha 8, stabilised': {
    config: { peft_type: 'LORA', r: 4, lora_alpha: 8, use_rslora: true },
    first: [1.625, -0.25, -0.375, -0.5, -0.625, 0.125, 0, 1.625],
    last: [0.625, -0.5, -0.75, -1, -0.375, 1.125, 0.875, 0.625],
    sum: 2.75,
    squares: 687.78125,
  },
};

/** A model whose weight is zero, so that what is added shows, and an adapter for it. */
function adapterFolder(config?: object): string {
  const folder = newFolder();
  writeExampleModels(folder);
  const base = new Map(readModel(join(folder, 'realistic_base_v1.safetensors')));
  base.set(WEIGHT, f32([32, 32], new Float32Array(1024)));
  writeModel(join(folder, 'base.safetensors'), base);
  const a = Array.from({ length: 128 }, (_, at) => (((3 * Math.floor(at / 32) + (at % 32)) % 7) - 3) / 8);
  const b = Array.from({ length: 128 }, (_, at) => (((Math.floor(at / 4) + 2 * (at % 4)) % 5) - 2) / 4);
  mkdirSync(join(folder, 'adapter'));
  const factors = [
    [`${MODULE}.lora_A.weight`, f32([4, 32], a)],
    [`${MODULE}.lora_B.weight`, f32([32, 4], b)],
  ] as const;
  writeModel(join(folder, ADAPTER), new Map(factors));
  if (config) writeConfig(folder, JSON.stringify(config));
  return folder;
}

function writeConfig(folder: string, text: string): void {
  writeFileSync(join(folder, 'adapter', 'adapter_config.json'), text);
}

function expectAdded(folder: string, { first, last, sum, squares }: (typeof ADDED)['alpha 8']): void {
  const numbers = [...numbersOf(readModel(join(folder, 'baked.safetensors')).get(WEIGHT)!)];
  expect(numbers.slice(0, 8)).toEqual(first);
  expect(numbers.slice(-8)).toEqual(last);
  expect(numbers.reduce((all, each) => all + each, 0)).toBe(sum);
  expect(numbers.reduce((all, each) => all + each * each, 0)).toBe(squares);
}

describe('an adapter with the configuration that PEFT leaves beside it', () => {
  test('the command bakes it in as PEFT does', async () => {
    const folder = adapterFolder(ADDED['alpha 8'].config);
    writeFileSync(join(folder, 'bake.json'), JSON.stringify(BAKE));
    const { status, stderr } = await lineage(folder, ['merge', '--manifest', 'bake.json']);
    expect([status, stderr]).toEqual([0, expect.not.stringContaining('warning')]);
    expectAdded(folder, ADDED['alpha 8']);
  });

  test('another configuration is another result', async () => {
    const folder = adapterFolder(ADDED['alpha 8'].config);
    const run = runnerIn(folder);
    await run(BAKE);
    expect((await run(BAKE)).report.steps[0]?.outcome).toBe('cached');
    const changed = ADDED['alpha 8, stabilised'];
    writeConfig(folder, JSON.stringify(changed.config));
    const { report } = await run(BAKE);
    expect([report.steps[0]?.outcome, report.warnings]).toEqual(['made', []]);
    expectAdded(folder, changed);
  });

  test('is part of the record: the same bytes again, whatever stands beside the source today', async () => {
    const folder = adapterFolder(ADDED['alpha 8'].config);
    await runnerIn(folder)(BAKE);
    mkdirSync(join(folder, 'moved'));
    renameSync(join(folder, ADAPTER), join(folder, 'moved', 'adapter_model.safetensors'));
    renameSync(join(folder, 'base.safetensors'), join(folder, 'moved', 'other.safetensors'));
    writeFileSync(join(folder, 'moved', 'adapter_config.json'), '{"lora_alpha": 100}');
    const hasher = createFileHasher();
    onTestFinished(() => hasher.close());
    const out = join(folder, 'again.safetensors');
    await rebuildFile({
      file: join(folder, 'baked.safetensors'),
      folders: [join(folder, 'moved')],
      out,
      threads: 1,
      memoryBytes: 2 ** 28,
      access: { ledger: createMemoryLedger(), hasher, signal: new AbortController().signal },
    });
    expect(readFileSync(out).equals(readFileSync(join(folder, 'baked.safetensors')))).toBe(true);
  });

  test.each([
    ['no JSON', '{', 'JSON in adapter_config.json'],
    ['of another kind', '{"peft_type": "LOHA"}', '"peft_type": "LORA"'],
    ['too large', ' '.repeat((4 << 20) + 1), 'a readable adapter_config.json'],
  ])('one that is %s is refused', async (_, text, expected) => {
    const folder = adapterFolder({});
    writeConfig(folder, text);
    await expect(runnerIn(folder)(BAKE)).rejects.toMatchObject({
      code: 'lora/config',
      message: expect.stringContaining(expected),
    });
  });
});

describe('an adapter of PEFT without a configuration', () => {
  test('is taken as it is, which is told', async () => {
    const folder = adapterFolder();
    const { report } = await runnerIn(folder)(BAKE);
    expect(report.warnings).toMatchObject([
      { code: 'pipeline/scale', where: `loras[0] (${ADAPTER})`, got: 'none for 1 of its modules' },
    ]);
    expectAdded(folder, ADDED['alpha 4']);
  });

  test('one of several files in a folder has none of its own, unless PEFT named it', async () => {
    const folder = adapterFolder(ADDED['alpha 8'].config);
    const second = join(folder, 'adapter', 'second.safetensors');
    writeModel(second, readModel(join(folder, ADAPTER)));
    const bakeSecond = JSON.parse(JSON.stringify(BAKE).replace('adapter_model', 'second'));
    const run = runnerIn(folder);
    expect((await run(BAKE)).report.warnings).toEqual([]);
    expectAdded(folder, ADDED['alpha 8']);
    expect((await run(bakeSecond)).report.warnings).toMatchObject([{ code: 'pipeline/scale' }]);
    expectAdded(folder, ADDED['alpha 4']);
    rmSync(join(folder, ADAPTER));
    expect((await run(bakeSecond)).report.warnings).toEqual([]);
    expectAdded(folder, ADDED['alpha 8']);
  });
});
