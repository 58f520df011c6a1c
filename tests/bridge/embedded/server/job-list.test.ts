import { expect, test } from 'vitest';
import type { Outcome } from '../../../../bridge/embedded/job.ts';
import { findJobs, type JobQuery } from '../../../../bridge/embedded/queue/find-jobs.ts';
import {
  durationOf,
  finishedJob,
  isPreviewable,
  normalizeOutputs,
  queuedJob,
  summarizeOutputs,
} from '../../../../bridge/embedded/queue/job-list.ts';
import { createPromptQueue } from '../../../../bridge/embedded/queue/prompt-queue.ts';
import { createRunHistory } from '../../../../bridge/embedded/queue/run-history.ts';
import { openStore } from '../../../../bridge/embedded/queue/store.ts';
import { graph, serve } from './harness.ts';

// The rules of ComfyUI 618b803d tests/execution/test_jobs.py, in its order; where newer versions (172be438
// comfy_execution/jobs.py) have further ones, those.

test.each([
  ['images', {}, true],
  ['video', {}, true],
  ['audio', {}, true],
  ['3d', {}, true],
  ['text', {}, true],
  ['latents', {}, false],
  ['metadata', {}, false],
  ['files', {}, false],
  ['files', { filename: 'model.obj' }, true],
  ['files', { filename: 'model.fbx' }, true],
  ['files', { filename: 'model.gltf' }, true],
  ['files', { filename: 'model.glb' }, true],
  ['files', { filename: 'model.usdz' }, true],
  ['files', { filename: 'MODEL.GLB' }, true],
  ['files', { filename: 'notes.md' }, true],
  ['files', { filename: 'glb' }, false],
  ['files', { filename: 7 }, false],
  ['files', { format: 'video/mp4' }, true],
  ['files', { format: 'audio/wav' }, true],
  ['files', { format: 'application/json' }, false],
])('%s %o is previewable: %s', (media, item, expected) => {
  expect(isPreviewable(media, item)).toBe(expected);
});

test.each([
  ['nothing', {}, 0, undefined],
  [
    'all nodes',
    {
      a: { images: [{ filename: 'a.png', type: 'output' }] },
      b: { images: [{ filename: 'b.png', type: 'output' }] },
      c: {
        images: [
          { filename: 'c.png', type: 'output' },
          { filename: 'd.png', type: 'output' },
        ],
      },
    },
    4,
    'a.png',
  ],
  [
    'no flags and no plain values',
    {
      a: {
        images: [{ filename: 'a.png', type: 'output' }],
        animated: [true],
        metadata: 'text',
        count: 42,
      },
      b: 'no object',
    },
    1,
    'a.png',
  ],
  [
    'a kept one before a temporary one',
    {
      a: {
        images: [
          { filename: 'temp.png', type: 'temp' },
          { filename: 'kept.png', type: 'output' },
        ],
      },
    },
    2,
    'kept.png',
  ],
  [
    'the first temporary one where none is kept',
    {
      a: {
        images: [
          { filename: '1.png', type: 'temp' },
          { filename: '2.png', type: 'temp' },
        ],
      },
    },
    2,
    '1.png',
  ],
  [
    'files that cannot be shown, without a preview',
    { a: { latents: [{ filename: '1.safetensors' }, { filename: '2.safetensors' }] } },
    2,
    undefined,
  ],
  [
    'a temporary picture before a text file',
    {
      a: { files: [{ filename: 'a.txt', type: 'output' }] },
      b: { images: [{ filename: 'b.png', type: 'temp' }] },
    },
    2,
    'b.png',
  ],
  ['a 3D file by its bare name', { a: { result: ['dog.glb', null, 'words'] } }, 1, 'dog.glb'],
])('counts %s', (_what, outputs, count, filename) => {
  const summary = summarizeOutputs(outputs);
  expect([summary.count, summary.preview?.['filename']]).toEqual([count, filename]);
});

