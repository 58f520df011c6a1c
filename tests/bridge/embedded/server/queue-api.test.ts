import { join } from 'node:path';
import { expect, test } from 'vitest';
import { gates } from './gates.ts';
import { type Api, graph, newFolder, serve } from './harness.ts';

/** A gate that a test opens, and the graph that waits for it. */
function waiting(): { readonly gate: string; readonly prompt: Record<string, unknown> } {
  const gate = join(newFolder(), 'gate');
  return { gate, prompt: graph('ServerTestWait', { gate }) };
}

/** Queues a prompt that runs until its gate is opened, and waits until it runs. */
async function occupy(
  api: Api,
): Promise<{ readonly gate: string; readonly id: string; end(): Promise<unknown> }> {
  const client = await api.connect('occupier');
  const { gate, prompt } = waiting();
  const { prompt_id: id } = await api.queue(prompt, { client_id: 'occupier' });
  await client.until(({ type }) => type === 'executing');
  return { gate, id: String(id), end: () => client.end(id) };
}

const shown = (value: unknown): Record<string, unknown> => graph('ServerTestShow', { value });

test('gives numbers by a counter, which refused prompts advance and explicit numbers do not', async () => {
  const api = await serve();
  const busy = await occupy(api);
  const numberOf = async (more: object): Promise<unknown> =>
    (await api.queue(shown(1), { ...more }))['number'];
  expect(await numberOf({})).toBe(1);
  expect(await numberOf({ front: true })).toBe(-2);
  expect(await numberOf({ number: 0.5 })).toBe(0.5);
  expect(await numberOf({ number: '7' })).toBe(7);
  expect((await api.post('/prompt', { prompt: {} })).status).toBe(400);
  expect((await api.post('/prompt', {})).status).toBe(400);
  expect(await numberOf({})).toBe(5);
  gates.open(busy.gate);
  await busy.end();
});

test('runs the lowest number first, and equal ones as they came', async () => {
  const api = await serve();
  const busy = await occupy(api);
  const client = await api.connect('me');
  for (const [id, more] of [
    ['third', { number: 5 }],
    ['fourth', { number: 5 }],
    ['second', {}],
    ['first', { front: true }],
  ] as const) {
    await api.queue(shown(1), { ...more, prompt_id: id, client_id: 'me' });
  }
  const { json } = await api.get('/queue');
  const { queue_running: running, queue_pending: pending } = json as Record<string, unknown[][]>;
  expect(running?.map((item) => item[1])).toEqual([busy.id]);
  expect(pending?.map((item) => item[1])).toEqual(['first', 'second', 'third', 'fourth']);
  expect(pending?.[1]).toEqual([
    1,
    'second',
    shown(1),
    { client_id: 'me', create_time: expect.any(Number) },
    ['1'],
  ]);
  expect((await api.get('/prompt')).json).toEqual({ exec_info: { queue_remaining: 5 } });
  gates.open(busy.gate);
  await client.end('fourth');
  const ran = client.messages
    .filter(({ type }) => type === 'execution_start')
    .map(({ data }) => data['prompt_id']);
  expect(ran).toEqual(['first', 'second', 'third', 'fourth']);
});

test('takes waiting prompts out, one by one and all, but not the running one', async () => {
  const api = await serve();
  const busy = await occupy(api);
  for (const id of ['a', 'b', 'b', 'c']) await api.queue(shown(1), { prompt_id: id });
  const pending = async (): Promise<unknown[]> =>
    ((await api.get('/queue')).json as Record<string, unknown[][]>)['queue_pending']!.map((item) => item[1]);
  const gone = await api.post('/queue', { delete: ['b', 'unknown', busy.id, 7] });
  expect(gone).toMatchObject({ status: 200, text: '' });
  expect(await pending()).toEqual(['a', 'b', 'c']);
  expect((await api.post('/api/queue', { clear: false })).status).toBe(200);
  expect(await pending()).toHaveLength(3);
  expect((await api.post('/queue', { clear: true })).status).toBe(200);
  expect(await pending()).toEqual([]);
  expect((await api.get('/prompt')).json).toEqual({ exec_info: { queue_remaining: 1 } });
  gates.open(busy.gate);
  await busy.end();
});

