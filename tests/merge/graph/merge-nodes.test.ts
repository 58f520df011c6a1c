import { describe, expect, test } from 'vitest';
import { CheckpointPart } from '../../../nodes/kit/checkpoint-part.ts';
import { ExactNumber } from '../../../nodes/kit/exact-json.ts';
import type { Host } from '../../../nodes/kit/host.ts';
import type { PipelineRequest } from '../../../nodes/kit/pipeline-runner.ts';
import { readFields } from '../../../nodes/kit/read-field.ts';
import blockWeights from '../../../nodes/merge/graph/block-weights.node.ts';
import loraMerge from '../../../nodes/merge/graph/lora-merge.node.ts';
import merge from '../../../nodes/merge/graph/merge.node.ts';
import mergeReport from '../../../nodes/merge/graph/merge-report.node.ts';
import mergeSource from '../../../nodes/merge/graph/merge-source.node.ts';
import mergeStep from '../../../nodes/merge/graph/merge-step.node.ts';
import type { MergeValue } from '../../../nodes/merge/graph/merge-value.ts';
import runPipeline from '../../../nodes/merge/graph/run-pipeline.node.ts';
import { mergeMethods } from '../../../nodes/merge/methods/index.gen.ts';
import { literalModels } from '../../metadata/model-store.ts';

type AnyDefinition = Pick<typeof mergeSource, 'id'> & {
  readonly inputs: Parameters<typeof readFields>[0];
  run(inputs: never, host: Host): Promise<{ readonly outputs: object; readonly ui?: object }>;
};

function literalHost(nodeId: string, more: Partial<Host> = {}): Host {
  return {
    ...{ prompt: {}, extraPnginfo: {}, nodeId, signal: new AbortController().signal },
    ...{ models: literalModels([]), now: new Date(0), log: () => undefined },
    writeOutput: () => Promise.reject(new Error('nothing is written here')),
    ...more,
  };
}

/** Runs a node as a host does: what comes over links is brought into shape first. */
async function run(definition: AnyDefinition, inputs: object, nodeId = '7', more: Partial<Host> = {}) {
  const read = readFields(definition.inputs, { ...inputs }, nodeId);
  return await definition.run(read as never, literalHost(nodeId, more));
}

async function outcome(definition: AnyDefinition, inputs: object, nodeId?: string): Promise<MergeValue> {
  const { outputs } = await run(definition, inputs, nodeId);
  // As it goes through ComfyUI.
  return JSON.parse(JSON.stringify(Object.values(outputs)[0]));
}

const source = (model_name: string) => outcome(mergeSource, { model_name });
const plain = { method: 'weighted-sum', params: '', weights: '' };