test('shows a preview with its node and kind, and a text only where there is nothing else', () => {
  const item = { filename: 'test.png', type: 'output', subfolder: 'outputs' };
  expect(summarizeOutputs({ node123: { images: [item] } }).preview).toEqual({
    ...item,
    nodeId: 'node123',
    mediaType: 'images',
  });
  const long = 'x'.repeat(2_000);
  const text = { 1: { text: [long] } };
  expect(summarizeOutputs(text)).toEqual({
    count: 0,
    previewable: 0,
    preview: { content: long.slice(0, 1024), truncated: true, nodeId: '1', mediaType: 'text' },
  });
  expect(summarizeOutputs({ ...text, 2: { images: [item] } }).preview).toMatchObject(item);
});

test('normalizes the outputs of a job', () => {
  expect(normalizeOutputs({ 1: { result: ['dog.glb', null, 'words'], animated: [null] }, 2: 'x' })).toEqual({
    1: {
      result: [{ filename: 'dog.glb', type: 'output', subfolder: '', mediaType: '3d' }, 'words'],
      animated: [null],
    },
    2: 'x',
  });
});

const facts = { promptId: 'prompt-123', number: 10, createTime: 1_234_567_890, workflowId: 'workflow-abc' };

test('makes a job of one that waits, without null fields', () => {
  expect(queuedJob(facts, 'pending')).toEqual({
    id: 'prompt-123',
    status: 'pending',
    priority: 10,
    create_time: 1_234_567_890,
    outputs_count: 0,
    previewable_outputs_count: 0,
    workflow_id: 'workflow-abc',
  });
  expect(queuedJob({ ...facts, workflowId: undefined }, 'in_progress')).not.toHaveProperty('workflow_id');
});

test('makes a job of one that ran, with times and errors of its messages', () => {
  const error = {
    node_id: '5',
    node_type: 'KSampler',
    exception_message: 'CUDA out of memory',
    timestamp: 1_500,
  };
  const ran = (status: Outcome['status'], event: string, data: object): Outcome => ({
    status,
    outputs: {},
    meta: {},
    messages: [
      ['execution_start', { timestamp: 1_000 }],
      [event, { timestamp: 3_500, ...data }],
    ],
  });
  const completed = finishedJob(facts, ran('success', 'execution_success', {}));
  expect(completed).toMatchObject({
    status: 'completed',
    priority: 10,
    execution_start_time: 1_000,
    execution_end_time: 3_500,
    workflow_id: 'workflow-abc',
  });
  expect(durationOf(completed)).toBe(2_500);
  const failed = finishedJob(facts, ran('error', 'execution_error', error));
  expect(failed).toMatchObject({ status: 'failed', execution_end_time: 1_500, execution_error: error });
  const stopped = finishedJob(facts, ran('interrupted', 'execution_interrupted', {}));
  expect(stopped).toMatchObject({ status: 'cancelled', execution_end_time: 3_500 });
  expect(stopped).not.toHaveProperty('execution_error');
});

test('sorts, filters and cuts', () => {
  const database = openStore(':memory:');
  const queue = createPromptQueue(database);
  const history = createRunHistory(database, queue);
  const put = (promptId: string, create_time: number, workflow = 'w'): void =>
    queue.put({
      number: 1,
      promptId,
      prompt: {},
      outputs: [],
      extraData: { create_time, extra_pnginfo: { workflow: { id: workflow } } },
    });
  const run = (promptId: string, create_time: number, times: readonly [number, number] | undefined): void => {
    put(promptId, create_time);
    const messages: Outcome['messages'] = times
      ? [
          ['execution_start', { timestamp: times[0] }],
          ['execution_success', { timestamp: times[1] }],
        ]
      : [];
    const job = queue.take();
    if (job) history.record(job, { status: 'success', outputs: {}, meta: {}, messages });
  };
  run('a', 100, [100, 5_100]);
  run('b', 300, undefined);
  run('c', 200, [200, 3_200]);
  put('running', 250);
  queue.take();
  put('waiting', 400, 'other');
  put('tied', 300);

  const base: JobQuery = {
    statuses: undefined,
    workflowId: undefined,
    sortBy: 'created_at',
    order: 'desc',
    limit: undefined,
    offset: 0,
  };
  const ids = (query: Partial<JobQuery>): string[] =>
    findJobs(database, { ...base, ...query }).jobs.map((text) => (JSON.parse(text) as { id: string }).id);
  expect(ids({})).toEqual(['waiting', 'tied', 'b', 'running', 'c', 'a']);
  expect(ids({ order: 'asc' })).toEqual(['a', 'c', 'running', 'tied', 'b', 'waiting']);
  expect(ids({ sortBy: 'execution_duration', statuses: ['completed'] })).toEqual(['a', 'c', 'b']);
  expect(ids({ sortBy: 'execution_duration', order: 'asc', statuses: ['completed'] })).toEqual([
    'b',
    'c',
    'a',
  ]);
  expect(ids({ statuses: ['pending', 'in_progress'] })).toEqual(['waiting', 'tied', 'running']);
  expect(ids({ statuses: ['failed', 'cancelled'] })).toEqual([]);
  expect(ids({ workflowId: 'other' })).toEqual(['waiting']);
  expect(ids({ limit: 2, offset: 1 })).toEqual(['tied', 'b']);
  expect(findJobs(database, { ...base, limit: 2, offset: 1 }).total).toBe(6);
  database.close();
});

