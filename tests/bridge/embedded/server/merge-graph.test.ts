import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { readTinyCheckpoint, writeTinyCheckpoint } from '../../../merge/graph/tiny-checkpoint.ts';
import { type Api, newFolder, serve } from './harness.ts';

type Node = { readonly class_type: string; readonly inputs: Readonly<Record<string, unknown>> };

const node = (class_type: string, inputs: Node['inputs']): Node => ({ class_type, inputs });

function mergeGraph(more: Node['inputs'] = {}, run: Node['inputs'] = {}): Record<string, Node> {
  return {
    '1': node('LineageMergeSource', { model_name: 'a.safetensors' }),
    '2': node('LineageMergeSource', { model_name: 'sub/b.safetensors' }),
    '3': node('LineageMerge', {
      ...{ method: 'weighted-sum', params: 'alpha=0.25', weights: '', model1: ['1', 0], model2: ['2', 0] },
      ...more,
    }),
    '4': node('LineageRunPipeline', {
      output_name: 'mixed',
      precision: 'as written',
      merge: ['3', 0],
      ...run,
    }),
    '5': node('LineageMergeReport', { report: ['4', 4] }),
  };
}

async function machine(): Promise<{ readonly api: Api; readonly base: string; checkpoints: string }> {
  const base = newFolder();
  const models = join(base, 'models');
  writeTinyCheckpoint(join(models, 'checkpoints', 'a.safetensors'), { w: [1, 2, 3], v: [0, 0] });
  writeTinyCheckpoint(join(models, 'checkpoints', 'sub', 'b.safetensors'), { w: [3, 6, -5], v: [8, 16] });
  return {
    api: await serve({ base, models: [models] }),
    base,
    checkpoints: join(base, 'output', 'checkpoints'),
  };
}

type History = {
  readonly outputs: Readonly<Record<string, { readonly text?: readonly string[] }>>;
  readonly status: {
    readonly status_str: string;
    readonly messages: readonly (readonly [string, Record<string, unknown>])[];
  };
};

async function run(api: Api, prompt: Record<string, Node>): Promise<History> {
  const client = await api.connect('merging');
  const { prompt_id: id } = await api.queue(prompt, { client_id: 'merging' });
  await client.end(id);
  client.socket.close();
  const { json } = await api.get(`/history/${id}`);
  return (json as Record<string, History>)[String(id)]!;
}

test('source + source -> merge -> run -> report: the file, its name, its record', async () => {
  const { api, checkpoints } = await machine();
  const done = await run(api, mergeGraph());
  expect(done.status.status_str, JSON.stringify(done.status.messages)).toBe('success');
  const file = join(checkpoints, 'mixed.safetensors');
  const { metadata, tensors } = readTinyCheckpoint(readFileSync(file));
  // A + 0.25 (B - A), exact in binary.
  expect(tensors).toEqual({ w: [1.5, 3, 1], v: [2, 4] });
  const record = JSON.parse(metadata['lineage'] ?? '');
  expect(record.sources.map(({ name }: { name: string }) => name)).toEqual([
    'a.safetensors',
    'b.safetensors',
  ]);
  expect(JSON.stringify(metadata)).not.toContain(checkpoints);
  expect(done.outputs['4']?.text).toEqual(['mixed.safetensors']);
  const sha256 = createHash('sha256').update(readFileSync(file)).digest('hex');
  expect(done.outputs['5']?.text?.[0]).toContain(`sha256 ${sha256.slice(0, 10)}`);
  expect(done.outputs['5']?.text?.[0]).toMatch(/^mixed\.safetensors, .*\nmerge_3 \(merge\): made, \d+ bytes/);
  expect((await api.get('/models/checkpoints')).json).toEqual([
    'a.safetensors',
    'mixed.safetensors',
    'sub/b.safetensors',
  ]);
  expect(existsSync(join(checkpoints, 'temp'))).toBe(false);
});