test('interrupts what runs, by its id or whatever it is; between prompts nothing', async () => {
  const api = await serve();
  expect((await api.post('/interrupt')).status).toBe(200);
  const client = await api.connect('occupier');
  const { prompt } = waiting();
  const { prompt_id: id } = await api.queue(prompt, { client_id: 'occupier' });
  await client.until(({ type }) => type === 'executing');
  for (const body of [{ prompt_id: 'another' }, { prompt_id: 7 }]) {
    expect(await api.post('/interrupt', body)).toMatchObject({ status: 200, text: '' });
  }
  expect((await api.get('/prompt')).json).toEqual({ exec_info: { queue_remaining: 1 } });
  expect(await api.post('/api/interrupt', { prompt_id: id })).toMatchObject({ status: 200, text: '' });
  await client.end(id);
  const { json } = await api.get(`/history/${id}`);
  const entry = (json as Record<string, Record<string, Record<string, unknown>>>)[String(id)]!;
  expect(entry['status']).toMatchObject({ status_str: 'error', completed: false });
  expect((entry['status']!['messages'] as unknown[][]).at(-1)?.[0]).toBe('execution_interrupted');

  const next = waiting();
  const { prompt_id: second } = await api.queue(next.prompt, { client_id: 'occupier' });
  await client.until(({ type, data }) => type === 'executing' && data['prompt_id'] === second);
  expect((await api.post('/interrupt', 'no json')).status).toBe(200);
  await client.end(second);
});

test('keeps what a run put out, with coerced and exact values and without secrets', async () => {
  const api = await serve();
  const client = await api.connect('me');
  const body = `{"prompt": {"1": {"class_type": "ServerTestShow", "inputs": {"value": 18446744073709551615}, "_meta": {"title": "big"}},
    "2": {"class_type": "ServerTestShow", "inputs": {"value": "41"}}},
    "prompt_id": "big", "client_id": "me",
    "extra_data": {"api_key_comfy_org": "SECRET1", "auth_token_comfy_org": "SECRET2", "extra_pnginfo": {"workflow": {"id": "w", "scale": 1.0}}}}`;
  expect(await api.post('/prompt', body)).toMatchObject({
    status: 200,
    json: { prompt_id: 'big', number: 0, node_errors: {} },
  });
  await client.end('big');
  const { text, json } = await api.get('/history/big');
  expect(text).toContain('"value":18446744073709551615');
  expect(text).toContain('"scale":1.0');
  expect(text).not.toContain('SECRET');
  const entry = (json as Record<string, Record<string, unknown>>)['big']!;
  expect(Object.keys(entry)).toEqual(['prompt', 'outputs', 'status', 'meta']);
  expect(entry['outputs']).toEqual({ 1: { shown: ['18446744073709551615'] }, 2: { shown: ['41'] } });
  expect(entry['meta']).toEqual({
    1: { node_id: '1', display_node: '1', parent_node: null, real_node_id: '1' },
    2: { node_id: '2', display_node: '2', parent_node: null, real_node_id: '2' },
  });
  const [number, id, prompt, extra, outputs] = entry['prompt'] as unknown[];
  expect([number, id, outputs]).toEqual([0, 'big', ['1', '2']]);
  expect(prompt).toMatchObject({ 2: { inputs: { value: 41 } } });
  expect(extra).toEqual({
    client_id: 'me',
    create_time: expect.any(Number),
    extra_pnginfo: { workflow: { id: 'w', scale: 1 } },
  });
});

test('pages through the history, and forgets it', async () => {
  const api = await serve();
  const client = await api.connect('me');
  const ids = ['a', 'b', 'c', 'd', 'e'];
  for (const id of ids) await api.queue(shown(1), { prompt_id: id, client_id: 'me' });
  await client.end('e');
  const keys = async (query: string): Promise<string[]> =>
    Object.keys((await api.get(`/history${query}`)).json as object);
  // ComfyUI 618b803d execution.py get_history.
  expect(await keys('')).toEqual(ids);
  expect(await keys('?max_items=2')).toEqual(['d', 'e']);
  expect(await keys('?max_items=2&offset=1')).toEqual(['b', 'c']);
  expect(await keys('?offset=3')).toEqual(['d', 'e']);
  expect(await keys('?max_items=0&offset=0')).toEqual(['a']);
  expect(await keys('?max_items=0')).toEqual([]);
  expect(await keys('?max_items=99')).toEqual(ids);
  for (const bad of ['?max_items=x', '?offset=1.5', '?max_items=']) {
    const answer = await api.get(`/history${bad}`);
    expect(answer).toMatchObject({
      status: 500,
      text: '500 Internal Server Error\n\nServer got itself in trouble',
    });
    expect(answer.headers.get('content-type')).toMatch('text/plain');
  }
  expect((await api.get('/history/unknown')).json).toEqual({});
  expect((await api.get('/history/__proto__')).json).toEqual({});
  expect((await api.post('/history', { delete: ['b', 'unknown'] })).status).toBe(200);
  expect(await keys('')).toEqual(['a', 'c', 'd', 'e']);
  // An id that runs again keeps its place.
  await api.queue(shown(2), { prompt_id: 'a', client_id: 'me', front: true });
  await client.until(
    ({ type, data }) => type === 'executed' && (data['output'] as { shown: string[] }).shown[0] === '2',
  );
  await api.queue(shown(3), { prompt_id: 'last', client_id: 'me' });
  await client.end('last');
  expect(await keys('')).toEqual(['a', 'c', 'd', 'e', 'last']);
  expect((await api.post('/history', { clear: true })).status).toBe(200);
  expect(await keys('')).toEqual([]);
});