test('answers the jobs API', async () => {
  const api = await serve();
  const client = await api.connect('me');
  const uuid = '0e9a1a3e-0c1f-4c8e-9d59-3a1ad4a5a4d1';
  await api.queue(graph('ServerTestShow', { value: 1 }), { client_id: 'me', prompt_id: uuid });
  await client.end(uuid);
  const { json } = await api.get('/api/api/jobs?status=completed,failed,cancelled&limit=200&offset=0');
  expect(json).toEqual({
    jobs: [
      {
        id: uuid,
        status: 'completed',
        priority: 0,
        create_time: expect.any(Number),
        execution_start_time: expect.any(Number),
        execution_end_time: expect.any(Number),
        outputs_count: 0,
        previewable_outputs_count: 0,
      },
    ],
    pagination: { offset: 0, limit: 200, total: 1, has_more: false },
  });
  expect((await api.get('/api/jobs')).json).toMatchObject({ pagination: { limit: null } });
  expect((await api.get(`/api/jobs/${uuid}`)).json).toMatchObject({
    id: uuid,
    outputs: { 1: { shown: ['1'] } },
    execution_status: { status_str: 'success', completed: true },
    workflow: { prompt: graph('ServerTestShow', { value: 1 }), extra_data: { client_id: 'me' } },
  });
  expect(await api.get('/api/jobs/unknown')).toMatchObject({ status: 404, json: { error: 'Job not found' } });
  for (const [query, error] of [
    [
      'status=done,x',
      'Invalid status value(s): done, x. Valid values: pending, in_progress, completed, failed, cancelled',
    ],
    ['sort_by=name', "sort_by must be 'created_at' or 'execution_duration'"],
    ['sort_order=up', "sort_order must be 'asc' or 'desc'"],
    ['limit=0', 'limit must be a positive integer'],
    ['limit=ten', 'limit must be an integer'],
    ['offset=1.5', 'offset must be an integer'],
  ]) {
    expect(await api.get(`/api/jobs?${query}`)).toMatchObject({ status: 400, json: { error } });
  }
  expect((await api.get('/api/jobs?status=,&offset=-5')).json).toMatchObject({
    jobs: [],
    pagination: { offset: 0 },
  });
  const cancel = (path: string, body?: unknown) => api.post(`/api/jobs/${path}`, body);
  expect(await cancel(`${uuid}/cancel`)).toMatchObject({ status: 200, json: { cancelled: false } });
  expect(await cancel('cancel', { job_ids: [uuid] })).toMatchObject({
    status: 200,
    json: { cancelled: false },
  });
  expect(await cancel('cancel', '{')).toMatchObject({ status: 400 });
  expect(await cancel('cancel', {})).toMatchObject({
    status: 400,
    json: { error: 'job_ids must be a list' },
  });
  expect(await cancel('cancel', { job_ids: ['x', 7, uuid] })).toMatchObject({
    status: 400,
    json: { error: 'job_ids contains invalid id(s)', invalid_ids: ['x', '7'] },
  });
});