describe('LineageMerge', () => {
  test('makes a step of what is linked, in the order of the sockets', async () => {
    const [a, b, v] = [await source('a'), await source('b'), await source('v')];
    const typed = { ...plain, params: 'alpha = 0.35', model1: a, model3: b, vae: v, more: '{"prune": true}' };
    expect(await outcome(merge, typed, '57:8')).toEqual({
      steps: [
        {
          ...{
            id: 'merge_57.8',
            type: 'merge',
            method: 'weighted-sum',
            params: { alpha: 0.35 },
            prune: true,
          },
          ...{ models: [{ path: 'a' }, { path: 'b' }], vae: { path: 'v' } },
        },
      ],
      result: { step: 'merge_57.8' },
    });
  });

  test('a chain holds each step once, before those that use it', async () => {
    const [a, b] = [await source('a'), await source('b')];
    const first = await outcome(merge, { ...plain, model1: a, model2: b }, '3');
    const second = await outcome(merge, { ...plain, method: 'slerp', model1: first, model2: b }, '4');
    const third = await outcome(merge, { ...plain, model1: first, model2: second }, '5');
    expect(third.steps.map(({ id }) => id)).toEqual(['merge_3', 'merge_4', 'merge_5']);
    expect(third.steps[2]?.['models']).toEqual([{ step: 'merge_3' }, { step: 'merge_4' }]);
  });

  test('with block weights it is a block merge', async () => {
    const a = await source('a');
    const typed = { architecture: 'sdxl', blocks: 'IN*=0.25, M00=1', rest: '0.5' };
    const blocks = await outcome(blockWeights, typed);
    const { steps } = await outcome(merge, { ...plain, model1: a, model2: a, blocks });
    expect(steps[0]).toMatchObject({ type: 'block_merge', blocks: 'IN*=0.25, M00=1', rest: 0.5 });
  });

  test('weights keep their spelling: none where none is typed', async () => {
    const a = await source('a');
    const { steps } = await outcome(merge, {
      ...plain,
      method: 'sum',
      weights: '0.6, , -1e-3',
      model1: a,
      model2: a,
      model3: a,
    });
    expect(steps[0]).not.toHaveProperty('method');
    expect(steps[0]?.['models']).toEqual([
      { path: 'a', weight: 0.6 },
      { path: 'a' },
      { path: 'a', weight: -0.001 },
    ]);
  });

  test.each([
    ['no model', {}, 'merge/graph', 'model1: expected a model, got nothing'],
    ['a parameter out of its range', { params: 'alpha=2' }, 'merge/parameter', 'a number from 0 to 1, got 2'],
    [
      'a parameter of another method',
      { params: 'density=0.2' },
      'merge/parameter',
      'a parameter named alpha',
    ],
    ['no pair', { params: 'alpha' }, 'merge/graph', 'params: expected NAME=VALUE'],
    ['a parameter twice', { params: 'alpha=0, alpha=1' }, 'merge/graph', '"alpha" once'],
    ['more weights than models', { weights: '1, 2, 3' }, 'merge/graph', 'weights: expected at most 1'],
    ['a weight that is none', { weights: 'half' }, 'merge/graph', 'weights: expected a number, got half'],
    ['no JSON', { more: '{' }, 'merge/graph', 'more: expected JSON'],
    ['a key with an input of its own', { more: '{"models": []}' }, 'merge/graph', '"models"'],
    ['what is no merge', { model2: { steps: 'x' } }, 'merge/graph', 'expected a merge'],
    ['a widget out of its range', { 'method.alpha': 2 }, 'nodes/wrong-input', 'a number from 0 to 1, got 2'],
    ['a method that is not in the menu', { method: 'magic' }, 'nodes/wrong-input', 'got "magic"'],
  ])('refuses %s', async (what, inputs, code, said) => {
    const model1 = what === 'no model' ? undefined : await source('a');
    const failed = run(merge, { ...plain, model1, ...inputs });
    await expect(failed).rejects.toMatchObject({ code, message: expect.stringContaining(said) });
  });

  test('two steps with one id are refused', async () => {
    const a = await source('a');
    const one = await outcome(merge, { ...plain, model1: a, model2: a, step: 'x' }, '1');
    const two = await outcome(merge, { ...plain, method: 'slerp', model1: a, model2: a, step: 'x' }, '2');
    await expect(run(merge, { ...plain, model1: one, model2: two })).rejects.toThrow(
      'two different steps named "x"',
    );
  });

  test('widgets say what is no default; the line counts instead of them', async () => {
    const a = await source('a');
    const params = async (method: object, inputs: object = {}) => {
      const { steps } = await outcome(merge, {
        ...plain,
        ...method,
        model1: a,
        model2: a,
        base: a,
        ...inputs,
      });
      return steps[0]?.['params'];
    };
    const ties = { 'method.density': 0.2, 'method.sign': 'count', 'method.sign_weighted': false };
    expect(await params({ method: 'ties', ...ties })).toEqual({
      ...{ density: 0.2, sign: 'count', sign_weighted: false },
    });
    expect(await params({ method: { method: 'ties', density: 0.2, lambda: 1, sign: null } })).toEqual({
      density: 0.2,
    });
    expect(await params({ method: 'weighted-sum', 'method.alpha': 0.5 })).toBeUndefined();
    expect(await params({ method: 'weighted-sum', 'method.alpha': 0.3, params: 'alpha=0.5' })).toEqual({
      alpha: 0.5,
    });
    const blocks = { blocks: 'GRAD_V' };
    expect(await params({ method: 'weighted-sum', 'method.alpha': 0.3 }, { blocks })).toBeUndefined();
    const more = { blocks: { blocks: 'GRAD_V', param: 'beta' } };
    const twice = { method: 'sum-twice', 'method.alpha': 0.3, 'method.beta': 0.1 };
    expect(await params(twice, more)).toEqual({ alpha: 0.3 });
  });

  test('every method has a widget for each of its parameters, with its range', () => {
    const { options } = merge.inputs.method;
    expect(Object.keys(options).toSorted()).toEqual(['sum', ...mergeMethods.map(({ id }) => id)].toSorted());
    for (const { id, params } of mergeMethods) {
      const fields = options[id] ?? {};
      expect(Object.keys(fields)).toEqual(Object.keys(params));
      expect(fields, 'an input beside the word it belongs to').not.toHaveProperty('method');
      for (const [name, param] of Object.entries(params)) {
        const field = fields[name];
        const { default: byDefault, tooltip } = param;
        expect(field).toMatchObject({ default: byDefault, tooltip, optional: true });
        if ('choices' in param) expect(field).toMatchObject({ kind: 'choice', options: param.choices });
        else if (!('min' in param)) expect(field?.kind).toBe('toggle');
        else {
          const { min, max, integer } = param;
          expect(field).toMatchObject({ kind: integer ? 'integer' : 'number', min, max });
        }
        if (field?.kind !== 'number') continue;
        // The front end rounds to the digits of the step: a default must survive that.
        const { step } = field;
        expect(Number((Math.round(field.default / step) * step).toPrecision(12))).toBe(byDefault);
      }
    }
  });

  test('numbers that came with their spelling are numbers', async () => {
    const steps = [{ id: 's', type: 'convert', model: { path: 'a' }, x: new ExactNumber('1.0') }];
    const value = await outcome(merge, {
      ...plain,
      model1: { steps, result: { step: 's' } },
      model2: await source('b'),
    });
    expect(value.steps[0]?.['x']).toBe(1);
  });
});

