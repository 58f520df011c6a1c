import { describe, expect, test } from 'vitest';
import { checkPipeline, hasErrors, layOutManifest } from '../../nodes/pipeline/check.ts';
import type { FileFacts } from '../../nodes/pipeline/facts.ts';
import type { PlanOptions } from '../../nodes/pipeline/plan-pipeline.ts';
import { evaluate } from './evaluate.ts';
import { factsOf, fileOf, nothingAt, optionsOf, realTensors } from './models.ts';

const PREFIX = 'model.diffusion_model.';
const COSTS = { threads: 2, fixedBytes: 0, bytesPerThread: 0, needOf: () => 0 };

function check(manifest: object, files: readonly FileFacts[], options: Partial<PlanOptions> = {}) {
  const { laidOut, findings } = layOutManifest(manifest);
  if (!laidOut) throw new Error(JSON.stringify(findings));
  return checkPipeline(laidOut, factsOf(...files, nothingAt('out')), optionsOf(options), COSTS);
}
/** A merge of two files `a` and `b`. */
function plan(step: object, ...files: readonly FileFacts[]) {
  const models = files.filter(({ path }) => /^[a-m]$/.test(path)).map(({ path }) => ({ path }));
  const { steps, findings } = check({ models, output: 'out', ...step }, files);
  const [first] = steps;
  const tensors = new Map((first?.job?.tensors ?? []).map((tensor) => [tensor.name, tensor]));
  return { ...first, findings, tensors, names: [...tensors.keys()].sort() };
}
const file = (path: string, tensors: Record<string, string>) => fileOf(path, tensors);

describe('what becomes of a tensor', () => {
  test('floats are merged; integers, bools and marked types are copied from the first that has them', () => {
    const tensors = { w: 'F16 2x2', n: 'I64 3', on: 'BOOL 1', odd: 'F8_E8M0 4' };
    const { tensors: made } = plan({}, file('a', tensors), file('b', tensors));
    expect(made.get('w')?.value).toMatchObject({
      kind: 'merged',
      method: 'linear',
      weights: [0.5, 0.5],
      name: 'w',
    });
    for (const name of ['n', 'on', 'odd'])
      expect(made.get(name)?.value).toMatchObject({ kind: 'stored', file: 0 });
  });

  test('an offset is counted from the start of the file', () => {
    const a = file('a', { w: 'F16 4', x: 'F16 4' });
    const { tensors: made } = plan({ models: [{ path: 'a', weight: 1 }] }, a);
    expect(made.get('x')?.value).toMatchObject({ kind: 'stored', offset: a.headerBytes + 8 });
  });

  test('weights of 0 and 1 are copies of bits, whatever the spelling', () => {
    const [a, b] = [file('a', { w: 'F16 4' }), file('b', { w: 'F16 4' })];
    const two = (x: number, y: number) => ({
      models: [
        { path: 'a', weight: x },
        { path: 'b', weight: y },
      ],
    });
    expect(plan(two(1, 0), a, b).tensors.get('w')?.value).toMatchObject({ kind: 'stored', file: 0 });
    expect(plan(two(0, 1), a, b).tensors.get('w')?.value).toMatchObject({ kind: 'stored', file: 1 });
    expect(plan(two(0.5, 0.5), a, b).tensors.get('w')?.value).toMatchObject({ kind: 'merged' });
    expect(plan(two(0, 2), a, b).tensors.get('w')?.value).toMatchObject({ kind: 'merged' });
    const sum = (alpha: number) => ({ method: 'weighted-sum', params: { alpha } });
    expect(plan(sum(0), a, b).tensors.get('w')?.value).toMatchObject({ kind: 'stored', file: 0 });
    expect(plan(sum(1), a, b).tensors.get('w')?.value).toMatchObject({ kind: 'stored', file: 1 });
    expect(plan(sum(0.5), a, b).plan?.merged?.copied.size).toBe(0);
  });

  test('the sum that is written down is not normalised; a method that is named keeps its default', () => {
    const [a, b] = [file('a', { w: 'F16 4' }), file('b', { w: 'F16 4' })];
    const models = [
      { path: 'a', weight: 2 },
      { path: 'b', weight: 2 },
    ];
    const normalize = (step: object) => plan({ models, ...step }, a, b).tensors.get('w')?.value;
    expect(normalize({})).toMatchObject({ params: { normalize: false } });
    expect(normalize({ method: 'linear' })).toMatchObject({ params: { normalize: true } });
  });

  test('precision is that of all floats; markers and positions keep their own', () => {
    const tensors = { w: 'F32 4', v_pred: 'F32 0', n: 'I64 1' };
    const output = { path: 'out', precision: 'bf16' };
    const { tensors: made } = plan({ output }, file('a', tensors), file('b', tensors));
    expect([...made.values()].map(({ name, dtype }) => `${name} ${dtype}`).sort()).toEqual([
      'n I64',
      'v_pred F32',
      'w BF16',
    ]);
    expect(plan({}, file('a', tensors), file('b', { ...tensors, w: 'F16 4' })).tensors.get('w')?.dtype).toBe(
      'F32',
    );
  });

  test("CLIP's positions are set right: 0 to 76 as int64", () => {
    const name = 'cond_stage_model.transformer.text_model.embeddings.position_ids';
    const { tensors: made, plan: step } = plan(
      {},
      file('a', { [name]: 'F16 1x77' }),
      file('b', { [name]: 'F32 1x77' }),
    );
    const value = made.get(name)?.value;
    if (value?.kind !== 'constant') throw new Error('no constant');
    expect(made.get(name)).toMatchObject({ dtype: 'I64', shape: [1, 77] });
    expect([...new BigInt64Array(value.bytes.slice().buffer)]).toEqual(
      Array.from({ length: 77 }, (_, i) => BigInt(i)),
    );
    expect(step?.merged?.positionIds).toEqual([name]);
  });

  test('markers stay, also those that only one model has; that is told', () => {
    const { names, findings } = plan(
      { prune: true },
      file('a', { w: 'F16 4' }),
      file('b', { w: 'F16 4', v_pred: 'F32 0', ztsnr: 'F32 0' }),
    );
    expect(names).toEqual(['v_pred', 'w', 'ztsnr'].sort());
    expect(findings).toMatchObject([
      { level: 'warning', code: 'pipeline/markers', got: '"v_pred", "ztsnr"' },
    ]);
  });

  test('scaled fp8 is refused, not averaged', () => {
    const { findings } = plan(
      {},
      file('a', { w: 'F8_E4M3 4' }),
      file('b', { w: 'F8_E4M3 4', 'w.scale_weight': 'F32' }),
    );
    expect(findings).toMatchObject([{ code: 'pipeline/scaled', got: expect.stringContaining('in b') }]);
  });
});

