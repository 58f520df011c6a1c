import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { gates } from './gates.ts';
import { graph, newFolder, serve } from './harness.ts';
import { EndedEarly, startServer } from './process.ts';

const shown = (value: unknown): Record<string, unknown> => graph('ServerTestShow', { value });
/** An entry of a history, as far as these tests look into it. */
type Entry = {
  readonly outputs: unknown;
  readonly status: {
    readonly status_str: string;
    readonly completed: boolean;
    readonly messages: readonly (readonly [string, unknown])[];
  };
};
const entryOf = (json: unknown, id: string): Entry => (json as Record<string, Entry>)[id]!;

test('queue and history survive kill -9; what ran counts as failed, what waits runs', async () => {
  const base = newFolder();
  const gate = join(base, 'gate');
  const before = await startServer(base);
  const client = await before.connect('me');
  await before.queue(shown(1), { prompt_id: 'done', client_id: 'me' });
  await before.queue(graph('ServerTestWait', { gate }), { prompt_id: 'running', client_id: 'me' });
  await before.queue(shown('18446744073709551615'), {
    prompt_id: 'waiting',
    client_id: 'me',
    extra_data: { api_key_comfy_org: 'SECRET', extra_pnginfo: { workflow: { id: 'w' } } },
  });
  await client.until(({ type, data }) => type === 'executing' && data['prompt_id'] === 'running');
  expect(await before.end('SIGKILL')).toBe('SIGKILL');

  const after = await startServer(base);
  const again = await after.connect('me');
  await again.until(({ type, data }) => {
    if (type !== 'status') return false;
    return (data['status'] as { exec_info: { queue_remaining: number } }).exec_info.queue_remaining === 0;
  });
  const { json, text } = await after.get('/history');
  expect(Object.keys(json as object)).toEqual(['done', 'running', 'waiting']);
  expect(text).not.toContain('SECRET');
  expect(entryOf(json, 'done').outputs).toEqual({ 1: { shown: ['1'] } });
  expect(entryOf(json, 'waiting').outputs).toEqual({ 1: { shown: ['18446744073709551615'] } });
  const { status_str, completed, messages } = entryOf(json, 'running').status;
  expect({ status_str, completed }).toEqual({ status_str: 'error', completed: false });
  const [event, data] = messages.at(-1)!;
  expect(event).toBe('execution_error');
  expect(data).toMatchObject({
    prompt_id: 'running',
    exception_message: expect.stringContaining('interrupted by restart'),
  });
  const { json: jobs } = await after.get('/api/jobs?sort_order=asc');
  const states = (jobs as { jobs: { id: string; status: string }[] }).jobs.map(({ id, status }) => [
    id,
    status,
  ]);
  expect(states).toEqual([
    ['done', 'completed'],
    ['running', 'failed'],
    ['waiting', 'completed'],
  ]);
});

test('Ctrl-C stops what runs, keeps what waits and empties the folder for previews', async () => {
  const base = newFolder();
  const gate = join(base, 'gate');
  const server = await startServer(base);
  const client = await server.connect('me');
  await server.queue(graph('ServerTestWait', { gate }), { prompt_id: 'running', client_id: 'me' });
  await server.queue(shown(1), { prompt_id: 'waiting' });
  writeFileSync(join(base, 'temp', 'preview.png'), '');
  await client.until(({ type }) => type === 'executing');
  expect(await server.end('SIGINT')).toBe(130);

  const after = await startServer(base);
  gates.open(gate);
  const { json } = await after.get('/history/running');
  expect(entryOf(json, 'running').status.messages.at(-1)![0]).toBe('execution_interrupted');
  expect((await after.get('/internal/files/temp')).json).toEqual([]);
  const jobs = (await after.get('/api/jobs/running')).json;
  expect(jobs).toMatchObject({ status: 'cancelled' });
  while (Object.keys((await after.get('/history/waiting')).json as object).length === 0);
  expect(await after.end('SIGTERM')).toBe(0);
});

