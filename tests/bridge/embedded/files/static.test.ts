import { mkdirSync, readdirSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { NodeTable } from '../../../../bridge/embedded/nodes/node-table.ts';
import { makeFolders, removeFolders, serveFiles, type TestServer } from './file-server.ts';

const folders = makeFolders();
const packRoot = join(folders.top, 'pack');
const frontEndRoot = join(folders.top, 'static');
let ours: TestServer & { readonly logged: readonly string[] };
let official: TestServer;

const nodes: NodeTable = new Map([
  [
    'LineageThing',
    {
      id: 'LineageThing',
      title: 'Thing | Two',
      category: 'lineage/test',
      description: 'Does a thing.',
      required: {
        image: { type: 'IMAGE', options: { tooltip: 'a\npicture' } },
        mode: { type: ['a', 'b'], options: {} },
      },
      outputs: [{ type: 'IMAGE', name: 'out' }],
      pythonModule: 'custom_nodes.lineage',
      run: () => ({}),
    },
  ],
]);

function put(path: string, text = 'x'): void {
  const file = join(folders.top, path);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, text);
}

beforeAll(async () => {
  put('pack/web/dist/page/index.html', '<title>ours</title>');
  put('pack/web/dist/page/assets/index-AbC_12-x.js', 'page()');
  put('pack/web/dist/comfyui/lineage.js', 'extend()');
  put('pack/web/dist/comfyui/parts/receipt.js', 'part()');
  put('pack/web/dist/comfyui/lineage.css', 'a{}');
  put('pack/locales/en/main.json', '{"hello":"Hello","nodeDefs":{"old":1}}');
  put('pack/locales/en/nodeDefs.json', '{"LineageThing":{"display_name":"Thing"}}');
  put('pack/locales/de/settings.json', '{"a":1}');
  put('pack/locales/xx/main.json', '{');
  put('pack/example_workflows/first.json', '{"nodes":[]}');
  put('pack/example_workflows/first.jpg', 'jpg');
  put('pack/subgraphs/two.json', '{"a":1.0}');
  put('static/index.html', '<title>official</title>');
  put('static/assets/index-azSeANjR.js', 'front()');
  put('static/assets/logo.png', 'png');
  put('static/scripts/app.js', 'app()');
  put('static/style.css', 'a{}');
  put('static/extensions/core/b.js', 'b()');
  put('static/extensions/core/a.js', 'a()');
  put('static/extensions/core/a.map', '{}');
  put('static/.secret', 'secret');
  put('outside/secret.txt', 'secret');
  ours = await serveFiles(folders, { packRoot, nodes });
  official = await serveFiles(folders, { packRoot, nodes, frontEndRoot });
});
afterAll(async () => {
  await ours.close();
  await official.close();
  removeFolders(folders);
});

describe('/', () => {
  test('is our own page, which runs nothing from elsewhere', async () => {
    const { status, headers, text } = await ours.ask('/');
    expect([status, text]).toEqual([200, '<title>ours</title>']);
    expect(headers['cache-control']).toBe('no-cache');
    expect(headers['content-security-policy']).toMatch(/^default-src 'self';.*frame-ancestors 'none'$/);
    expect(headers['content-security-policy']).not.toMatch(/script-src|unsafe-eval/);
    expect((await ours.ask('/index.html')).headers['content-security-policy']).toBe(
      headers['content-security-policy'],
    );
  });

  /** Headers as recorded from ComfyUI 0.8.0 (618b803d); it sends the policy with --disable-api-nodes. */
  test('is the official front end where it is given', async () => {
    const { status, headers, text } = await official.ask('/');
    expect([status, text]).toEqual([200, '<title>official</title>']);
    expect(headers).toMatchObject({ 'cache-control': 'no-cache', pragma: 'no-cache', expires: '0' });
    expect(headers['content-security-policy']).toMatch(/frame-ancestors 'self'$/);
  });

  test('says what to do where the page is not built', async () => {
    const none = await serveFiles(folders, { packRoot: join(folders.top, 'nowhere') });
    const answer = await none.ask('/');
    expect([answer.status, answer.headers['content-type']]).toEqual([404, 'text/plain; charset=utf-8']);
    expect(answer.text).toMatch(/not built.*npm ci/);
    await none.close();
  });
});

describe('files of the front end', () => {
  /** As ComfyUI 618b803d tests-unit/server_test/test_cache_control.py has them, but for hashed names, which stay. */
  test.each([
    ['/scripts/app.js', 'no-cache'],
    ['/style.css', 'no-cache'],
    ['/assets/logo.png', 'public, max-age=86400'],
    ['/assets/index-azSeANjR.js', 'public, max-age=31536000, immutable'],
    ['/index.html', undefined],
    ['/templates/index.json', 'no-cache'],
    ['/templates/index.zh-TW.json', 'no-cache'],
  ])('%s is kept: %s', async (path, kept) => {
    const { status, headers } = await official.ask(path);
    expect([status, headers['cache-control']]).toEqual([200, kept]);
  });

  test('are asked for anew for a few bytes', async () => {
    const { headers } = await official.ask('/scripts/app.js');
    const again = await official.ask('/scripts/app.js', {
      headers: { 'if-none-match': String(headers.etag) },
    });
    expect([again.status, again.text]).toEqual([304, '']);
  });

  test.each([
    '/zz',
    '/user.css',
    '/assets',
    '/assets/',
    '/scripts',
    '/.secret',
    '/../outside/secret.txt',
    '/%2e%2e/outside/secret.txt',
    '/..%2foutside%2fsecret.txt',
    '/%252e%252e/outside/secret.txt',
    '/..%5coutside%5csecret.txt',
    '//etc/passwd',
    '/assets/..%2f..%2foutside/secret.txt',
    '/a%00',
    '/templates/../index.json',
    '/templates/index.x/y.json',
    '/extensions/lineage/..%2f..%2f..%2f..%2foutside/secret.txt',
    '/api/',
    '/api/index.html',
  ])('%s is not there', async (path) => {
    const answer = await official.ask(path);
    expect([400, 403, 404]).toContain(answer.status);
    expect(answer.text).not.toContain('secret');
  });
});