test('answers odd requests as ComfyUI does', async () => {
  const api = await serve();
  const trouble = { status: 500, text: '500 Internal Server Error\n\nServer got itself in trouble' };
  expect(await api.post('/prompt', '{')).toMatchObject(trouble);
  expect(await api.post('/queue')).toMatchObject(trouble);
  expect(await api.post('/history', '5')).toMatchObject(trouble);
  expect(await api.post('/free', '')).toMatchObject(trouble);
  expect(await api.get('/nowhere')).toMatchObject({ status: 404, text: '' });
  expect(await api.post('/nowhere', {})).toMatchObject({ status: 405, text: '405: Method Not Allowed' });
  expect(await api.post('/internal/nowhere', {})).toMatchObject({ status: 404, text: '' });
  expect(await api.get('/queue/')).toMatchObject({ status: 404 });
  expect(await api.post('/queue', { delete: 'abc' })).toMatchObject({ status: 200, text: '' });
  expect(await api.post('/queue', { delete: 7 })).toMatchObject(trouble);
  expect(await api.get('/api/internal/logs')).toMatchObject({ status: 404 });
  expect(await api.get('/jobs')).toMatchObject({ status: 404 });
  expect(await api.get('/interrupt')).toMatchObject({ status: 405 });
  expect(await api.get('/features')).toMatchObject({
    status: 200,
    json: {
      supports_preview_metadata: true,
      max_upload_size: 104857600,
      extension: { manager: { supports_v4: true } },
    },
  });
  expect((await api.get('/features')).headers.get('content-type')).toBe('application/json; charset=utf-8');
  expect(await api.post('/prompt', { client_id: 'x' })).toMatchObject({
    status: 400,
    json: {
      error: {
        type: 'no_prompt',
        message: 'No prompt provided',
        details: 'No prompt provided',
        extra_info: {},
      },
      node_errors: {},
    },
  });
  const unknown = await api.post('/prompt', { prompt: graph('Nothing') });
  expect(unknown).toMatchObject({ status: 400, json: { error: { type: 'missing_node_type' } } });
  expect(await api.post('/free', { free_memory: true, unload_models: true })).toMatchObject({
    status: 200,
    text: '',
  });
});

test('runs the good outputs of a prompt that has bad ones', async () => {
  const api = await serve();
  const client = await api.connect('me');
  const prompt = { ...shown(1), 2: { class_type: 'ServerTestShow', inputs: { value: -1 } } };
  const answer = await api.queue(prompt, { client_id: 'me' });
  expect(answer['node_errors']).toMatchObject({ 2: { class_type: 'ServerTestShow' } });
  await client.end(answer['prompt_id']);
  const { json } = await api.get(`/history/${answer['prompt_id']}`);
  expect(Object.values(json as object)[0]).toMatchObject({ outputs: { 1: { shown: ['1'] } } });
});

test('describes itself', async () => {
  const api = await serve();
  const { json } = await api.get('/api/system_stats');
  expect(json).toMatchObject({
    system: {
      os: process.platform,
      ram_total: expect.any(Number),
      ram_free: expect.any(Number),
      comfyui_version: '0.8.0',
      required_frontend_version: expect.any(String),
      python_version: expect.any(String),
      pytorch_version: expect.any(String),
      embedded_python: false,
      argv: ['lineage', 'serve'],
    },
    devices: [
      {
        name: expect.any(String),
        type: 'cpu',
        index: 0,
        vram_total: expect.any(Number),
        vram_free: expect.any(Number),
        torch_vram_total: expect.any(Number),
        torch_vram_free: expect.any(Number),
      },
    ],
  });
  const all = (await api.get('/object_info')).json as Record<string, unknown>;
  expect(Object.keys(all)).toEqual(
    expect.arrayContaining(['ServerTestShow', 'LineageSaveImage', 'SaveImage']),
  );
  expect((await api.get('/object_info/ServerTestShow')).json).toEqual({
    ServerTestShow: all['ServerTestShow'],
  });
  expect((await api.get('/object_info/ServerTestShow')).text).toContain('18446744073709551615');
  expect((await api.get('/api/object_info/constructor')).json).toEqual({});
});