describe('a tensor that a model lacks', () => {
  const a = file('a', { w: 'F16 2', only: 'F16 2', lone: 'F32' });
  const [b, c] = ['b', 'c'].map((path) => file(path, { w: 'F16 2' })) as [FileFacts, FileFacts];
  const weights = {
    models: [
      { path: 'a', weight: 0.5 },
      { path: 'b', weight: 0.25 },
      { path: 'c', weight: 0.25 },
    ],
  };
  const numbers: Record<string, number[]> = { 'a.only': [8, 16] };
  const madeBy = (step: object) => {
    const { tensors, job } = plan({ ...weights, ...step }, a, b, c);
    const made = tensors.get('only');
    return made && job && evaluate(made.value, (index) => numbers[`${job.files[index]}.only`] ?? []);
  };

  test('is an error unless the manifest says what to do, with names and counts', () => {
    const { findings, tensors } = plan({ ...weights }, a, b, c);
    expect(findings).toMatchObject([
      {
        level: 'error',
        code: 'pipeline/keys',
        step: 'merge',
        where: 'models[1] (b)',
        got: '1 missing: "only"',
      },
      { level: 'error', code: 'pipeline/keys', where: 'models[2] (c)' },
    ]);
    expect(tensors.has('lone'), 'a lone number is kept').toBe(true);
  });

  test('skip leaves it out, and says so', () => {
    const { names, findings, plan: step } = plan({ ...weights, missing: 'skip' }, a, b, c);
    expect(names).toEqual(['lone', 'w']);
    expect(findings).toMatchObject([{ level: 'warning' }, { level: 'warning' }]);
    expect(step?.merged?.skipped).toEqual(['only']);
  });

  test('base takes it as unchanged: with weights that sum to 1 it stays as it is', () => {
    expect(madeBy({ missing: 'base' })).toEqual([8, 16]);
  });

  test('renormalise gives those that have it the share of the others', () => {
    expect(madeBy({ missing: 'renormalise' })).toEqual([8, 16]);
    const models = [
      { path: 'a', weight: 1 },
      { path: 'b', weight: 0.5 },
    ];
    expect(madeBy({ models, missing: 'renormalise' }), 'the sum of the weights stays 1.5').toEqual([12, 24]);
  });

  test('from the base itself, where there is one', () => {
    const step = { base: { path: 'z' }, method: 'task-arithmetic', missing: 'base' };
    const held = { w: 'F16 2' };
    const { tensors, job } = plan(step, file('a', held), file('b', {}), file('z', held));
    const value = evaluate(tensors.get('w')!.value, (index) => (job?.files[index] === 'a' ? [5, 7] : [3, 4]));
    expect(value, '3 + 1 (5 - 3) + 1 (3 - 3)').toEqual([5, 7]);
  });

  test('many names are counted, ten are shown', () => {
    const many = Object.fromEntries(Array.from({ length: 25 }, (_, index) => [`t${index}`, 'F16 4']));
    const [finding] = plan({}, file('a', many), file('b', {})).findings;
    expect(finding?.got).toMatch(/^25 missing: ("t\d+", ){9}"t\d+" and 15 more$/);
  });
});