test('a node that throws behind its run fails its prompt, and the server goes on', async () => {
  const server = await startServer(newFolder());
  const client = await server.connect('me');
  for (const [how, says] of [
    ['timer', 'thrown behind the node'],
    ['rejection', 'rejected behind the node'],
    ['throw', 'thrown by the node'],
  ] as const) {
    const { prompt_id: id } = await server.queue(graph('ServerTestCrash', { how }), { client_id: 'me' });
    await client.end(id);
    const { data } = await client.until(
      (message) => message.type === 'execution_error' && message.data['prompt_id'] === id,
    );
    expect(data).toMatchObject({
      node_id: '1',
      node_type: 'ServerTestCrash',
      exception_type: 'RangeError',
      exception_message: expect.stringContaining(says),
      traceback: expect.arrayContaining([expect.stringContaining('test-nodes.ts')]),
    });
    const entry = entryOf((await server.get(`/history/${id}`)).json, String(id));
    expect(entry.status).toMatchObject({ status_str: 'error', completed: false });
    expect(entry.status.messages[0]![0]).toBe('execution_start');
    const next = await server.queue(shown(1), { client_id: 'me' });
    await client.end(next['prompt_id']);
    expect(
      entryOf((await server.get(`/history/${next['prompt_id']}`)).json, String(next['prompt_id'])).status,
    ).toMatchObject({
      status_str: 'success',
    });
  }
  expect(server.output()).toContain('thrown where nobody catches it');
});

test('refuses what it cannot be, with a code, and leaves nothing open', async () => {
  const base = newFolder();
  const { runtime } = await serve({ base, store: join(base, 'store') });
  const file = join(base, 'file');
  writeFileSync(file, 'this is no database, and longer than its header would be '.repeat(10));
  const token = 'x'.repeat(32);
  for (const [options, code] of [
    [{ port: runtime.port }, 'serve/port-taken'],
    [{ store: join(base, 'store') }, 'serve/data-in-use'],
    [{ listen: ['192.0.2.1'], token }, 'serve/cannot-listen'],
    [{ listen: ['0.0.0.0'] }, 'serve/exposed'],
    [{ listen: ['127.0.0.1', '::'] }, 'serve/exposed'],
    [{ token: 'short' }, 'option/invalid'],
    [{ token: `${token} ${token}` }, 'option/invalid'],
    [{ store: file }, 'serve/store-unusable'],
    [{ models: [join(base, 'missing')] }, 'models/not-a-folder'],
    [{ nodes: [join(base, 'missing')] }, 'nodes/unloadable'],
    [{ frontEndRoot: base }, 'option/invalid'],
    [{ allowedHosts: ['http://name'] }, 'option/invalid'],
  ] as const) {
    const refused = { code, message: expect.not.stringContaining(token) };
    await expect(serve(options), JSON.stringify(options)).rejects.toMatchObject(refused);
  }
});

test('ends with the statuses of the command', async () => {
  const base = newFolder();
  const file = join(base, 'token');
  writeFileSync(file, 'x'.repeat(32));
  for (const [args, status, says] of [
    [['--listen', '0.0.0.0'], 1, 'serve/exposed'],
    [['--store', file], 3, 'serve/store-unusable'],
    [['--token', 'x'.repeat(32), '--token-file', file], 2, 'option/conflict'],
    [['--token-file', join(base, 'missing')], 3, 'file/unreadable'],
    [['--cache', 'lru'], 2, 'expected classic'],
  ] as const) {
    const ended = await startServer(base, ...args).catch((error: unknown) => error);
    expect(ended).toBeInstanceOf(EndedEarly);
    expect(ended).toMatchObject({ status, message: expect.stringContaining(says) });
  }
});

test('takes its token from a file, and asks every request for it', async () => {
  const base = newFolder();
  const token = 'correct-horse-battery-staple';
  writeFileSync(join(base, 'token'), `${token}\n`);
  const server = await startServer(base, '--token-file', join(base, 'token'));
  expect((await server.get('/queue')).status).toBe(401);
  await expect(server.connect('me')).rejects.toThrow('401');
  const asked = await fetch(`${server.url}/queue`, { headers: { Authorization: `Bearer ${token}` } });
  expect(asked.status).toBe(200);
  expect(server.output()).not.toContain(token);
});
