import {
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { makeFolders, removeFolders, serveFiles, type TestFolders, type TestServer } from './file-server.ts';

let folders: TestFolders;
let server: TestServer;
let home = '';
beforeEach(async () => {
  folders = makeFolders();
  home = join(folders.user, 'default');
  mkdirSync(join(home, 'workflows', 'sub'), { recursive: true });
  put('workflows/w.json', '{}');
  put('workflows/sub/v.json', '{"a":1}');
  put('user.css', 'a{}');
  put('x.html', '<script>');
  put('.hid', 'h');
  writeFileSync(join(folders.outside, 'secret.txt'), 'secret');
  symlinkSync(folders.outside, join(home, 'out'));
  symlinkSync(join(folders.outside, 'secret.txt'), join(home, 'link.txt'));
  server = await serveFiles(folders);
});
afterEach(async () => {
  await server.close();
  removeFolders(folders);
});

const put = (path: string, text: string): void => writeFileSync(join(home, path), text);
const read = (path: string): string => readFileSync(join(home, path), 'utf8');
const ask = (path: string, method = 'GET', body?: string | Uint8Array) =>
  server.ask(`/userdata${path}`, { method, ...(body !== undefined && { body }) });

/** Codes, texts and shapes as recorded from ComfyUI 0.8.0 (618b803d); "ours" where a comment says so. */
describe('lists', () => {
  test.each([
    ['?dir=workflows', ['w.json']],
    ['?dir=workflows/', ['w.json']],
    ['?dir=workflows&recurse=true', ['sub/v.json', 'w.json']],
    [
      '?dir=workflows&recurse=true&split=true',
      [
        ['sub/v.json', 'sub', 'v.json'],
        ['w.json', 'w.json'],
      ],
    ],
    ['?dir=.', ['user.css', 'x.html']],
    ['?dir=.&recurse=TRUE', ['user.css', 'workflows/sub/v.json', 'workflows/w.json', 'x.html']],
    ['?dir=user.css', []],
  ])('%s', async (query, expected) => {
    const answer = await ask(query);
    expect(answer.headers['content-type']).toBe('application/json; charset=utf-8');
    expect(answer.json()).toEqual(expected);
  });

  test('with all that is known', async () => {
    const time = expect.closeTo(Date.now() / 1000, -2);
    expect((await ask('?dir=workflows&full_info=true&split=true')).json()).toEqual([
      { path: 'w.json', size: 2, modified: time, created: time },
    ]);
  });

  test.each([
    ['', 400, 'Directory not provided'],
    ['?dir=', 400, 'Directory not provided'],
    ['?dir=zz', 404, 'Directory not found'],
    ['?dir=..', 403, 'Invalid directory'],
    ['?dir=../..', 403, 'Invalid directory'],
    ['?dir=%2e%2e%2f', 403, 'Invalid directory'],
    ['?dir=/etc', 403, 'Invalid directory'],
    // Ours: decoded once, a doubly encoded path is a name like any other; links that lead out, backslashes, NUL.
    ['?dir=%252e%252e', 404, 'Directory not found'],
    ['?dir=..%5C', 403, 'Invalid directory'],
    ['?dir=workflows/../workflows', 403, 'Invalid directory'],
    ['?dir=out', 403, 'Invalid directory'],
    ['?dir=a%00', 400, 'Invalid directory'],
  ])('%s is %i', async (query, status, text) => {
    const answer = await ask(query);
    expect([answer.status, answer.text]).toEqual([status, text]);
  });

  test('of the second kind: folders first, paths from the top', async () => {
    const v2 = async (query: string) => (await server.ask(`/v2/userdata${query}`)).json();
    const time = expect.any(Number);
    expect(await v2('?path=workflows')).toEqual([
      { name: 'sub', path: 'workflows/sub', type: 'directory' },
      { name: 'v.json', path: 'workflows/sub/v.json', type: 'file', size: 7, modified: time },
      { name: 'w.json', path: 'workflows/w.json', type: 'file', size: 2, modified: time },
    ]);
    const all = (await v2('')) as { path: string }[];
    expect(all.map(({ path }) => path)).toEqual([
      'workflows/sub',
      'workflows',
      '.hid',
      'user.css',
      'workflows/sub/v.json',
      'workflows/w.json',
      'x.html',
    ]);
    expect(await v2('?path=.')).toEqual(all);
  });

  test.each([
    ['zz', 404, 'Requested path not found'],
    ['user.css', 400, 'Requested path is not a directory'],
    ['..', 400, 'Invalid path requested'],
    ['/etc', 400, 'Invalid path requested'],
    ['out', 400, 'Invalid path requested'],
    ['%252e%252e', 404, 'Requested path not found'],
  ])('of the second kind: %s is %i', async (path, status, text) => {
    const answer = await server.ask(`/v2/userdata?path=${path}`);
    expect([answer.status, answer.text]).toEqual([status, text]);
  });

  test('what was not finished is not listed', async () => {
    put('.lineage-tmp-1', 'half');
    expect((await server.ask('/v2/userdata')).text).not.toContain('lineage-tmp');
  });
});

describe('files', () => {
  test.each([
    ['workflows%2Fw.json', 'application/json', '{}'],
    ['user.css', 'text/css', 'a{}'],
    ['.hid', 'application/octet-stream', 'h'],
    // Ours, as newer ComfyUI: a page is downloaded (CVE-2026-56672).
    ['x.html', 'application/octet-stream', '<script>'],
  ])('%s is read as %s', async (file, type, text) => {
    const answer = await ask(`/${file}`);
    expect([answer.status, answer.headers['content-type'], answer.text]).toEqual([200, type, text]);
    expect(answer.headers['content-security-policy']).toContain('sandbox');
  });

  test('a page under the name of a picture, a script, an SVG: all are downloaded', async () => {
    for (const name of ['p.png', 'p.js', 'p.svg', 'p.xml', 'p.htm']) {
      put(name, '<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>');
      const { headers } = await ask(`/${name}`);
      expect(headers['content-type'], name).toBe('application/octet-stream');
      expect(headers['content-disposition'], name).toMatch(/^attachment/);
    }
  });

  test('are written whole, replaced, described', async () => {
    expect((await ask('/new.json', 'POST', '{"x":1}')).text).toBe('"new.json"');
    expect((await ask('/new.json', 'POST', '{"x":2}')).text).toBe('"new.json"');
    expect(read('new.json')).toBe('{"x":2}');
    const full = await ask('/f%2Fg%20%C3%BC.json?full_info=true', 'POST', '12345');
    const time = expect.any(Number);
    expect(full.json()).toEqual({ path: 'f/g ü.json', size: 5, modified: time, created: time });
    expect((await ask('/e.json', 'POST')).text).toBe('"e.json"');
    expect(read('e.json')).toBe('');
    const bytes = Buffer.from([0, 255, 10, 13]);
    await ask('/b.bin', 'POST', bytes);
    expect(readFileSync(join(home, 'b.bin'))).toEqual(bytes);
  });

  test('are not replaced when the client says so, nor by two at once', async () => {
    const taken = await ask('/user.css?overwrite=false', 'POST', 'x');
    expect([taken.status, taken.text]).toEqual([409, 'File already exists']);
    expect(read('user.css')).toBe('a{}');
    const answers = await Promise.all(
      ['p', 'q', 'r'].map((text) => ask('/once.json?overwrite=false', 'POST', text)),
    );
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 409, 409]);
    expect(read('once.json')).toBe(['p', 'q', 'r'][answers.findIndex(({ status }) => status === 200)]);
  });

  test('are moved', async () => {
    expect((await ask('/workflows%2Fw.json/move/k%2Fl.json', 'POST')).text).toBe('"k/l.json"');
    expect([existsSync(join(home, 'workflows/w.json')), read('k/l.json')]).toEqual([false, '{}']);
    const time = expect.any(Number);
    expect((await ask('/k%2Fl.json/move/m.json?full_info=true', 'POST')).json()).toEqual({
      path: 'm.json',
      size: 2,
      modified: time,
      created: time,
    });
    const taken = await ask('/m.json/move/user.css?overwrite=false', 'POST');
    expect([taken.status, taken.text]).toEqual([409, 'File already exists']);
    expect([read('m.json'), read('user.css')]).toEqual(['{}', 'a{}']);
    expect((await ask('/m.json/move/user.css', 'POST')).status).toBe(200);
    expect(read('user.css')).toBe('{}');
    expect((await ask('/workflows/move/flows', 'POST')).text).toBe('"flows"');
    expect(read('flows/sub/v.json')).toBe('{"a":1}');
    expect((await ask('/zz/move/yy', 'POST')).status).toBe(404);
  });

  test('are moved by several at once to one name: one gets it, the others keep theirs', async () => {
    const names = Array.from({ length: 20 }, (_, i) => `m${i}.json`);
    for (const name of names) put(name, name);
    const answers = await Promise.all(
      names.map((name) => ask(`/${name}/move/one.json?overwrite=false`, 'POST')),
    );
    const moved = names.filter((_, i) => answers[i]?.status === 200);
    expect(moved).toHaveLength(1);
    expect(read('one.json')).toBe(moved[0]);
    expect(names.filter((name) => existsSync(join(home, name)))).toHaveLength(19);
  });

  test('are deleted', async () => {
    const answer = await ask('/user.css', 'DELETE');
    expect([answer.status, answer.text]).toEqual([204, '']);
    expect((await ask('/user.css', 'DELETE')).status).toBe(404);
  });

  test('that are links are moved and deleted themselves', async () => {
    put('real.txt', 'real');
    symlinkSync('real.txt', join(home, 'alias.txt'));
    await ask('/alias.txt/move/other.txt', 'POST');
    expect(lstatSync(join(home, 'other.txt')).isSymbolicLink()).toBe(true);
    expect((await ask('/other.txt', 'DELETE')).status).toBe(204);
    expect(read('real.txt')).toBe('real');
  });

  test('that are folders: neither read nor written nor deleted', async () => {
    expect((await ask('/workflows')).status).toBe(404);
    expect((await ask('/workflows', 'POST', 'x')).status).toBe(400);
    expect((await ask('/workflows', 'DELETE')).status).toBe(400);
    expect((await ask('/user.css/move/workflows', 'POST')).status).toBe(400);
    expect((await ask('/user.css%2Fx', 'POST', 'x')).status).toBe(400);
    expect((await ask('/workflows/move/workflows%2Fsub%2Fx', 'POST')).status).toBe(400);
    expect(read('workflows/w.json')).toBe('{}');
  });

  test('over the limit are refused, said or not, and leave nothing', async () => {
    const body = Buffer.alloc(1024 * 1024 + 1);
    expect((await ask('/big', 'POST', body)).status).toBe(413);
    const headers = { 'transfer-encoding': 'chunked' };
    expect((await server.ask('/userdata/big', { method: 'POST', headers, body })).status).toBe(413);
    expect(readdirSync(home).sort()).toEqual(['.hid', 'link.txt', 'out', 'user.css', 'workflows', 'x.html']);
  });
});