test('checks prompt ids where it is asked to', async () => {
  const lax = await serve();
  expect(await lax.queue(shown(1), { prompt_id: 'any text' })).toMatchObject({ prompt_id: 'any text' });
  expect((await lax.post('/prompt', { prompt: shown(1), prompt_id: 'x'.repeat(300) })).status).toBe(400);
  const strict = await serve({ checkIds: true, errorStyle: 'v0.8' });
  expect(await strict.post('/prompt', { prompt: shown(1), prompt_id: 'any text' })).toMatchObject({
    status: 400,
    json: { error: { type: 'invalid_prompt_id' }, node_errors: {} },
  });
  const id = '0e9a1a3e-0c1f-4c8e-9d59-3a1ad4a5a4d1';
  expect(await strict.queue(shown(1), { prompt_id: id })).toMatchObject({ prompt_id: id });
  expect(await strict.post('/prompt', { prompt: graph('Nothing') })).toMatchObject({
    json: { error: { type: 'invalid_prompt' } },
  });
});

test.each([
  ['is no JSON', 'ServerTestCyclic'],
  ['is longer than any text', 'ServerTestEndless'],
])('fails a prompt whose output %s, and goes on', async (_what, node) => {
  const api = await serve();
  const client = await api.connect('me');
  const { prompt_id: id } = await api.queue(graph(node), { client_id: 'me' });
  await client.end(id);
  const { json } = await api.get(`/history/${id}`);
  expect(Object.values(json as object)[0]).toMatchObject({ status: { status_str: 'error' } });
  const next = await api.queue(shown(1), { client_id: 'me' });
  await client.end(next['prompt_id']);
});

test('gives a node its workflow, its files and the folder for previews', async () => {
  const api = await serve();
  const client = await api.connect('me');
  const { prompt_id: id } = await api.queue(graph('ServerTestTell', { name: 'told_00001_.txt [temp]' }), {
    client_id: 'me',
    extra_data: { extra_pnginfo: { workflow: { id: 'mine' } } },
  });
  await client.end(id);
  const again = await api.queue(graph('ServerTestTell', { name: 'told_00001_.txt [temp]' }), {
    client_id: 'me',
  });
  await client.end(again['prompt_id']);
  const outputs = client.messages.filter(({ type }) => type === 'executed').map(({ data }) => data['output']);
  expect(outputs).toEqual([
    { workflow: [{ id: 'mine' }], bytes: [null], written: ['told_00001_.txt'] },
    { workflow: [null], bytes: [4], written: ['told_00002_.txt'] },
  ]);
});

test('cancels a job whether it waits or runs', async () => {
  const api = await serve();
  const busy = await occupy(api);
  for (const id of ['a', 'b']) await api.queue(shown(1), { prompt_id: id });
  expect((await api.get('/api/jobs/a')).json).toMatchObject({
    status: 'pending',
    workflow: { prompt: shown(1) },
  });
  expect((await api.get(`/api/jobs/${busy.id}`)).json).toMatchObject({ status: 'in_progress' });
  const cancel = async (id: string): Promise<unknown> => (await api.post(`/api/jobs/${id}/cancel`)).json;
  expect(await cancel('a')).toEqual({ cancelled: true });
  expect(await cancel('a')).toEqual({ cancelled: false });
  expect((await api.get('/prompt')).json).toEqual({ exec_info: { queue_remaining: 2 } });
  expect((await api.post('/api/jobs/cancel', { job_ids: [busy.id] })).json).toEqual({ cancelled: true });
  await busy.end();
  expect((await api.get(`/api/jobs/${busy.id}`)).json).toMatchObject({ status: 'cancelled' });
  expect((await api.get('/api/jobs?status=cancelled')).json).toMatchObject({ jobs: [{ id: busy.id }] });
});

test('serves the panel, which reads pictures of its own folders only', async () => {
  const api = await serve();
  expect(await api.get('/lineage/receipt?filename=none.png')).toMatchObject({ status: 404 });
  expect(await api.get('/api/lineage/receipt?filename=a.png&subfolder=..')).toMatchObject({ status: 403 });
  const picture = await fetch(`${api.url}/lineage/workflow`, {
    method: 'POST',
    headers: { 'Content-Type': 'image/png', Origin: api.url },
    body: 'no picture',
  });
  expect(picture.status).toBe(415);
  expect(await picture.json()).toMatchObject({ error: { code: 'image/unknown-format' } });
});
