import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { type Api, newFolder, serve } from './harness.ts';
import { startServer } from './process.ts';

type Node = { readonly class_type: string; readonly inputs: Readonly<Record<string, unknown>> };
type Graph = Readonly<Record<string, Node>>;
/** An entry of a history, as far as these tests look into it. */
type Entry = {
  readonly outputs: Readonly<Record<string, unknown>>;
  readonly status: {
    readonly status_str: string;
    readonly messages: readonly (readonly [string, Record<string, unknown>])[];
  };
};

const node = (class_type: string, inputs: Node['inputs']): Node => ({ class_type, inputs });
const show = (from: string): Node => node('PreviewAny', { source: [from, 0] });
const picture = node('EmptyImage', { width: 8, height: 8, batch_size: 1, color: 1 });
const flags = { case_insensitive: false, multiline: false, dotall: false };

/** A node whose output is doubled by as many others, and shown. */
function doubled(times: number, first: Node, double: (from: string) => Node): Graph {
  const graph: Record<string, Node> = { '0': first, shown: show(String(times)) };
  for (let i = 1; i <= times; i++) graph[i] = double(String(i - 1));
  return graph;
}

/** Runs a graph to its end. */
async function run(api: Api, graph: unknown, more: Readonly<Record<string, unknown>> = {}): Promise<Entry> {
  const client = await api.connect('me');
  const { prompt_id: id } = await api.queue(graph, { client_id: 'me', ...more });
  await client.end(id);
  const { json } = await api.get(`/history/${String(id)}`);
  client.socket.terminate();
  return (json as Record<string, Entry>)[String(id)]!;
}

function failureOf({ status }: Entry): string {
  const [, data] = status.messages.find(([event]) => event === 'execution_error') ?? [];
  return String(data?.['exception_message']);
}

describe('a workflow that asks for more than there is fails by one clear error, and the next one runs', () => {
  const billion = { number: node('PrimitiveInt', { value: 1_000_000_000 }) };
  test.each<readonly [string, Graph, string]>([
    [
      'linked sizes, which no limit of an input holds back',
      {
        ...billion,
        a: picture,
        b: node('ImageScale', {
          image: ['a', 0],
          upscale_method: 'lanczos',
          width: ['number', 0],
          height: 1,
          crop: 'disabled',
        }),
        shown: show('b'),
      },
      'image/too-large: expected sides of at most 131072 samples',
    ],
    [
      'a linked batch',
      {
        ...billion,
        a: node('EmptyImage', { ...picture.inputs, batch_size: ['number', 0] }),
        shown: show('a'),
      },
      'image/too-large: expected at most 65536 pictures',
    ],
    [
      'a picture of gigabytes',
      {
        a: node('EmptyImage', { width: 16384, height: 16384, batch_size: 4096, color: 0 }),
        shown: show('a'),
      },
      'image/too-large',
    ],
    [
      'batches that double',
      doubled(30, picture, (from) => node('ImageBatch', { image1: [from, 0], image2: [from, 0] })),
      'image/too-large: expected at most 65536 pictures, got 131072',
    ],
    [
      'batches of batches, laid in one list',
      {
        a: node('EmptyImage', { ...picture.inputs, batch_size: 4096 }),
        b: node('RebatchImages', { images: ['a', 0], batch_size: 1 }),
        c: node('RepeatImageBatch', { image: ['b', 0], amount: 32 }),
        d: node('RebatchImages', { images: ['c', 0], batch_size: 1 }),
        shown: show('d'),
      },
      'image/too-large: expected at most 65536 pictures, got 131072',
    ],
    [
      'texts that double',
      doubled(40, node('PrimitiveString', { value: 'x'.repeat(1000) }), (from) =>
        node('StringConcatenate', { string_a: [from, 0], string_b: [from, 0], delimiter: '' }),
      ),
      'builtin/too-long',
    ],
    [
      'replacements that double',
      doubled(40, node('PrimitiveString', { value: 'x'.repeat(1000) }), (from) =>
        node('StringReplace', { string: [from, 0], find: 'x', replace: 'xx' }),
      ),
      'builtin/too-long',
    ],
    [
      'a replacement between all characters',
      {
        a: node('StringReplace', { string: 'x'.repeat(100_000), find: '', replace: 'y'.repeat(100_000) }),
        shown: show('a'),
      },
      'builtin/too-long',
    ],
    [
      'a pattern whose findings overlap',
      {
        a: node('RegexExtract', {
          string: 'x'.repeat(100_000),
          regex_pattern: '(?=(.*))',
          mode: 'All Groups',
          ...flags,
          group_index: 1,
        }),
        shown: show('a'),
      },
      'builtin/too-long',
    ],
  ])('%s', async (_what, graph, expected) => {
    const api = await serve();
    const entry = await run(api, graph);
    expect(entry.status.status_str).toBe('error');
    expect(failureOf(entry)).toContain(expected);
    // What the error says of the inputs stays short, however long they are.
    expect(JSON.stringify(entry.status).length).toBeLessThan(200_000);
    expect((await run(api, { a: picture, shown: show('a') })).status.status_str).toBe('success');
  });
});

test('an interrupt ends a kernel, so that the next prompt need not wait for it', async () => {
  const api = await serve();
  const client = await api.connect('me');
  const hopeless = {
    a: node('RegexMatch', { string: `${'a'.repeat(60)}!`, regex_pattern: '^(a+)+$', ...flags }),
    shown: show('a'),
  };
  const { prompt_id: id } = await api.queue(hopeless, { client_id: 'me' });
  await client.until(({ type, data }) => type === 'executing' && data['node'] === 'a');
  await api.post('/interrupt', {});
  await client.end(id);
  const began = performance.now();
  const regex = node('RegexMatch', { string: 'a', regex_pattern: 'a', ...flags });
  expect((await run(api, { a: regex, shown: show('a') })).status.status_str).toBe('success');
  // The hopeless one would have kept the only thread of a small machine for 5 s.
  expect(performance.now() - began).toBeLessThan(4_000);
});