describe('shapes are never stretched', () => {
  test.each([
    ['F16 4', 'F16 1'],
    ['F16 4x1', 'F16 4'],
    ['F16 320x4x3x3', 'F16 320x9x3x3'],
  ])('%s and %s', (x, y) => {
    for (const missing of ['error', 'base', 'skip', 'renormalise']) {
      const { findings, names } = plan({ missing }, file('a', { w: x }), file('b', { w: y }));
      expect(findings).toMatchObject([
        { code: 'pipeline/shapes', got: expect.stringContaining('1 that differ: "w [') },
      ]);
      expect(names).toEqual([]);
    }
  });

  test('the wider first convolution of an inpainting model stays whole, and only when it is the first', () => {
    const name = 'model.diffusion_model.input_blocks.0.0.weight';
    const [wide, narrow] = [{ [name]: 'F16 320x9x3x3' }, { [name]: 'F16 320x4x3x3' }];
    const { tensors, plan: step } = plan({}, file('a', wide), file('b', narrow));
    expect(tensors.get(name)).toMatchObject({ shape: [320, 9, 3, 3], value: { kind: 'stored', file: 0 } });
    expect(step?.merged?.copied.get('channels')).toEqual([name]);
    expect(plan({}, file('a', narrow), file('b', wide)).findings).toMatchObject([
      { code: 'pipeline/shapes' },
    ]);
  });

  test('more tokens than the first model knows: only its rows are read; the other way round is refused', () => {
    const name = 'model.embed_tokens.weight';
    const [short, long] = [{ [name]: 'BF16 100x8' }, { [name]: 'BF16 128x8' }];
    const { tensors, findings, plan: step } = plan({}, file('a', short), file('b', long));
    expect(findings).toEqual([]);
    expect(step?.merged?.cut).toEqual([{ model: 'b', tensor: name, rows: 100, of: 128 }]);
    expect(tensors.get(name)?.value).toMatchObject({
      shape: [100, 8],
      models: [{ shape: [100, 8] }, { file: 1, shape: [100, 8] }],
    });
    expect(plan({}, file('a', long), file('b', short)).findings).toMatchObject([{ code: 'pipeline/shapes' }]);
    expect(plan({}, file('a', { w: 'F16 100x8' }), file('b', { w: 'F16 128x8' })).findings).toMatchObject([
      { code: 'pipeline/shapes' },
    ]);
  });

  test('a denoiser alone and a whole checkpoint: named as the first has them', () => {
    const unet = Object.entries(realTensors('sdxl').tensors).filter(([name]) => name.startsWith(PREFIX));
    const bare = Object.fromEntries(unet.map(([name, text]) => [name.slice(PREFIX.length), text]));
    const whole = fileOf('b', Object.fromEntries(unet));
    for (const [first, second, names] of [
      [fileOf('a', bare), whole, Object.keys(bare)],
      [fileOf('a', Object.fromEntries(unet)), fileOf('b', bare), Object.keys(Object.fromEntries(unet))],
    ] as const) {
      const made = plan({}, first, second);
      expect(made.findings).toEqual([]);
      expect(made.names).toEqual([...names].sort());
    }
  });

  test('one of another kind altogether is told once', () => {
    const [xl, old] = [fileOf('a', realTensors('sdxl').tensors), fileOf('b', realTensors('sd15').tensors)];
    expect(plan({}, xl, old).findings).toMatchObject([
      {
        code: 'pipeline/architecture',
        expected: 'models of one architecture: a is SDXL',
        got: 'b, which is SD1.5',
      },
    ]);
  });
});

