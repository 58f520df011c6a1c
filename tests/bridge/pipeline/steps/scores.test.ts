import { rmSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { analyseModels } from '../../../../bridge/pipeline/steps/analysis.ts';
import { validateModel } from '../../../../bridge/pipeline/steps/validate.ts';
import { f32, type Made, makeFolder, numbersOf } from '../../merge/small-models.ts';
import { drawCheckpoint, openModel, RUN } from './small-sdxl.ts';

const folder = makeFolder();
const base = drawCheckpoint();
const WEIGHT = 'model.diffusion_model.input_blocks.4.1.proj_in.weight';
const PREFIX = 'model.diffusion_model.';
let opened: Awaited<ReturnType<typeof openModel>>;

beforeAll(async () => {
  opened = await openModel(folder, 'base.safetensors', base);
});
afterAll(() => rmSync(folder, { recursive: true }));

function changed(name: string, change: (values: Float32Array) => Float32Array): Map<string, Made> {
  const { shape } = base.get(name)!;
  return new Map([...base, [name, f32(shape, change(numbersOf(base.get(name)!).slice()))]]);
}

/** Frobenius, summed here in another order. */
function norm(tensors: ReadonlyMap<string, Made>, names = [...tensors.keys()]): number {
  const squares = names.flatMap((name) => {
    const made = tensors.get(name)!;
    return made.dtype === 'F32' ? [numbersOf(made).reduceRight((sum, value) => sum + value * value, 0)] : [];
  });
  return Math.sqrt(squares.reduceRight((sum, value) => sum + value, 0));
}

describe('validateModel', () => {
  test('a whole model passes', async () => {
    const { scores, notes } = await validateModel(
      { checks: ['structure', 'finite'] },
      opened,
      undefined,
      RUN,
    );
    expect(scores).toMatchObject({
      outcome: 'passed',
      passed: true,
      structure: true,
      architecture: 'SDXL',
      missing: 0,
      unexpected: 0,
      misshapen: 0,
      finite: true,
      not_finite: 0,
    });
    expect(notes).toEqual([]);
  });

  test('what is missing, strange or no number fails, by name', async () => {
    const tensors = changed(WEIGHT, (values) => {
      values[3] = Number.NaN;
      values[4] = Number.POSITIVE_INFINITY;
      return values;
    });
    tensors.delete(`${PREFIX}out.2.bias`);
    tensors.set('odd.tensor', f32([1], [Number.NaN]));
    const broken = await openModel(folder, 'broken.safetensors', tensors);
    const { scores, notes } = await validateModel(
      { checks: ['structure', 'finite'] },
      broken,
      undefined,
      RUN,
    );
    expect(scores).toMatchObject({
      outcome: 'failed',
      passed: false,
      missing: 1,
      unexpected: 1,
      nan: 2,
      infinite: 1,
    });
    const said = notes?.join('\n');
    for (const part of [`${PREFIX}out.2.bias`, 'odd.tensor', `${WEIGHT} (2 of 400)`])
      expect(said).toContain(part);
  });

  test('numbers of tensors that the other model lacks count as well', async () => {
    const tensors = new Map([...base, ['odd.tensor', f32([1], [Number.NaN])]]);
    const odd = await openModel(folder, 'odd.safetensors', tensors);
    const { scores, notes } = await validateModel({ checks: ['finite', 'drift'] }, odd, opened.model, RUN);
    expect(scores).toMatchObject({ nan: 1, unmatched: 1, drift: 0, outcome: 'failed' });
    expect(notes?.join()).toContain('odd.tensor');
  });

  test('drift is measured from the other model', async () => {
    const tensors = changed(WEIGHT, (values) => values.map((value) => value + 0.25));
    const moved = await openModel(folder, 'moved.safetensors', tensors);
    const { scores } = await validateModel({ checks: ['drift'] }, moved, opened.model, RUN);
    expect(scores['drift']).toBeCloseTo(Math.sqrt(400 * 0.25 ** 2) / norm(base), 6);
    expect(scores['largest_change']).toBeCloseTo(0.25, 6);
    expect(scores['passed']).toBe(true);
  });

  test('inference is never a silent pass', async () => {
    const { scores, notes } = await validateModel({ checks: ['inference'] }, opened, undefined, RUN);
    expect(scores).toMatchObject({ outcome: 'incomplete', passed: false, inference: 'not done' });
    expect(notes?.join()).toContain('not done here');
  });

  test('ends at once when asked to', async () => {
    const stop = AbortSignal.timeout(40);
    const startedAt = performance.now();
    await expect(
      validateModel({ checks: ['finite'] }, opened, undefined, { threads: 1, signal: stop }),
    ).rejects.toMatchObject({ name: 'TimeoutError' });
    expect(performance.now() - startedAt).toBeLessThan(290);
  });
});

describe('analyseModels', () => {
  const measures = ['cosine', 'norms', 'sign_conflicts', 'shares'] as const;

  test('blocks, the whole and what was left out; the same on any number of threads', async () => {
    const one = changed(WEIGHT, (values) => values.map((value, i) => value + (i % 2 === 0 ? 0.5 : 0)));
    const two = changed(WEIGHT, (values) => values.map((value, i) => value + (i % 4 < 2 ? -0.5 : 0)));
    two.delete(`${PREFIX}out.2.bias`);
    const models = [
      (await openModel(folder, 'one.safetensors', one)).model,
      (await openModel(folder, 'two.safetensors', two)).model,
    ];
    const ask = (threads: number) =>
      analyseModels({ measures: [...measures] }, models, opened.model, { ...RUN, threads });
    const found = await ask(2);
    expect(found.scores).toMatchObject({ unmatched: 1, not_finite: 0 });
    expect(found.notes?.join()).toContain('out.2.bias');
    // 200 elements each, 100 of them of both: opposite.
    expect(found.scores['cosine']).toBeCloseTo(-0.5, 6);
    expect(found.blocks?.['IN04']).toMatchObject({ sign_conflicts: 1 });
    expect(found.blocks?.['IN04']?.['norm[0]']).toBeCloseTo(Math.sqrt(200) * 0.5, 5);
    expect(found.blocks?.['IN05']).toMatchObject({ 'norm[0]': 0, 'cosine[1]': 'none' });
    const names = [...base.keys()].filter((name) => name.startsWith(`${PREFIX}input_blocks.4.`));
    expect(found.blocks?.['IN04']?.['change[0]']).toBeCloseTo((Math.sqrt(200) * 0.5) / norm(base, names), 6);
    expect(found.table).toMatch(/^block .*\n/);
    expect(found.table?.split('\n').find((line) => line.startsWith('IN04'))).toBeDefined();
    expect(await ask(1)).toEqual(found);
  });

  test('a result and its parents: where its elements come from', async () => {
    const far = changed(WEIGHT, (values) => values.map((value) => value + 1));
    const mixed = changed(WEIGHT, (values) =>
      values.map((value, i) => (i < 100 ? value + 0.9 : value + 0.1)),
    );
    const open = async (file: string, tensors: Map<string, Made>) =>
      (await openModel(folder, file, tensors)).model;
    const only = (tensors: Map<string, Made>): Map<string, Made> =>
      new Map([...tensors].filter(([name]) => name === WEIGHT));
    const models = [
      await open('mixed.safetensors', only(mixed)),
      await open('far.safetensors', only(far)),
      await open('near.safetensors', only(base)),
    ];
    const { scores } = await analyseModels({ measures: ['shares'] }, models, undefined, RUN);
    expect(scores).toMatchObject({ 'share[1]': 0.25, 'share[2]': 0.75, 'share[tied]': 0, elements: 400 });
  });

  test("a model in diffusers' names is compared with one in the checkpoint's", async () => {
    const renamed = new Map(base);
    renamed.delete(WEIGHT);
    const bare = 'unet.down_blocks.1.attentions.0.proj_in.weight';
    renamed.set(bare, base.get(WEIGHT)!);
    const other = await openModel(folder, 'renamed.safetensors', renamed);
    const { scores } = await analyseModels({ measures: ['norms'] }, [opened.model], other.model, RUN);
    expect(scores).toMatchObject({ unmatched: 0, 'norm[0]': 0 });
  });
});
