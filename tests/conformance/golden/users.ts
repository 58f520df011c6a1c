import { each } from './answers.ts';
import type { Stage } from './stage.ts';

/** Users, their settings and their files. */
export async function playUsers(stage: Stage): Promise<void> {
  await stage.http('GET /users', 'GET', '/users');
  await stage.http('POST /users: a name', 'POST', '/users', { json: { username: 'someone' } });
  await stage.http('POST /users: no name', 'POST', '/users', { json: {} });
  await stage.http('GET /settings: none', 'GET', '/settings');
  await stage.http('GET /settings/{id}: unknown', 'GET', '/settings/Golden.Unknown');
  await stage.http('POST /settings: two', 'POST', '/settings', {
    json: { 'Golden.A': 1, 'Golden.B': [true] },
  });
  await stage.http('POST /settings/{id}', 'POST', '/settings/Golden.C', { json: { deep: null } });
  await stage.http('POST /settings/{id}: no JSON', 'POST', '/settings/Golden.D', { body: 'x' });
  await stage.http('GET /settings: three', 'GET', '/settings');
  await stage.http('GET /settings/{id}: known', 'GET', '/settings/Golden.B');

  const file = async (name: string, method: string, path: string, body?: string): Promise<void> => {
    await stage.http(
      `${method} /userdata/${name}`,
      method,
      `/userdata/${path}`,
      body === undefined ? {} : { body },
    );
  };
  await file('{file}: new', 'POST', 'notes%2Fa.json', '{"a":1}');
  await file('{file}: replaced', 'POST', 'notes%2Fa.json', '{"a":2}');
  await file('{file}: not to replace', 'POST', 'notes%2Fa.json?overwrite=false', '{}');
  await file('{file}: in full', 'POST', 'notes%2Fb.txt?full_info=true', 'text of b');
  await file('{file}: without a folder', 'POST', 'c.html', '<b>c</b>');
  await file('{file}: outside', 'POST', '..%2F..%2Fd.txt', 'd');
  await file('{file}: rooted', 'POST', '%2Fd.txt', 'd');
  await file('{file}: there', 'GET', 'notes%2Fa.json');
  await file('{file}: a page', 'GET', 'c.html');
  await file('{file}: absent', 'GET', 'absent.txt');
  await file('{file}: outside', 'GET', '..%2F..%2Fd.txt');
  await file('{file}/move/{dest}', 'POST', 'notes%2Fb.txt/move/notes%2Fdeep%2Fe.txt');
  await file('{file}/move/{dest}: absent', 'POST', 'absent.txt/move/f.txt');
  await file('{file}/move/{dest}: not to replace', 'POST', 'c.html/move/notes%2Fa.json?overwrite=false');
  await file('{file}/move/{dest}: outside', 'POST', 'c.html/move/..%2F..%2Fg.txt');
  await file('{file}/move/{dest}: in full', 'POST', 'c.html/move/h.html?full_info=true');

  const LISTS: Readonly<Record<string, string>> = {
    'no folder': '',
    'a folder': '?dir=notes',
    'a folder and below': '?dir=notes&recurse=true',
    parted: '?dir=notes&recurse=true&split=true',
    'in full': '?dir=notes&full_info=true',
    'an absent folder': '?dir=absent',
    'a folder outside': '?dir=..%2F..',
  };
  for (const [name, query] of Object.entries(LISTS)) {
    await stage.http(`GET /userdata: ${name}`, 'GET', `/userdata${query}`);
  }
  await stage.http('GET /v2/userdata: all', 'GET', '/v2/userdata', { reduce: each });
  await stage.http('GET /v2/userdata: a folder', 'GET', '/v2/userdata?path=notes');
  await stage.http('GET /v2/userdata: a file', 'GET', '/v2/userdata?path=h.html');
  await stage.http('GET /v2/userdata: absent', 'GET', '/v2/userdata?path=absent');
  await stage.http('GET /v2/userdata: outside', 'GET', '/v2/userdata?path=..%2F..');
  await file('{file}: there', 'DELETE', 'h.html');
  await file('{file}: absent', 'DELETE', 'h.html');
  await file('{file}: outside', 'DELETE', '..%2F..%2Fd.txt');
}
