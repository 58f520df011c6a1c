import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { draw } from '../../../lora/draw.ts';
import { f32, numbersOf, readModel, writeModel } from '../../merge/small-models.ts';
import { filesIn, makeModelFolder, outcomesOf, runnerIn } from '../models.ts';

const [BASE, TUNED] = ['realistic_base_v1.safetensors', 'anime_style_v1.safetensors'];

/** A LoRA between two models, baked back, compared with both; and two embeddings joined. */
const MANIFEST = {
  pipeline: {
    steps: [
      {
        id: 'lora',
        type: 'extract',
        part: 'lora',
        rank: 64,
        model: { path: TUNED },
        base: { path: BASE },
        output: { path: 'out/lora.safetensors', precision: 'fp32' },
      },
      {
        id: 'baked',
        type: 'lora_merge',
        model: { path: BASE },
        loras: [{ step: 'lora', strength: 1 }],
        output: { path: 'out/baked.safetensors', precision: 'fp32' },
      },
      {
        id: 'compared',
        type: 'analysis',
        models: [{ step: 'baked' }, { path: TUNED }],
        base: { path: BASE },
        measures: ['cosine', 'norms', 'sign_conflicts', 'shares'],
      },
      {
        id: 'checked',
        type: 'validate',
        model: { step: 'baked' },
        against: { path: TUNED },
        checks: ['structure', 'finite', 'drift', 'inference'],
      },
      {
        id: 'words',
        type: 'embedding_merge',
        mode: 'concat',
        embeddings: [{ path: 'one.safetensors' }, { path: 'two.safetensors', weight: 2 }],
        output: 'out/words.safetensors',
      },
    ],
  },
};

test('extract, bake, compare, check and join; the second time nothing is made', async () => {
  const folder = makeModelFolder();
  const vectors = [draw(1, [1, 768]).data, draw(2, [2, 768]).data] as const;
  writeModel(join(folder, 'one.safetensors'), new Map([['emb_params', f32([1, 768], vectors[0])]]));
  writeModel(join(folder, 'two.safetensors'), new Map([['emb_params', f32([2, 768], vectors[1])]]));
  const before = filesIn(folder);
  const run = runnerIn(folder);

  const first = await run(MANIFEST);
  expect(outcomesOf(first)).toEqual({
    lora: 'made',
    baked: 'made',
    compared: 'reported',
    checked: 'reported',
    words: 'made',
  });
  const made = ['out/baked.safetensors', 'out/lora.safetensors', 'out/words.safetensors'];
  expect(filesIn(folder)).toEqual([...before, ...made].sort());
  const reports = new Map(first.report.steps.map((step) => [step.id, step]));

  // The bias and the VAE have no module, and are named.
  expect([...(reports.get('lora')?.skipped ?? [])].sort()).toEqual([
    'first_stage_model.decoder.conv_in.weight',
    'model.diffusion_model.output_blocks.2.1.transformer_blocks.9.ff.net.2.bias',
  ]);
  const [baked, tuned, base] = [made[0]!, TUNED, BASE].map((file) => readModel(join(folder, file)));
  for (const [name, of] of baked!) {
    const isLeft = reports.get('lora')?.skipped?.includes(name);
    const wanted = numbersOf((isLeft ? base : tuned)!.get(name)!);
    numbersOf(of).forEach((value, i) => {
      expect(Math.abs(value - wanted[i]!), name).toBeLessThan(1e-5);
    });
  }

  // At full rank what is lost is what float32 cannot hold.
  const achieved = reports.get('lora')?.found?.scores;
  expect(Number(achieved?.['modules'])).toBeGreaterThan(0);
  expect(Number(achieved?.['relative_error'])).toBeLessThan(1e-6);
  expect(Number(achieved?.['relative_error'])).toBeGreaterThan(0);

  const { scores, blocks, table } = reports.get('compared')?.found ?? {};
  expect(Number(scores?.['cosine'])).toBeGreaterThan(0.9);
  expect(Number(blocks?.['IN04']?.['cosine'])).toBeCloseTo(1, 9);
  expect(table).toContain('IN04');
  const checked = reports.get('checked')?.found;
  expect(checked?.scores).toMatchObject({
    outcome: 'failed',
    structure: false,
    finite: true,
    inference: 'not done',
  });
  expect(checked?.notes?.join()).toContain('missing');

  const words = numbersOf(readModel(join(folder, made[2]!)).get('emb_params')!);
  expect(words).toEqual(Float32Array.from([...vectors[0], ...vectors[1].map((value) => 2 * value)]));
  const header = readFileSync(join(folder, made[1]!)).toString('latin1', 8, 4096);
  expect(header).toMatch(/"modelspec\.hash_sha256":"0x[0-9a-f]{64}"/);

  const second = await run(MANIFEST);
  expect(outcomesOf(second)).toMatchObject({ lora: 'cached', baked: 'cached', words: 'cached' });
  expect(second.report.steps.find(({ id }) => id === 'compared')?.found).toEqual(
    reports.get('compared')?.found,
  );
});