describe('what the pack brings', () => {
  test('scripts are listed: those of the front end, then ours', async () => {
    const pack = ['/extensions/lineage/lineage.js', '/extensions/lineage/parts/receipt.js'];
    expect((await ours.ask('/extensions')).json()).toEqual(pack);
    const core = ['/extensions/core/a.js', '/extensions/core/b.js'];
    expect((await official.ask('/api/extensions')).json()).toEqual([...core, ...pack]);
    for (const path of pack) {
      const { status, headers } = await official.ask(path);
      expect([status, headers['cache-control']]).toEqual([200, 'no-cache']);
      expect(headers['content-type']).toMatch(/javascript/);
    }
  });

  test('translations, of each part under its name; a damaged file is told of', async () => {
    expect((await ours.ask('/i18n')).json()).toEqual({
      de: { settings: { a: 1 } },
      en: { hello: 'Hello', nodeDefs: { LineageThing: { display_name: 'Thing' } } },
    });
    expect(ours.logged.join()).toMatch(/error: .*xx.main\.json/);
  });

  test('example workflows with their pictures', async () => {
    expect((await ours.ask('/workflow_templates')).json()).toEqual({ lineage: ['first'] });
    expect((await ours.ask('/api/workflow_templates/lineage/first.json')).json()).toEqual({ nodes: [] });
    expect((await ours.ask('/api/workflow_templates/lineage/first.jpg')).text).toBe('jpg');
    expect(
      (await ours.ask('/api/workflow_templates/lineage/..%2f..%2foutside%2fsecret.txt')).status,
    ).not.toBe(200);
  });

  test('subgraphs: a list without, and one with its graph', async () => {
    const all = (await ours.ask('/global_subgraphs')).json() as Record<string, unknown>;
    const entry = { source: 'custom_node', name: 'two', info: { node_pack: 'custom_nodes.lineage' } };
    const [id = ''] = Object.keys(all);
    expect(all).toEqual({ [id]: entry });
    expect((await ours.ask(`/global_subgraphs/${id}`)).json()).toEqual({ ...entry, data: '{"a":1.0}' });
    expect((await ours.ask('/global_subgraphs/zz')).text).toBe('null');
    expect((await ours.ask('/global_subgraphs/__proto__')).text).toBe('null');
  });

  test('nothing, where nothing is packed', async () => {
    const none = await serveFiles(folders, { packRoot: join(folders.top, 'nowhere') });
    for (const path of ['/i18n', '/workflow_templates', '/global_subgraphs'])
      expect((await none.ask(path)).text, path).toBe('{}');
    expect((await none.ask('/extensions')).text).toBe('[]');
    await none.close();
  });

  test('help of each node', async () => {
    const page = await ours.ask('/docs/LineageThing/en.md');
    expect(page.headers['content-type']).toBe('text/markdown; charset=utf-8');
    expect(page.text).toBe(
      '# Thing | Two\n\nDoes a thing.\n\n## Inputs\n\n| name | type | |\n|---|---|---|\n| image | IMAGE | a picture |\n' +
        '| mode | COMBO |  |\n\n## Outputs\n\n| name | type | |\n|---|---|---|\n| out | IMAGE |  |\n',
    );
    for (const path of [
      '/extensions/lineage/docs/LineageThing.md',
      '/extensions/lineage/docs/LineageThing/de.md',
    ])
      expect((await ours.ask(path)).text, path).toBe(page.text);
    for (const path of ['/docs/Nobody/en.md', '/docs/LineageThing/en.html', '/docs/__proto__/en.md'])
      expect((await ours.ask(path)).status, path).toBe(404);
  });
});

/** As recorded from ComfyUI 0.8.0, which lists links that lead out as well, and has no /api form either. */
describe('files of the working folders', () => {
  test('newest first, hidden ones and folders left out', async () => {
    for (const [i, name] of ['old.png', 'new.png', '.hidden', 'middle.txt'].entries()) {
      put(`base/output/${name}`);
      utimesSync(join(folders.output, name), 100, [100, 300, 400, 200][i] ?? 0);
    }
    mkdirSync(join(folders.output, 'folder'));
    symlinkSync(join(folders.outside, 'secret.txt'), join(folders.output, 'link.txt'));
    expect((await ours.ask('/internal/files/output')).json()).toEqual(['new.png', 'middle.txt', 'old.png']);
    expect((await ours.ask('/internal/files/input')).json()).toEqual([]);
    expect(readdirSync(folders.input)).toEqual([]);
  });

  test.each(['zz', 'user', 'models', '__proto__', '..%2foutside'])('%s is none of them', async (type) => {
    const answer = await ours.ask(`/internal/files/${type}`);
    expect([answer.status, answer.text]).toEqual([400, '{"error":"Invalid directory type"}']);
  });

  test('there is no /api form', async () => {
    expect((await ours.ask('/api/internal/files/output')).status).toBe(404);
  });
});