test('a list of thousands leaves the server its turns, and hears an interrupt', async () => {
  const api = await serve();
  const client = await api.connect('me');
  const graph = {
    a: node('EmptyImage', { ...picture.inputs, batch_size: 4096 }),
    b: node('RebatchImages', { images: ['a', 0], batch_size: 1 }),
    size: node('GetImageSize', { image: ['b', 0] }),
    // Each of 4096 calls takes some ten milliseconds.
    cut: node('StringSubstring', { string: 'x'.repeat(400_000), start: 0, end: ['size', 0] }),
    shown: show('cut'),
  };
  const { prompt_id: id } = await api.queue(graph, { client_id: 'me' });
  await client.until(({ type, data }) => type === 'executing' && data['node'] === 'cut');
  const began = performance.now();
  await api.post('/interrupt', {});
  await client.end(id);
  expect(performance.now() - began).toBeLessThan(2_000);
  const { text } = await api.get(`/history/${String(id)}`);
  expect(text).toContain('execution_interrupted');
});

describe('no name of a workflow leads out of the folders', () => {
  test.each([
    '../secret.png',
    '../secret.png [input]',
    '../input/../secret.png [output]',
    '..\\secret.png [temp]',
    '/etc/passwd [output]',
    'C:\\secret.png',
    'a/../../secret.png',
    '%2e%2e/secret.png',
    'link/secret.png',
    'secret.png\u0000.png',
    'CON.png',
    'secret.png::$DATA',
  ])('LoadImage of %j', async (image) => {
    const base = newFolder();
    mkdirSync(join(base, 'input'));
    writeFileSync(join(base, 'secret.png'), 'secret');
    const api = await serve({ base });
    const graph = { a: node('LoadImage', { image }), shown: show('a') };
    const refused = await api.post('/prompt', { prompt: graph });
    expect(refused.status).toBe(400);
    expect(refused.text).toContain('custom_validation_failed');
    // A linked name is only known when the node runs.
    const linked = {
      name: node('PrimitiveString', { value: image }),
      a: node('LoadImage', { image: ['name', 0] }),
      shown: show('a'),
    };
    const posted = await api.post('/prompt', { prompt: linked });
    if (posted.status === 200) expect((await run(api, linked)).status.status_str).toBe('error');
  });

  test.each(['../out', '/tmp/out', 'a/../../out', 'C:/out', '..\\out', '. ./../out'])(
    'SaveImage to %j',
    async (prefix) => {
      const base = newFolder();
      const api = await serve({ base });
      const graph = {
        a: picture,
        save: node('SaveImage', { images: ['a', 0], filename_prefix: prefix }),
      };
      expect(failureOf(await run(api, graph))).toContain('output/outside');
      expect(readdirSync(base).sort()).toEqual(['input', 'output', 'temp', 'user']);
      expect(readdirSync(join(base, 'output'))).toEqual([]);
    },
  );

  test('names that shells, terminals and Windows take for more are only names', async () => {
    const base = newFolder();
    const api = await serve({ base });
    for (const prefix of [
      '$(touch pwned)',
      '`touch pwned`;|&',
      'con',
      'a\u0000b',
      '🙂 ünïcode',
      'a:b',
      '-rf',
    ]) {
      const graph = { a: picture, save: node('SaveImage', { images: ['a', 0], filename_prefix: prefix }) };
      expect((await run(api, graph)).status.status_str, prefix).toBe('success');
    }
    expect(existsSync('pwned')).toBe(false);
    const names = readdirSync(join(base, 'output'));
    expect(names).toHaveLength(7);
    for (const name of names) expect(name).not.toMatch(/[:|\p{Cc}\\]|^con[_.]/u);
  });
});

test('secrets are neither in pictures, history and jobs, nor in the log or what the server says of itself', async () => {
  const base = newFolder();
  const token = 'TOKEN-0123456789abcdef';
  const server = await startServer(base, '--token', token, '--verbose');
  const headers = { 'Content-Type': 'application/json', Authorization: `Bearer ${token}` };
  const ask = async (path: string, body?: unknown): Promise<string> => {
    const init = body === undefined ? { headers } : { headers, method: 'POST', body: JSON.stringify(body) };
    const response = await fetch(server.url + path, init);
    return await response.text();
  };
  const prompt = {
    a: picture,
    save: node('SaveImage', { images: ['a', 0], filename_prefix: 'x' }),
    wrong: node('LoadImage', { image: 'none.png' }),
    shown: show('wrong'),
  };
  const extra_data = { api_key_comfy_org: 'SECRET-1', auth_token_comfy_org: 'SECRET-2' };
  await ask('/prompt', { prompt, extra_data, prompt_id: 'p' });
  await expect.poll(() => ask('/history/p')).toContain('x_00001_.png');
  const said = await Promise.all(
    ['/history', '/queue', '/api/jobs', '/api/jobs/p', '/system_stats', '/internal/logs/raw'].map((path) =>
      ask(path),
    ),
  );
  const files = [
    join(base, 'output', 'x_00001_.png'),
    ...readdirSync(join(base, 'user', '__lineage')).map((name) => join(base, 'user', '__lineage', name)),
  ].map((path) => readFileSync(path, 'latin1'));
  for (const text of [...said, ...files, server.output()]) {
    expect(text).not.toMatch(/SECRET-|TOKEN-/);
  }
});
