import type { IncomingMessage } from 'node:http';
import { request as httpRequest } from 'node:http';
import { connect } from 'node:net';
import express from 'express';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { checkHost } from '../../../../bridge/embedded/security/request-checks.ts';
import { checkUpgrade, securityMiddleware } from '../../../../bridge/embedded/security/security.ts';
import { type Answer, serve, type TestServer } from '../files/file-server.ts';

let server: TestServer;
let reached = 0;
beforeAll(async () => {
  const app = express.Router();
  app.use(securityMiddleware({ allowedHosts: ['lan.example', '192.168.1.7', '[fe80::1]'] }));
  app.use((_request, response) => {
    reached += 1;
    response.json({ ok: true });
  });
  server = await serve(app);
  server.server.on('upgrade', (request: IncomingMessage, socket) => {
    const answer = checkUpgrade(request, { allowedHosts: [] });
    socket.end(`HTTP/1.1 ${answer.ok ? 101 : answer.status} X\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n`);
  });
});
afterAll(() => server.close());

type Headers = Readonly<Record<string, string>>;

async function send(headers: Headers, method = 'POST', path = '/prompt'): Promise<Answer> {
  const before = reached;
  const body = method === 'POST' ? '{}' : undefined;
  const answer = await server.ask(path, { method, headers, ...(body !== undefined && { body }) });
  // What is refused reaches no route.
  expect(reached - before).toBe(answer.status === 200 && method !== 'OPTIONS' ? 1 : 0);
  return answer;
}

const json: Headers = { 'content-type': 'application/json' };
const here: Headers = { ...json, host: 'localhost:8188' };

describe('the Host is one of ours', () => {
  test.each([
    'localhost',
    'localhost:8188',
    'LOCALHOST:8188',
    'localhost.:8188',
    '127.0.0.1:8188',
    '[::1]:8188',
    'lan.example',
    'LAN.example:9',
    '192.168.1.7:8188',
    '[fe80::1]:8188',
  ])('%s', async (host) => {
    expect((await send({ ...json, host })).status).toBe(200);
  });

  test.each([
    // DNS rebinding: the page's own name, made to point here.
    'evil.com',
    'evil.com:8188',
    'localhost.evil.com',
    '127.0.0.1.evil.com',
    'evillocalhost',
    'localhost@evil.com',
    '0.0.0.0:8188',
    '127.0.0.2',
    '[::]',
    '192.168.1.70',
    'xlan.example',
    'localhost:8188:80',
    'localhost:port',
    'localhost..',
    'localhost/',
    ' ',
    'a b',
    '[::1',
    '::1',
  ])('not %j', async (host) => {
    const answer = await send({ ...json, host });
    expect([400, 403]).toContain(answer.status);
    const origin = await send({ ...json, host, origin: `http://${host.trim()}` });
    expect([400, 403]).toContain(origin.status);
    expect((await send({ host }, 'GET', '/')).status).toBe(answer.status);
  });

  test('no text but a listed name passes', () => {
    fc.assert(
      fc.property(fc.string(), (host) => {
        fc.pre(!/^(?:localhost|127\.0\.0\.1|\[::1\])\.?(?::\d{1,5})?$/i.test(host));
        expect(checkHost({ host }, [])).toBeDefined();
      }),
    );
  });
});

describe('one host, named once', () => {
  const raw = (lines: readonly string[]): Promise<string> =>
    new Promise((resolve, reject) => {
      const socket = connect(server.port, '127.0.0.1', () => socket.write(`${lines.join('\r\n')}\r\n\r\n`));
      let said = '';
      socket.on('data', (part) => {
        said += part.toString('latin1');
      });
      socket.on('error', reject);
      socket.on('close', () => resolve(said));
    });
  const end = 'Connection: close';

  test.each([
    [200, ['GET / HTTP/1.1', 'Host: localhost', end]],
    // Node takes the first, a proxy in front may take the other.
    [400, ['GET / HTTP/1.1', 'Host: localhost', 'Host: evil.com', end]],
    [400, ['GET / HTTP/1.1', 'Host: localhost', 'hOST: localhost', end]],
    [400, ['GET http://evil.com/ HTTP/1.1', 'Host: localhost', end]],
    [400, ['GET http://localhost/ HTTP/1.1', 'Host: localhost', end]],
    [400, ['GET / HTTP/1.1', end]],
    [400, ['GET / HTTP/1.0']],
    [400, ['POST / HTTP/1.1', 'Host: localhost', 'Transfer-Encoding : chunked', 'Content-Length: 2', end]],
    [400, ['POST / HTTP/1.1', 'Host: localhost', 'Content-Length: 2', 'Content-Length: 3', end]],
    [400, ['POST / HTTP/1.1', 'Host: localhost', 'Content-Length: +2', end]],
    [
      403,
      ['GET / HTTP/1.1', 'Host: localhost', 'Sec-Fetch-Site: same-origin', 'Sec-Fetch-Site: cross-site', end],
    ],
    [403, ['GET / HTTP/1.1', 'Host: localhost', 'Origin: http://localhost', 'Origin: http://evil.com', end]],
    [403, ['GET / HTTP/1.1', 'Host: 2130706433', end]],
    [403, ['GET / HTTP/1.1', 'Host: [::ffff:127.0.0.1]', end]],
  ] as const)('%i: %j', async (status, lines) => {
    const said = await raw(lines);
    expect(said.split(' ')[1]).toBe(String(status));
  });
});