test('the same merge is made once; another file of its name is never replaced', async () => {
  const { api, checkpoints } = await machine();
  await run(api, mergeGraph());
  const first = readFileSync(join(checkpoints, 'mixed.safetensors'));
  const again = await run(api, mergeGraph({ step: 'named' }));
  expect(again.outputs['5']?.text?.[0]).toContain('named (merge): taken');
  expect(readdirSync(checkpoints)).toEqual(['mixed.safetensors']);
  const other = await run(api, mergeGraph({ params: 'alpha=0.5' }));
  expect(other.outputs['4']?.text).toEqual(['mixed_00002.safetensors']);
  writeFileSync(join(checkpoints, 'mine.safetensors'), 'not a model');
  const beside = await run(api, mergeGraph({}, { output_name: 'mine' }));
  expect(beside.outputs['4']?.text).toEqual(['mine_00002.safetensors']);
  expect(readFileSync(join(checkpoints, 'mine.safetensors'), 'utf8')).toBe('not a model');
  expect(readFileSync(join(checkpoints, 'mixed.safetensors'))).toEqual(first);
});

test('parameters by widgets: the same merge as by the line, of widgets as the front end sends them', async () => {
  const { api, checkpoints } = await machine();
  await run(api, mergeGraph());
  const widgets = { method: 'weighted-sum', 'method.alpha': 0.25, params: '' };
  const again = await run(api, mergeGraph(widgets));
  expect(again.outputs['5']?.text?.[0]).toContain('merge_3 (merge): taken');
  expect(readdirSync(checkpoints)).toEqual(['mixed.safetensors']);
  const linked = await run(api, {
    ...mergeGraph({ ...widgets, 'method.alpha': ['6', 0] }, { output_name: 'linked' }),
    '6': node('PrimitiveFloat', { value: 0.75 }),
  });
  expect(linked.status.status_str, JSON.stringify(linked.status.messages)).toBe('success');
  // A + 0.75 (B - A), exact in binary.
  const { tensors } = readTinyCheckpoint(readFileSync(join(checkpoints, 'linked.safetensors')));
  expect(tensors).toEqual({ w: [2.5, 5, -3], v: [6, 12] });
});

test('a widget out of its range, or of another kind, is refused before the graph is queued', async () => {
  const { api } = await machine();
  const refused = async (inputs: Node['inputs']): Promise<unknown> => {
    const answer = await api.post('/prompt', { prompt: mergeGraph(inputs) });
    return JSON.parse(answer.text).node_errors['3']?.errors.map((error: Record<string, unknown>) => [
      ...[error['type'], error['details']],
    ]);
  };
  expect(await refused({ 'method.alpha': 1.5 })).toEqual([['value_bigger_than_max', 'method.alpha']]);
  expect(await refused({ method: 'ties', 'method.scope': 'all', 'method.density': 'x' })).toEqual([
    ['invalid_input_type', "method.density, x, could not convert string to float: 'x'"],
    ['value_not_in_list', "method.scope: 'all' not in ['tensor', 'global']"],
  ]);
});

test('the method is listed with the widgets of each', async () => {
  const { api } = await machine();
  const { input } = JSON.parse((await api.get('/object_info/LineageMerge')).text).LineageMerge;
  const [type, { options }] = input.required.method;
  expect(type).toBe('COMFY_DYNAMICCOMBO_V3');
  expect(options).toHaveLength(35);
  expect(options[0]).toEqual({
    key: 'weighted-sum',
    inputs: {
      required: {},
      optional: {
        alpha: [
          'FLOAT',
          { tooltip: 'Share of model B: 0 is A, 1 is B.', default: 0.5, min: 0, max: 1, step: 0.01 },
        ],
      },
    },
  });
  expect(options[1]).toEqual({ key: 'sum', inputs: { required: {} } });
});

