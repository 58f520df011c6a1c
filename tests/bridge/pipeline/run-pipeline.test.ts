import {
  openSync,
  readFileSync,
  readSync,
  rmSync,
  truncateSync,
  utimesSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { readManifestFile } from '../../../bridge/pipeline/read-manifest-file.ts';
import { moveTowards, numbersOf, readModel } from '../merge/small-models.ts';
import { filesIn, makeModelFolder, outcomesOf, runnerIn, sha256Of } from './models.ts';

const EXAMPLES = new URL('../../../fixtures/examples/merge/', import.meta.url).pathname;

/** Three merges in a row, and one beside them. */
function chain(more: { readonly second?: number; readonly name?: string } = {}) {
  const models = (a: object, b: object) => [
    { ...a, weight: 1 },
    { ...b, weight: more.second ?? 0.5 },
  ];
  return {
    pipeline: {
      name: more.name ?? 'Chain',
      cleanup: { keep_intermediates: true },
      steps: [
        {
          id: 'first',
          type: 'merge',
          models: [
            { path: 'realistic_base_v1.safetensors', weight: 0.6 },
            { path: 'photorealism_v2.safetensors', weight: 0.4 },
          ],
        },
        {
          id: 'second',
          type: 'merge',
          models: models({ step: 'first' }, { path: 'anime_style_v1.safetensors' }),
        },
        {
          id: 'beside',
          type: 'merge',
          method: 'slerp',
          params: { t: 0.3 },
          models: [{ path: 'anime_style_v1.safetensors' }, { path: 'manga_style_v2.safetensors' }],
          output: 'out/beside.safetensors',
        },
        {
          id: 'last',
          type: 'merge',
          models: [
            { step: 'second', weight: 0.5 },
            { path: 'manga_style_v2.safetensors', weight: 0.5 },
          ],
          output: { path: 'out/last.safetensors', precision: 'fp16' },
        },
      ],
    },
  };
}

function flipBit(path: string, fromEnd: number): void {
  const size = readFileSync(path).length;
  const file = openSync(path, 'r+');
  const byte = new Uint8Array(1);
  readSync(file, byte, 0, 1, size - fromEnd);
  writeSync(file, Uint8Array.of((byte[0] ?? 0) ^ 4), 0, 1, size - fromEnd);
}

describe('the examples', () => {
  test.each([
    ['tournament.yaml', 'tournament.safetensors'],
    ['staged.yaml', 'staged.safetensors'],
    ['conditional.yaml', 'conditional.safetensors'],
    ['iterative.yaml', 'iterative.safetensors'],
    ['single.json', 'four_in_one.safetensors'],
    ['complex.json', 'final_anime_realistic.safetensors'],
  ])('%s runs, and leaves nothing but its results', async (name, result) => {
    const folder = makeModelFolder();
    const run = runnerIn(folder);
    const before = filesIn(folder);
    const manifest = await readManifestFile(join(EXAMPLES, name));
    await run(manifest);
    const made = filesIn(folder).filter((file) => !before.includes(file));
    expect(made).toContain(result);
    expect(made.filter((file) => /te?mp/.test(file))).toEqual([]);
    expect(Object.values(outcomesOf(await run(manifest)))).not.toContain('made');
  });
});

test('staged is what each step by hand gives, bit for bit', async () => {
  const folder = makeModelFolder();
  const between = (a: object, b: object, alpha: number, output?: string) => ({
    type: 'merge',
    method: 'weighted-sum',
    params: { alpha },
    models: [a, b],
    ...(output && { output }),
  });
  await runnerIn(folder)({
    pipeline: {
      steps: [
        {
          id: 'x',
          ...between({ path: 'realistic_base_v1.safetensors' }, { path: 'photorealism_v2.safetensors' }, 0.3),
        },
        { id: 'y', ...between({ step: 'x' }, { path: 'anime_style_v1.safetensors' }, 0.7, 'y.safetensors') },
      ],
    },
  });
  const [base, photo, anime, made] = ['realistic_base_v1', 'photorealism_v2', 'anime_style_v1', 'y'].map(
    (name) => readModel(join(folder, `${name}.safetensors`)),
  );
  for (const [name, tensor] of made!) {
    const half = new Float16Array(
      moveTowards(numbersOf(base!.get(name)!), numbersOf(photo!.get(name)!), 0.3),
    );
    const whole = moveTowards(Float32Array.from(half), numbersOf(anime!.get(name)!), 0.7);
    expect(tensor.bytes, name).toEqual(new Uint8Array(new Float16Array(whole).buffer));
  }
});

describe('what is there', () => {
  test('is not made again; an edited step and all behind it are, and nothing else', async () => {
    const folder = makeModelFolder();
    const run = runnerIn(folder);
    const made = { first: 'made', second: 'made', beside: 'made', last: 'made' };
    const cached = { first: 'cached', second: 'cached', beside: 'cached', last: 'cached' };
    expect(outcomesOf(await run(chain()))).toEqual(made);
    expect(outcomesOf(await run(chain()))).toEqual(cached);
    expect(outcomesOf(await run(chain({ second: 0.25 })))).toEqual({
      ...cached,
      second: 'made',
      last: 'made',
    });
  });

  test('a flipped bit and a cut off byte are noticed, another time of change is none', async () => {
    const folder = makeModelFolder();
    const run = runnerIn(folder);
    await run(chain());
    const last = join(folder, 'out/last.safetensors');
    const hash = sha256Of(folder, 'out/last.safetensors');
    utimesSync(last, 1, 1);
    expect(outcomesOf(await run(chain()))['last']).toBe('cached');
    flipBit(last, 5);
    utimesSync(last, 1, 1);
    expect(outcomesOf(await run(chain()))).toMatchObject({ second: 'cached', last: 'made' });
    expect(sha256Of(folder, 'out/last.safetensors')).toBe(hash);
    truncateSync(last, readFileSync(last).length - 1);
    expect(outcomesOf(await run(chain()))).toMatchObject({ second: 'cached', last: 'made' });
    expect(sha256Of(folder, 'out/last.safetensors')).toBe(hash);
    // In the header: a letter of the record.
    flipBit(last, readFileSync(last).length - readFileSync(last).indexOf('generator'));
    await run(chain());
    expect(sha256Of(folder, 'out/last.safetensors')).toBe(hash);
  });

  test('with another text in the header is written anew, not computed', async () => {
    const folder = makeModelFolder();
    const run = runnerIn(folder);
    const { report } = await run(chain());
    const again = await run(chain({ name: 'Another name' }));
    expect(outcomesOf(again)['last']).toBe('relabelled');
    const hashOf = (steps: typeof report.steps) => steps.find(({ id }) => id === 'last')?.dataSha256;
    expect(hashOf(again.report.steps)).toEqual(hashOf(report.steps));
    expect(readFileSync(join(folder, 'out/last.safetensors')).includes('Another name')).toBe(true);
  });

  test('an input of other bytes under the same name is another input', async () => {
    const folder = makeModelFolder();
    const run = runnerIn(folder);
    await run(chain());
    flipBit(join(folder, 'manga_style_v2.safetensors'), 9);
    expect(outcomesOf(await run(chain()))).toEqual({
      first: 'cached',
      second: 'cached',
      beside: 'made',
      last: 'made',
    });
  });
});

describe('fromStep', () => {
  test('makes that step and what uses it anew, and takes the others', async () => {
    const folder = makeModelFolder();
    const run = runnerIn(folder);
    await run(chain());
    expect(outcomesOf(await run(chain(), { fromStep: 'second' }))).toEqual({
      first: 'cached',
      second: 'made',
      beside: 'cached',
      last: 'made',
    });
  });

  test('names an earlier output that is missing or changed, before anything is written', async () => {
    const folder = makeModelFolder();
    const run = runnerIn(folder);
    await run(chain());
    const before = sha256Of(folder, 'out/last.safetensors');
    const first = join(folder, filesIn(folder).find((file) => file.endsWith('first.safetensors'))!);
    flipBit(first, 3);
    const refused = run(chain(), { fromStep: 'second' });
    await expect(refused).rejects.toMatchObject({ code: 'pipeline/from-step' });
    await expect(refused).rejects.toThrow(/"first".*not what the step would make/);
    rmSync(first);
    await expect(run(chain(), { fromStep: 'second' })).rejects.toThrow(/"first", got none/);
    expect(sha256Of(folder, 'out/last.safetensors')).toBe(before);
    await expect(run(chain(), { fromStep: 'secnd' })).rejects.toThrow(/perhaps "second"/);
  });
});

test('a run that is cancelled stops at once, and the next one gives the same file', async () => {
  const folder = makeModelFolder();
  const run = runnerIn(folder);
  await run(chain());
  const hash = sha256Of(folder, 'out/last.safetensors');
  rmSync(join(folder, 'out'), { recursive: true });
  const stop = new AbortController();
  let stoppedAt = 0;
  const cancelled = run(chain(), {
    signal: stop.signal,
    onEvent: (event) => {
      if (event.kind !== 'step-start' || event.id !== 'last') return;
      setTimeout(() => {
        stoppedAt = performance.now();
        stop.abort(new Error('enough'));
      }, 5);
    },
  });
  await expect(cancelled).rejects.toThrow('enough');
  expect(performance.now() - stoppedAt).toBeLessThan(250);
  await run(chain());
  expect(sha256Of(folder, 'out/last.safetensors')).toBe(hash);
  expect(filesIn(folder).filter((file) => file.includes('lineage-tmp'))).toEqual([]);
});

test('temporary files are deleted after their last use, files of others never', async () => {
  const folder = makeModelFolder();
  const { pipeline } = chain();
  const mine = join(folder, 'out/temp/test/note.txt');
  const manifest = { pipeline: { ...pipeline, cleanup: {} } };
  await runnerIn(folder)(manifest, { keepTemps: true });
  expect(filesIn(folder).filter((file) => file.startsWith('out/temp'))).toHaveLength(2);
  writeFileSync(mine, 'mine');
  await runnerIn(folder)(manifest);
  expect(filesIn(folder).filter((file) => file.startsWith('out/temp'))).toEqual(['out/temp/test/note.txt']);
});

test('fused keeps results in between in fp32, and refuses to be asked for them', async () => {
  const folder = makeModelFolder();
  const run = runnerIn(folder);
  const { pipeline } = chain();
  const fused = await run({ pipeline: { ...pipeline, cleanup: {} } }, { mode: 'fused' });
  expect(outcomesOf(fused)).toEqual({ first: 'fused', second: 'fused', beside: 'made', last: 'made' });
  await expect(run(chain(), { mode: 'fused' })).rejects.toMatchObject({ code: 'pipeline/mode' });
});

test('a model in several files is written, merged from, and found again', async () => {
  const folder = makeModelFolder();
  const run = runnerIn(folder);
  const sharded = {
    pipeline: {
      steps: [
        {
          id: 'cut',
          type: 'convert',
          model: { path: 'anime_style_v1.safetensors' },
          output: { path: 'big.safetensors', sharding: { max_bytes: 6000 } },
        },
      ],
    },
  };
  await run(sharded);
  expect(filesIn(folder).filter((file) => file.startsWith('big')).length).toBeGreaterThan(2);
  expect(outcomesOf(await run(sharded))).toEqual({ cut: 'cached' });
  await run({ models: [{ path: 'big.safetensors.index.json' }], output: 'joined.safetensors' });
  const [joined, whole] = ['joined', 'anime_style_v1'].map((name) =>
    readModel(join(folder, `${name}.safetensors`)),
  );
  expect(joined).toEqual(whole);
});