test('LineageBlockWeights checks what it can', async () => {
  const typed = { architecture: 'sdxl', blocks: '[1, 2]' };
  await expect(run(blockWeights, typed)).rejects.toMatchObject({ code: 'merge/block-weights' });
  expect(await outcome(blockWeights, { ...typed, architecture: 'any' })).toEqual({ blocks: [1, 2] });
});

test('LineageLoraMerge: a chain is one step, but a step with an id of its own stays', async () => {
  const a = await source('a');
  const one = await outcome(loraMerge, { lora_name: 'l1', strength: 0.5, merge: a }, '1');
  const two = await outcome(loraMerge, { lora_name: 'l2', strength: -1, merge: one, step: 'named' }, '2');
  expect(two.steps).toEqual([
    {
      ...{ id: 'named', type: 'lora_merge', model: { path: 'a' } },
      loras: [
        { path: 'l1', strength: 0.5 },
        { path: 'l2', strength: -1 },
      ],
    },
  ]);
  const three = await outcome(loraMerge, { lora_name: 'l3', strength: 1, merge: two }, '3');
  expect(three.steps.map(({ id }) => id)).toEqual(['named', 'lora_merge_3']);
});

test('LineageMergeStep puts what is linked into its references; a check hands on what it looked at', async () => {
  const a = await source('a');
  const definition = JSON.stringify({ type: 'validate', model: { step: 'merge1' }, checks: ['finite'] });
  const checked = await outcome(mergeStep, { definition, merge1: a }, '9');
  expect(checked).toEqual({
    steps: [{ id: 'validate_9', type: 'validate', model: { path: 'a' }, checks: ['finite'] }],
    result: { path: 'a' },
  });
  await expect(run(mergeStep, { definition: '[]' })).rejects.toMatchObject({ code: 'merge/graph' });
});