describe('the Origin is that of the Host', () => {
  test.each([
    ['http://localhost:8188', 'localhost:8188'],
    ['HTTP://LocalHost:8188', 'localhost:8188'],
    ['http://127.0.0.1:8188', '127.0.0.1:8188'],
    ['http://[::1]:8188', '[::1]:8188'],
    ['http://localhost', 'localhost:80'],
    ['http://localhost:80', 'localhost'],
    ['https://lan.example', 'lan.example'],
    ['https://lan.example:443', 'lan.example'],
  ])('%s for %s', async (origin, host) => {
    expect((await send({ ...json, host, origin })).status).toBe(200);
  });

  test.each([
    // GHSA-5xxr-jvhm-jxmj: a sandboxed frame.
    'null',
    'NULL',
    '',
    'http://evil.com',
    'http://evil.com:8188',
    'http://localhost:3000',
    'http://localhost',
    'https://localhost',
    'http://127.0.0.1:8188',
    'http://localhost:8188.evil.com',
    'http://localhost:8188@evil.com',
    'http://localhost:8188/',
    'http://localhost:8188#',
    'file://',
    'chrome-extension://abc',
    'localhost:8188',
    'http://localhost:8188, http://evil.com',
    'http://localhost :8188',
    'http://sub.localhost:8188',
  ])('not %j', async (origin) => {
    expect((await send({ ...here, origin })).status).toBe(403);
    expect((await send({ ...here, origin }, 'GET', '/view')).status).toBe(403);
    expect((await send({ ...here, origin }, 'OPTIONS')).status).toBe(403);
  });
});

describe('pages of other sites', () => {
  const from = (site: string, more: Headers = {}): Headers => ({ ...here, 'sec-fetch-site': site, ...more });
  const link = { 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'document' };

  test('may link here, and nothing else', async () => {
    expect((await send(from('cross-site', link), 'GET', '/')).status).toBe(200);
    expect((await send(from('cross-site', link), 'POST')).status).toBe(403);
    expect((await send(from('cross-site'), 'GET', '/view')).status).toBe(403);
    const frame = { 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'iframe' };
    expect((await send(from('cross-site', frame), 'GET', '/')).status).toBe(403);
    const script = { 'sec-fetch-mode': 'no-cors', 'sec-fetch-dest': 'script' };
    expect((await send(from('cross-site', script), 'GET', '/object_info')).status).toBe(403);
    expect((await send(from('whatever'), 'GET', '/')).status).toBe(403);
  });

  test('of another port of this host may read what needs no CORS, and send nothing', async () => {
    expect((await send(from('same-site'), 'GET', '/view')).status).toBe(200);
    expect((await send(from('same-site'), 'POST')).status).toBe(403);
    expect((await send(from('same-site', { origin: 'http://localhost:3000' }))).status).toBe(403);
  });

  test('are not those of this one, nor is what a person types', async () => {
    expect((await send(from('same-origin'))).status).toBe(200);
    expect((await send(from('none'), 'GET', '/')).status).toBe(200);
  });

  test('get no CORS header, and OPTIONS says nothing', async () => {
    const answer = await send({ ...here, 'access-control-request-method': 'POST' }, 'OPTIONS');
    expect([answer.status, answer.text]).toEqual([200, '']);
    for (const { headers } of [answer, await send(here)]) {
      expect(Object.keys(headers).filter((name) => name.startsWith('access-control'))).toEqual([]);
      expect(headers).toMatchObject({
        'x-content-type-options': 'nosniff',
        'referrer-policy': 'same-origin',
        'cross-origin-resource-policy': 'same-origin',
        'x-frame-options': 'SAMEORIGIN',
      });
    }
  });
});