test('menus list the models that there are', async () => {
  const { api, checkpoints } = await machine();
  const listed = async (): Promise<unknown> =>
    JSON.parse((await api.get('/object_info/LineageMergeSource')).text).LineageMergeSource.input.required
      .model_name[1].options;
  expect(await listed()).toEqual(['a.safetensors', 'sub/b.safetensors']);
  writeTinyCheckpoint(join(checkpoints, 'late.safetensors'), { w: [1] });
  expect(await listed()).toEqual(['a.safetensors', 'late.safetensors', 'sub/b.safetensors']);
});

const manifest = (path: string, output = 'x.safetensors') =>
  JSON.stringify({ models: [{ path }, { path: 'a.safetensors' }], output });

test.each([
  [
    'a path out of the model folders',
    { manifest: manifest('../../secret.safetensors') },
    'file/missing',
    'leads out',
  ],
  ['an absolute path', { manifest: manifest('/etc/passwd') }, 'file/missing', '/etc/passwd'],
  ['a model that is not there', { manifest: manifest('gone.safetensors') }, 'file/missing', 'no such file'],
  ['no YAML', { manifest: '{"models": [' }, 'pipeline/malformed', 'JSON'],
  [
    'a name that leads elsewhere',
    { manifest: manifest('a.safetensors'), output_name: '../../x' },
    'output/outside',
    'a name',
  ],
])('refuses %s', async (_, inputs, code, said) => {
  const { api, base, checkpoints } = await machine();
  const prompt = {
    '4': node('LineageRunPipeline', { output_name: '', precision: 'as written', ...inputs }),
  };
  const done = await run(api, prompt);
  expect(done.status.status_str).toBe('error');
  const error = done.status.messages.find(([type]) => type === 'execution_error')?.[1];
  expect(String(error?.['exception_message'])).toContain(code);
  expect(String(error?.['exception_message'])).toContain(said);
  expect(existsSync(checkpoints) ? readdirSync(checkpoints) : []).toEqual([]);
  expect(readdirSync(base).filter((name) => name.endsWith('.safetensors'))).toEqual([]);
});

test('a manifest as YAML text: its output is a name, whatever path it says; steps between leave nothing', async () => {
  const { api, base, checkpoints } = await machine();
  const text = `pipeline:
  steps:
    - id: first
      type: merge
      models: [{ path: a.safetensors, weight: 0.5 }, { path: sub/b.safetensors, weight: 0.5 }]
      output: { path: ../../between.safetensors, precision: fp32 }
    - id: check
      type: validate
      model: { step: first }
      checks: [finite]
    - id: last
      type: merge
      models: [{ step: first, weight: 0.5 }, { path: a.safetensors, weight: 0.5 }]
      output: /tmp/named-by-manifest.safetensors
`;
  const done = await run(api, {
    '4': node('LineageRunPipeline', { output_name: '', precision: 'as written', manifest: text }),
    '5': node('LineageMergeReport', { report: ['4', 4] }),
  });
  expect(done.status.status_str, JSON.stringify(done.status.messages)).toBe('success');
  expect(readdirSync(checkpoints)).toEqual(['named-by-manifest.safetensors']);
  expect(readdirSync(base).filter((name) => name.endsWith('.safetensors'))).toEqual([]);
  const { tensors } = readTinyCheckpoint(readFileSync(join(checkpoints, 'named-by-manifest.safetensors')));
  expect(tensors).toEqual({ w: [1.5, 3, 1], v: [2, 4] });
  expect(done.outputs['5']?.text?.[0]).toMatch(/check \(validate\): made, .*finite true/);
});

test('a model of the very name that the output would have is never written over', async () => {
  const { api, base } = await machine();
  const own = join(base, 'models', 'checkpoints', 'checkpoints', 'a2.safetensors');
  writeTinyCheckpoint(own, { w: [7] });
  const before = readFileSync(own);
  const text = JSON.stringify({ models: [{ path: 'checkpoints/a2.safetensors', weight: 2 }], output: 'x' });
  await run(api, {
    '4': node('LineageRunPipeline', { output_name: 'a2', precision: 'as written', manifest: text }),
  });
  expect(readFileSync(own)).toEqual(before);
});