describe('no path leads out', () => {
  const OUT = [
    '..%2Fevil',
    '..%2F..%2F..%2Foutside%2Fsecret.txt',
    '%2e%2e%2f%2e%2e%2fevil',
    '%2Fetc%2Fpasswd',
    '..',
    '..%5C..%5Cevil',
    'workflows%2F..%2F..%2Fevil',
    'out%2Fsecret.txt',
    'C:%5Cevil',
    'C:%2Fevil',
    '%5C%5Chost%5Cshare',
    '..%20%2Fevil',
    '.%2E%2Fevil',
  ];
  test.each(OUT)('%s', async (path) => {
    for (const [url, method] of [
      [`/${path}`, 'GET'],
      [`/${path}`, 'POST'],
      [`/${path}`, 'DELETE'],
      [`/${path}/move/x`, 'POST'],
      [`/user.css/move/${path}`, 'POST'],
    ] as const) {
      const answer = await ask(url, method, method === 'POST' ? 'evil' : undefined);
      expect([400, 403, 404], `${method} ${url}`).toContain(answer.status);
      expect(answer.text).not.toContain('secret');
    }
    expect(readdirSync(folders.outside)).toEqual(['secret.txt']);
    expect(readFileSync(join(folders.outside, 'secret.txt'), 'utf8')).toBe('secret');
    expect(readdirSync(folders.user)).toEqual(['default']);
    expect(readdirSync(folders.top).sort()).toEqual(['base', 'outside']);
  });

  test.each([
    'a%00',
    'a%0a',
    'a:b.json',
    'CON',
    'nul.json',
    'a.',
    'a%20',
    'a%5Cb',
    'a'.repeat(300),
    'a%2F'.repeat(40),
    '%2F.',
    '.',
  ])('%.20s is no name', async (name) => {
    const answer = await ask(`/${name}`, 'POST', 'x');
    expect([400, 403], name).toContain(answer.status);
    expect(readdirSync(home)).toHaveLength(6);
  });

  test('a doubly encoded path is a name, and not there', async () => {
    expect((await ask('/%252e%252e%252f%252e%252e%252fsecret.txt')).status).toBe(404);
  });

  test('a link that leads out is not read or written through, but may be deleted', async () => {
    expect((await ask('/link.txt')).status).toBe(403);
    expect((await ask('/link.txt', 'POST', 'x')).status).toBe(403);
    expect((await ask('/user.css/move/link.txt', 'POST')).status).toBe(403);
    expect((await ask('/link.txt', 'DELETE')).status).toBe(204);
    expect(readFileSync(join(folders.outside, 'secret.txt'), 'utf8')).toBe('secret');
  });

  test('__proto__ is a file like any other', async () => {
    expect((await ask('/__proto__', 'POST', 'x')).text).toBe('"__proto__"');
    expect(read('__proto__')).toBe('x');
  });
});