describe('bodies that a form could send', () => {
  const browser = { 'user-agent': 'Mozilla/5.0', host: 'localhost:8188' };
  const FORMS = ['text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data; boundary=x', ''];

  test.each(FORMS)('%j from a browser is no JSON', async (type) => {
    const headers = { ...browser, ...(type !== '' && { 'content-type': type }) };
    expect((await send(headers)).status).toBe(415);
    expect((await send({ ...headers, 'user-agent': 'x', cookie: 'a=b' })).status).toBe(415);
    expect((await send({ ...headers, 'user-agent': 'x', referer: 'http://localhost:8188/' })).status).toBe(
      415,
    );
  });

  test('the official front end posts settings as plain text, from our own origin', async () => {
    const own = { ...browser, 'content-type': 'text/plain;charset=UTF-8' };
    expect((await send({ ...own, origin: 'http://localhost:8188' }, 'POST', '/settings/a')).status).toBe(200);
    expect((await send({ ...own, 'sec-fetch-site': 'same-origin' }, 'POST', '/settings/a')).status).toBe(200);
    const form = { ...own, 'content-type': 'application/x-www-form-urlencoded' };
    expect((await send({ ...form, origin: 'http://localhost:8188' })).status).toBe(415);
  });

  test.each(FORMS)('%j from a program is taken, as ComfyUI examples and urllib send it', async (type) => {
    const headers = {
      host: 'localhost:8188',
      'user-agent': 'Python-urllib/3.11',
      ...(type !== '' && { 'content-type': type }),
    };
    expect((await send(headers)).status).toBe(200);
  });

  test('files go to the routes for files as what they are', async () => {
    const own = {
      ...browser,
      'sec-fetch-site': 'same-origin',
      'content-type': 'multipart/form-data; boundary=x',
    };
    for (const path of ['/upload/image', '/api/upload/mask', '/userdata/a', '/api/userdata/a']) {
      expect((await send(own, 'POST', path)).status, path).toBe(200);
    }
    for (const path of ['/upload', '/prompt/upload/', '/api/prompt', '/UPLOAD/image']) {
      expect((await send(own, 'POST', path)).status, path).toBe(415);
    }
  });

  test('a POST without a body needs no type', async () => {
    const before = reached;
    const answer = await server.ask('/interrupt', {
      method: 'POST',
      headers: { ...browser, 'content-length': '0' },
    });
    expect([answer.status, reached - before]).toEqual([200, 1]);
  });
});

describe('a WebSocket', () => {
  function upgrade(headers: Headers): Promise<number> {
    return new Promise((resolve, reject) => {
      const sent = httpRequest({
        host: '127.0.0.1',
        port: server.port,
        path: '/ws',
        headers: { connection: 'Upgrade', upgrade: 'websocket', ...headers },
      });
      sent.on('upgrade', (response, socket) => {
        socket.destroy();
        resolve(response.statusCode ?? 0);
      });
      sent.on('response', (response) => {
        response.resume();
        resolve(response.statusCode ?? 0);
      });
      sent.on('error', reject);
      sent.end();
    });
  }

  test.each([
    [{ host: 'localhost:8188' }, 101],
    [{ host: 'localhost:8188', origin: 'http://localhost:8188' }, 101],
    [{ host: 'evil.com', origin: 'http://evil.com' }, 403],
    [{ host: 'localhost:8188', origin: 'null' }, 403],
    [{ host: 'localhost:8188', origin: 'http://evil.com' }, 403],
    [{ host: 'localhost:8188', 'sec-fetch-site': 'cross-site' }, 403],
    [{ host: 'localhost:8188', 'sec-fetch-site': 'same-site' }, 403],
    [
      {
        host: 'localhost:8188',
        'sec-fetch-site': 'cross-site',
        'sec-fetch-mode': 'navigate',
        'sec-fetch-dest': 'document',
      },
      403,
    ],
  ])('%j is %i', async (headers, status) => {
    expect(await upgrade(headers)).toBe(status);
  });
});