describe('methods', () => {
  const [a, b] = [
    file('a', { w: 'F16 4', x: 'F16 4', n: 'I64 1' }),
    file('b', { w: 'F16 4', x: 'F16 4', n: 'I64 1' }),
  ];
  test.each([
    [{ method: 'weigthed-sum' }, 'merge/unknown-method', 'weighted-sum'],
    [{ method: 'weighted-sum', params: { alpha: 3 } }, 'merge/parameter', 'a number from 0 to 1'],
    [{ method: 'weighted-sum', base: { path: 'a' } }, 'pipeline/method', 'no base model for weighted-sum'],
    [{ method: 'ties' }, 'pipeline/method', 'a base model for ties'],
    [{ method: 'weighted-sum', models: [{ path: 'a' }] }, 'pipeline/method', '2 models for weighted-sum'],
    [
      {
        method: 'linear',
        models: [
          { path: 'a', weight: 1 },
          { path: 'b', weight: -1 },
        ],
      },
      'merge/weights',
      'a sum other than 0',
    ],
  ])('%j', (step, code, expected) => {
    const { findings } = plan(step, a, b);
    expect(findings).toMatchObject([
      { level: 'error', code, step: 'merge', expected: expect.stringContaining(expected) },
    ]);
  });

  test('a parameter is named, with what it got', () => {
    const { findings } = plan({ method: 'weighted-sum', params: { alpha: 3 } }, a, b);
    expect(findings).toMatchObject([
      { where: 'weighted-sum.alpha', expected: 'a number from 0 to 1', got: '3' },
    ]);
  });

  test('a method that surveys the model counts its tensors by name', () => {
    const { tensors } = plan({ method: 'ties', params: { scope: 'global' }, base: { path: 'b' } }, a, b);
    const surveys = ['w', 'x'].map((name) => tensors.get(name)?.value);
    expect(surveys).toMatchObject([{ survey: { group: 0, index: 0 } }, { survey: { group: 0, index: 1 } }]);
  });
});

describe('blocks', () => {
  const { tensors } = realTensors('sdxl');
  const [a, b] = [fileOf('a', tensors), fileOf('b', tensors)];
  const blocks = (more: object) => {
    const step = {
      id: 's',
      type: 'block_merge',
      models: [{ path: 'a' }, { path: 'b' }],
      output: 'out',
      ...more,
    };
    const { steps, findings } = check({ pipeline: { steps: [step] } }, [a, b]);
    return { findings, values: new Map(steps[0]?.job?.tensors.map(({ name, value }) => [name, value])) };
  };
  const INPUT = 'model.diffusion_model.input_blocks.4.1.proj_in.weight';
  const OUTPUT = 'model.diffusion_model.output_blocks.2.0.in_layers.2.weight';

  test('each tensor has the weight of its block; what has none stays', () => {
    const { values } = blocks({ blocks: { IN04: 0.25, OUT02: 1 } });
    expect(values.get(INPUT)).toMatchObject({
      kind: 'merged',
      method: 'weighted-sum',
      params: { alpha: 0.25 },
    });
    expect(values.get(OUTPUT), 'all of b').toMatchObject({ kind: 'stored', file: 1 });
    const middle = values.get('model.diffusion_model.middle_block.0.in_layers.2.weight');
    expect(middle).toMatchObject({ kind: 'stored', file: 0 });
    expect(values.size).toBe(realTensors('sdxl').count);
  });

  test('a value for the rest', () => {
    expect(blocks({ blocks: { IN04: 0.25 }, rest: 0.75 }).values.get(OUTPUT)).toMatchObject({
      params: { alpha: 0.75 },
    });
  });

  test('faults are told as of the step', () => {
    expect(blocks({ blocks: [1, 2, 3] }).findings).toMatchObject([
      { code: 'merge/block-weights', step: 's', got: '3' },
    ]);
    expect(blocks({ blocks: { IN04: 2 } }).findings).toMatchObject([{ code: 'merge/parameter', step: 's' }]);
  });
});