describe('LineageRunPipeline', () => {
  const report = {
    name: 'x.safetensors',
    sha256: 'ab'.repeat(32),
    bytes: 12,
    seconds: 1,
    steps: [],
    warnings: ['careful'],
  };
  const inputs = { output_name: ' x ', precision: 'fp16' };

  test('asks the host for one pipeline, and hands its file on in three parts', async () => {
    const asked: PipelineRequest[] = [];
    const logged: string[] = [];
    const pipelines: Host['pipelines'] = {
      async run(request) {
        asked.push(request);
        return { name: 'x.safetensors', file: '/output/checkpoints/x.safetensors', report };
      },
    };
    const merged = { steps: [{ id: 'm', type: 'merge', models: [] }], result: { step: 'm' } };
    const manifest = '{"pipeline": {"name": "n"}}';
    const { outputs, ui } = await run(runPipeline, { ...inputs, merge: merged, manifest }, '4', {
      pipelines,
      log: (level, line) => void logged.push(`${level} ${line}`),
    });
    expect(asked).toMatchObject([
      {
        manifest: { pipeline: { name: 'n', steps: merged.steps } },
        result: 'm',
        outputName: 'x',
        precision: 'fp16',
      },
    ]);
    const of = { name: 'x.safetensors', file: '/output/checkpoints/x.safetensors' };
    expect(outputs).toEqual({
      ...{
        model: new CheckpointPart('MODEL', of),
        clip: new CheckpointPart('CLIP', of),
        vae: new CheckpointPart('VAE', of),
      },
      ...{ name: 'x.safetensors', report },
    });
    expect(ui).toEqual({ text: ['x.safetensors'] });
    expect(logged).toEqual(['warn careful']);
  });

  test.each([
    ['neither merge nor manifest', {}, 'expected a merge, or a manifest as text'],
    [
      'steps beside a merge',
      { merge: { steps: [], result: { path: 'a' } }, manifest: '{"pipeline": {"steps": []}}' },
      'without steps',
    ],
    ['a check alone', { also1: { steps: [] } }, 'the merge whose model comes out'],
  ])('refuses %s', async (_, more, said) => {
    const pipelines = { run: () => Promise.reject(new Error('never asked')) };
    const failed = run(runPipeline, { ...inputs, ...more }, '4', { pipelines });
    await expect(failed).rejects.toMatchObject({
      code: 'merge/graph',
      message: expect.stringContaining(said),
    });
  });

  test('a host that cannot merge says so', async () => {
    await expect(run(runPipeline, { ...inputs, manifest: 'x' })).rejects.toMatchObject({
      code: 'merge/no-host',
    });
  });
});

test('LineageMergeReport shows a report, also one whose numbers came with their spelling', async () => {
  const steps = [
    { id: 'm', type: 'merge', state: 'made', seconds: new ExactNumber('2.0'), bytes: 5e6 },
    { id: 'c', type: 'validate', state: 'made', seconds: 0.25, scores: { drift: 0.125, finite: true } },
  ];
  const report = {
    name: 'x',
    sha256: 'abcdef0123456789',
    bytes: 6e6,
    seconds: 3,
    steps,
    warnings: ['careful'],
  };
  const text = [
    'x, 6.0 MB, 3.0 s, sha256 abcdef0123',
    'm (merge): made, 5.0 MB, 2.0 s',
    'c (validate): made, 0.3 s, drift 0.125, finite true',
    'warning: careful',
  ].join('\n');
  expect(await run(mergeReport, { report })).toEqual({ outputs: { text }, ui: { text: [text] } });
  await expect(run(mergeReport, { report: 'x' })).rejects.toMatchObject({ code: 'merge/graph' });
});
