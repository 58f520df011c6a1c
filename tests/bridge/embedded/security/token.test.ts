import type { IncomingMessage } from 'node:http';
import express from 'express';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { checkUpgrade, securityMiddleware } from '../../../../bridge/embedded/security/security.ts';
import { chooseProtocol, isSameSecret, sessionOf } from '../../../../bridge/embedded/security/token.ts';
import { serve, type TestServer } from '../files/file-server.ts';

const TOKEN = 'f3c1d09a5b7e42e6a8d4c2b1907f6e5d';
const options = { allowedHosts: [], token: TOKEN };
const host = 'localhost:8188';

let server: TestServer;
beforeAll(async () => {
  const app = express.Router();
  app.use(securityMiddleware(options));
  app.use((_request, response) => response.json({ ok: true }));
  server = await serve(app);
});
afterAll(() => server.close());

const get = (headers: Readonly<Record<string, string>>, path = '/object_info') =>
  server.ask(path, { headers: { host, ...headers } });
const logIn = (body: string, headers: Readonly<Record<string, string>> = {}) =>
  server.ask('/lineage/login', {
    method: 'POST',
    headers: { host, 'content-type': 'application/json', ...headers },
    body,
  });

describe('every route asks for the token', () => {
  test.each([
    [{}],
    [{ authorization: 'Bearer' }],
    [{ authorization: 'Bearer ' }],
    [{ authorization: TOKEN }],
    [{ authorization: `Basic ${TOKEN}` }],
    [{ authorization: `Bearer ${TOKEN}x` }],
    [{ authorization: `Bearer ${TOKEN.slice(0, -1)}` }],
    [{ authorization: `Bearer ${TOKEN.toUpperCase()}` }],
    [{ authorization: `Bearer x ${TOKEN}` }],
    [{ cookie: `lineage_session=${TOKEN}` }],
    [{ cookie: 'lineage_session=' }],
    [{ cookie: `x_lineage_session=${sessionOf(TOKEN)}` }],
    [{ cookie: `lineage_session=${sessionOf('another')}` }],
    [{ 'sec-websocket-protocol': 'lineage.token.' }],
  ])('%j does not do', async (headers) => {
    for (const path of ['/', '/object_info', '/view?filename=a.png', '/ws', '/api/prompt', '/assets/x.js']) {
      const answer = await get(headers, path);
      expect(answer.status, path).toBe(401);
      expect(answer.headers['www-authenticate']).toBe('Bearer');
      expect(answer.text).not.toContain(TOKEN);
    }
  });

  test('in the URL it does not do either', async () => {
    for (const path of [`/?token=${TOKEN}`, `/object_info?access_token=${TOKEN}`, `/${TOKEN}`])
      expect((await get({}, path)).status).toBe(401);
  });

  test.each([
    [{ authorization: `Bearer ${TOKEN}` }],
    [{ authorization: `bearer  ${TOKEN}` }],
    [{ cookie: `a=b; lineage_session=${sessionOf(TOKEN)}; c=d` }],
  ])('%j does', async (headers) => {
    expect((await get(headers)).status).toBe(200);
  });

  test('a token does not open what another page asks for', async () => {
    const cookie = `lineage_session=${sessionOf(TOKEN)}`;
    expect((await get({ cookie, origin: 'http://evil.com' })).status).toBe(403);
    expect((await get({ cookie, 'sec-fetch-site': 'cross-site' })).status).toBe(403);
    expect((await get({ cookie, host: 'evil.com' })).status).toBe(403);
  });

  test('an upgrade, by header, cookie or subprotocol', () => {
    const ask = (headers: Readonly<Record<string, string>>) =>
      checkUpgrade(
        { url: '/ws', rawHeaders: [], headers: { host, ...headers } } as unknown as IncomingMessage,
        options,
      );
    expect(ask({})).toMatchObject({ ok: false, status: 401 });
    expect(ask({ 'sec-websocket-protocol': 'lineage, lineage.token.wrong' })).toMatchObject({ ok: false });
    expect(ask({ authorization: `Bearer ${TOKEN}` })).toEqual({ ok: true });
    expect(ask({ cookie: `lineage_session=${sessionOf(TOKEN)}` })).toEqual({ ok: true });
    expect(ask({ 'sec-websocket-protocol': `lineage, lineage.token.${TOKEN}` })).toEqual({ ok: true });
  });

  test('the subprotocol with the token is not the one that is answered', () => {
    expect(chooseProtocol(new Set([`lineage.token.${TOKEN}`, 'lineage']))).toBe('lineage');
    expect(chooseProtocol(new Set())).toBe(false);
  });
});

describe('a browser gives it once', () => {
  test('on a page that runs nothing but its own script', async () => {
    const { status, headers, text } = await get(
      { 'sec-fetch-mode': 'navigate', 'sec-fetch-site': 'none' },
      '/',
    );
    expect(status).toBe(401);
    expect(headers['content-type']).toBe('text/html; charset=utf-8');
    expect(headers['cache-control']).toBe('no-store');
    expect(headers['content-security-policy']).toMatch(
      /^default-src 'none'; script-src 'sha256-[^']+'; style-src 'sha256-[^']+'; .*frame-ancestors 'none'$/,
    );
    expect(text).toContain('/lineage/login');
    expect(text).not.toContain(TOKEN);
  });

  test('and holds a cookie that is not the token', async () => {
    const answer = await logIn(JSON.stringify({ token: TOKEN }));
    expect([answer.status, answer.text]).toEqual([204, '']);
    const [cookie = ''] = answer.headers['set-cookie'] ?? [];
    expect(cookie).toMatch(/^lineage_session=[\w-]{43}; Path=\/; HttpOnly; SameSite=Strict$/);
    expect(cookie).not.toContain(TOKEN);
    expect((await get({ cookie: cookie.split(';')[0] ?? '' })).status).toBe(200);
  });

  test.each([
    ['{"token":"wrong"}', 401],
    ['{"token":["a"]}', 401],
    ['{}', 401],
    ['null', 401],
    ['{', 400],
    ['', 400],
    [`{"__proto__":{"token":"${TOKEN}"}}`, 400],
    ['['.repeat(100_000), 400],
  ])('not by %.40s', async (body, status) => {
    const answer = await logIn(body);
    expect(answer.status).toBe(status);
    expect(answer.headers['set-cookie']).toBeUndefined();
  });

  test('nor from another page, or by a form', async () => {
    const body = JSON.stringify({ token: TOKEN });
    expect((await logIn(body, { origin: 'http://evil.com' })).status).toBe(403);
    expect((await logIn(body, { 'content-type': 'text/plain', 'user-agent': 'Mozilla/5.0' })).status).toBe(
      415,
    );
    expect((await get({}, '/lineage/login')).status).toBe(405);
  });
});

describe('secrets are compared', () => {
  /** Digests are of one length, so nothing throws and nothing ends early for texts of different lengths. */
  test.each([
    ['a', 'a', true],
    ['', '', true],
    ['a', 'b', false],
    ['a', 'aa', false],
    ['', 'a', false],
    ['ü', 'u', false],
    ['a'.repeat(1e6), 'a', false],
  ])('%.10s and %.10s', (a, b, same) => {
    expect(isSameSecret(a, b)).toBe(same);
  });
});
