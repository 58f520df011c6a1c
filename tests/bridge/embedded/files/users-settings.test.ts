import { existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { makeFolders, removeFolders, serveFiles, type TestFolders, type TestServer } from './file-server.ts';

let folders: TestFolders;
let server: TestServer & { readonly logged: readonly string[] };
let file = '';
beforeEach(async () => {
  folders = makeFolders();
  file = join(folders.user, 'default', 'comfy.settings.json');
  server = await serveFiles(folders);
});
afterEach(async () => {
  await server.close();
  removeFolders(folders);
});

const get = (path: string, headers: Readonly<Record<string, string>> = {}) => server.ask(path, { headers });
const post = (path: string, body: string, headers: Readonly<Record<string, string>> = {}) =>
  server.ask(path, { method: 'POST', headers: { 'content-type': 'application/json', ...headers }, body });

/** Codes and shapes as recorded from ComfyUI 0.8.0 (618b803d). */
describe('settings', () => {
  test('are kept in the file and the words of ComfyUI, numbers as they were sent', async () => {
    expect((await get('/settings')).text).toBe('{}');
    expect((await get('/settings/x.y')).text).toBe('null');
    const answer = await post('/settings', '{"a":1.0,"b":18446744073709551615,"c":{"d":[1,null]}}');
    expect([answer.status, answer.text]).toEqual([200, '']);
    expect((await post('/settings/x.y', '"v"')).status).toBe(200);
    expect((await post('/api/settings/a%2Fb', '1')).status).toBe(200);
    expect((await get('/settings/x.y')).text).toBe('"v"');
    expect((await get('/api/settings/a%2Fb')).text).toBe('1');
    expect((await get('/settings')).text).toBe(
      '{"a":1.0,"b":18446744073709551615,"c":{"d":[1,null]},"x.y":"v","a/b":1}',
    );
    // Python's json.dumps(…, indent=4) of the same.
    expect(readFileSync(file, 'utf8')).toBe(
      '{\n    "a": 1.0,\n    "b": 18446744073709551615,\n    "c": {\n        "d": [\n            1,\n            null\n' +
        '        ]\n    },\n    "x.y": "v",\n    "a/b": 1\n}',
    );
  });

  test('many at once are all kept', async () => {
    const ids = Array.from({ length: 50 }, (_, i) => `s${i}`);
    await Promise.all(ids.map((id) => post(`/settings/${id}`, '1')));
    expect(Object.keys((await get('/settings')).json() as object).sort()).toEqual(ids.sort());
    expect(readdirSync(join(folders.user, 'default'))).toEqual(['comfy.settings.json']);
  });

  /** 0.8 answers 500 to what is no JSON, and keeps __proto__ and NaN. */
  test.each([
    ['/settings', '[1]'],
    ['/settings', '"x"'],
    ['/settings', '{'],
    ['/settings/x', ''],
    ['/settings/x', 'NaN'],
    ['/settings/__proto__', '{"polluted":1}'],
    ['/settings', '{"__proto__":{"polluted":1}}'],
    ['/settings/x', '{"a":{"__proto__":1}}'],
  ])('%s %s is 400 and changes nothing', async (path, body) => {
    const answer = await post(path, body);
    expect([answer.status, answer.text]).toEqual([400, '']);
    expect(existsSync(file)).toBe(false);
    expect(Object.hasOwn(Object.prototype, 'polluted')).toBe(false);
  });

  test('words of the prototype are no settings', async () => {
    for (const id of ['__proto__', 'constructor', 'toString', 'hasOwnProperty'])
      expect((await get(`/settings/${id}`)).text).toBe('null');
    await post('/settings/constructor', '"c"');
    expect((await get('/settings/constructor')).text).toBe('"c"');
  });

  test('together do not grow without end', async () => {
    const big = JSON.stringify('x'.repeat(3_000_000));
    expect((await post('/settings/a', big)).status).toBe(200);
    expect((await post('/settings/b', big)).status).toBe(200);
    expect((await post('/settings/c', big)).status).toBe(413);
    expect(Object.keys((await get('/settings')).json() as object)).toEqual(['a', 'b']);
  });

  test('in a damaged file are none, and the file is kept beside the new one', async () => {
    mkdirSync(join(folders.user, 'default'));
    writeFileSync(file, '{"a": 1,');
    expect((await get('/settings')).text).toBe('{}');
    expect(server.logged.join()).toContain('comfy.settings.json is damaged');
    await post('/settings/b', '2');
    expect(JSON.parse(readFileSync(file, 'utf8'))).toEqual({ b: 2 });
    const aside = join(folders.user, 'default', 'comfy.settings.damaged-1.json');
    expect(readFileSync(aside, 'utf8')).toBe('{"a": 1,');
  });

  test('are not written through a link that leads out', async () => {
    mkdirSync(join(folders.user, 'default'));
    writeFileSync(join(folders.outside, 'mine.json'), '{"mine":1}');
    symlinkSync(join(folders.outside, 'mine.json'), file);
    expect((await get('/settings')).status).toBe(403);
    expect((await post('/settings/a', '1')).status).toBe(403);
    expect(readFileSync(join(folders.outside, 'mine.json'), 'utf8')).toBe('{"mine":1}');
  });
});

describe('one user', () => {
  test('is migrated once something is kept; reading keeps nothing', async () => {
    expect((await get('/users')).json()).toEqual({ storage: 'server', migrated: false });
    for (const path of ['/settings', '/userdata?dir=workflows', '/v2/userdata', '/userdata/a%2Fb'])
      await get(path);
    expect(readdirSync(folders.user)).toEqual([]);
    expect((await get('/v2/userdata')).json()).toEqual([]);
    await post('/settings/a', '1');
    expect((await get('/users')).json()).toEqual({ storage: 'server', migrated: true });
  });

  test('is who everybody is, whatever the header says', async () => {
    await post('/settings/a', '1', { 'comfy-user': '../outside' });
    expect(readdirSync(folders.user)).toEqual(['default']);
  });

  test.each([
    ['{"username":"joe"}', 200, /^"joe_[0-9a-f-]{36}"$/],
    ['{"username":"default"}', 400, /^{"error":"Duplicate username."}$/],
    ['{"username":"  "}', 400, /^{"error":"username not provided"}$/],
    ['{"username":"__x"}', 400, /^{"error":"System User prefix not allowed"}$/],
    [`{"username":"${'x'.repeat(101)}"}`, 400, /^{"error":".+"}$/],
    // 0.8 answers 500 to these.
    ['{}', 400, /^$/],
    ['{"username":1}', 400, /^$/],
    ['[]', 400, /^$/],
  ])('POST /users %.40s is %i', async (body, status, text) => {
    const answer = await post('/users', body);
    expect(answer.status).toBe(status);
    expect(answer.text).toMatch(text);
  });
});

describe('several users', () => {
  let joe = '';
  beforeEach(async () => {
    await server.close();
    server = await serveFiles(folders, { multiUser: true });
    joe = (await post('/users', '{"username":"Joe & Co/../x"}')).json() as string;
  });

  test('are listed by ids that are plain names', async () => {
    expect(joe).toMatch(/^Joe-Co-x_[0-9a-f-]{36}$/);
    expect((await get('/users')).json()).toEqual({ storage: 'server', users: { [joe]: 'Joe & Co/../x' } });
    expect((await post('/users', '{"username":"Joe & Co/../x"}')).json()).toEqual({
      error: 'Duplicate username.',
    });
    expect(JSON.parse(readFileSync(join(folders.user, 'users.json'), 'utf8'))).toEqual({
      [joe]: 'Joe & Co/../x',
    });
  });

  test('keep apart', async () => {
    const zoe = (await post('/users', '{"username":"Zoe"}')).json() as string;
    await post('/settings/a', '1', { 'comfy-user': joe });
    await post('/userdata/f', 'joe', { 'comfy-user': joe });
    expect((await get('/settings', { 'comfy-user': joe })).text).toBe('{"a":1}');
    expect((await get('/settings', { 'comfy-user': zoe })).text).toBe('{}');
    expect((await get('/userdata/f', { 'comfy-user': zoe })).status).toBe(404);
    const path = `/userdata/..%2F${joe}%2Ff`;
    expect((await get(path, { 'comfy-user': zoe })).status).toBe(403);
  });

  /** ComfyUI 618b803d tests-unit/prompt_server_test/system_user_endpoint_test.py asks for 400, 403 or 500. */
  test.each(['__system', '__proto__', '../outside', '..', '', 'nobody', 'constructor', 'default'])(
    'there is no %j',
    async (id) => {
      mkdirSync(join(folders.user, '__system'), { recursive: true });
      writeFileSync(join(folders.user, '__system', 'secret.txt'), 'secret');
      const header = { 'comfy-user': id };
      expect((await get('/settings', header)).status).toBe(401);
      expect((await post('/settings/a', '1', header)).status).toBe(401);
      for (const path of ['/userdata?dir=.', '/v2/userdata', '/userdata/secret.txt']) {
        const answer = await get(path, header);
        expect(answer.status, path).toBe(403);
        expect(answer.text).not.toContain('secret');
      }
      expect((await post('/userdata/x', 'x', header)).status).toBe(403);
      expect((await post('/userdata/secret.txt/move/x', '', header)).status).toBe(403);
      const gone = await server.ask('/userdata/secret.txt', { method: 'DELETE', headers: header });
      expect(gone.status).toBe(403);
      expect(readFileSync(join(folders.user, '__system', 'secret.txt'), 'utf8')).toBe('secret');
    },
  );

  test('a damaged list is not replaced by one of a single user', async () => {
    writeFileSync(join(folders.user, 'users.json'), '{"x": "y"');
    expect((await post('/users', '{"username":"Zoe"}')).status).toBe(500);
    expect(readFileSync(join(folders.user, 'users.json'), 'utf8')).toBe('{"x": "y"');
  });

  test('an id in the list that is no plain name opens nothing', async () => {
    writeFileSync(join(folders.user, 'users.json'), JSON.stringify({ '../../outside': 'evil', __x: 'sys' }));
    expect((await get('/settings', { 'comfy-user': '../../outside' })).status).toBe(401);
    expect((await get('/settings', { 'comfy-user': '__x' })).status).toBe(401);
  });
});