describe('fused and staged', () => {
  const manifest = {
    pipeline: {
      steps: [
        {
          id: 'one',
          type: 'merge',
          models: [
            { path: 'a', weight: 0.6 },
            { path: 'b', weight: 0.4 },
          ],
          output: { path: 'temp/x', precision: 'fp16' },
        },
        {
          id: 'two',
          type: 'merge',
          models: [
            { step: 'one', weight: 0.5 },
            { path: 'c', weight: 0.5 },
          ],
          output: { path: 'out', precision: 'fp16' },
        },
      ],
    },
  };
  const files = ['a', 'b', 'c'].map((path) => fileOf(path, { w: 'F16 2' }));
  const numbers: Record<string, number[]> = { a: [1, 2], b: [3, 4], c: [5, 7] };

  test('fused, one job holds both steps and reads each file once; no rounding between', () => {
    const { steps, findings } = check(manifest, files, { mode: 'fused' });
    expect(findings).toEqual([]);
    expect(steps.map(({ writes }) => writes)).toEqual(['fused', 'file']);
    const { job } = steps[1]!;
    expect(job?.files).toEqual(['a', 'b', 'c']);
    const made = evaluate(job!.tensors[0]!.value, (index) => numbers[job!.files[index]!] ?? []);
    // 0.5 (0.6 [1 2] + 0.4 [3 4]) + 0.5 [5 7]
    expect(made[0]).toBeCloseTo(3.4, 6);
    expect(made[1]).toBeCloseTo(4.9, 6);
  });

  test('staged, the second step reads the file that the first one writes', () => {
    const { steps } = check(manifest, files);
    expect(steps.map(({ job }) => job?.files)).toEqual([
      ['a', 'b'],
      ['temp/x', 'c'],
    ]);
    expect(steps[1]?.job?.tensors[0]?.value).toMatchObject({
      models: [{ kind: 'stored', dtype: 'F16', file: 0 }, {}],
    });
  });

  test.each([
    [{ keepTemps: true }, {}, '--keep-temps'],
    [{}, { cleanup: { keep_intermediates: true } }, '"keep_intermediates": true'],
    [{}, { cleanup: { temp_files: false } }, '"temp_files": false'],
  ])('fused and kept results in between exclude each other: %j %j', (options, more, got) => {
    const both = { pipeline: { ...manifest.pipeline, ...more } };
    expect(check(both, files, { mode: 'fused', ...options }).findings).toMatchObject([
      { code: 'pipeline/mode', step: 'one', got },
    ]);
    expect(hasErrors(check(both, files, options).findings)).toBe(false);
  });

  test('a tower of fused steps has an end', () => {
    const tower = (height: number) =>
      Array.from({ length: height }, (_, index) => ({
        id: `s${index}`,
        type: 'merge',
        models: [index === 0 ? { path: 'a' } : { step: `s${index - 1}` }, { path: 'b' }],
        ...(index === height - 1 && { output: 'out' }),
      }));
    expect(check({ pipeline: { steps: tower(65) } }, files, { mode: 'fused' }).findings).toEqual([]);
    const high = check({ pipeline: { steps: tower(100) } }, files, { mode: 'fused' });
    expect(high.findings).toMatchObject([{ code: 'pipeline/mode', step: 's64' }]);
    // Each takes the one before twice: 2, 4, 8 ... times the work, from few lines.
    const doubled = tower(60).map((step, index) =>
      index === 0 ? step : { ...step, models: [{ step: `s${index - 1}` }, { step: `s${index - 1}` }] },
    );
    const wide = check({ pipeline: { steps: doubled } }, files, { mode: 'fused' });
    expect(wide.findings[0]).toMatchObject({
      code: 'pipeline/mode',
      step: 's10',
      expected: expect.stringContaining('1024'),
    });
  });

  test('fused and an explicit output of a step in between exclude each other', () => {
    const kept = { ...manifest.pipeline.steps[0], output: 'mine' };
    const both = { pipeline: { steps: [kept, manifest.pipeline.steps[1]] } };
    const { findings } = check(both, [...files, nothingAt('mine')], { mode: 'fused' });
    expect(findings).toMatchObject([
      { code: 'pipeline/mode', step: 'one', got: 'the output "mine" outside a folder named temp' },
    ]);
  });

  test('a result that is looked at is written, also when fused', () => {
    const look = { id: 'look', type: 'validate', model: { step: 'one' } };
    const { steps } = check({ pipeline: { steps: [...manifest.pipeline.steps, look] } }, files, {
      mode: 'fused',
    });
    expect(steps.map(({ flat, writes }) => `${flat.id} ${writes}`)).toEqual([
      'one file',
      'two file',
      'look report',
    ]);
  });
});
