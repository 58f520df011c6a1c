import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { get, type IncomingMessage, request } from 'node:http';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { expect, onTestFinished, test } from 'vitest';
import { createRuleStore } from '../../../bridge/local/rule-store.ts';
import { startViewServer, type ViewOptions } from '../../../bridge/view/view-server.ts';
import { internationalChunk, putImage, withChunks } from '../cli/pictures.ts';
import { newFolder } from '../cli/run.ts';

type Answer = {
  readonly status: number;
  readonly headers: IncomingMessage['headers'];
  readonly body: Buffer;
};

/** Nothing of the address is made neat on its way. */
function ask(
  url: string,
  path: string,
  headers: Record<string, string> = {},
  method = 'GET',
): Promise<Answer> {
  const { port } = new URL(url);
  return new Promise((resolve, reject) => {
    const asking = request({ host: '127.0.0.1', port, path, method, headers }, (response) => {
      const parts: Buffer[] = [];
      response.on('data', (part: Buffer) => parts.push(part));
      response.on('end', () =>
        resolve({ status: response.statusCode ?? 0, headers: response.headers, body: Buffer.concat(parts) }),
      );
    });
    asking.on('error', reject).end();
  });
}

async function start(options: Partial<ViewOptions> = {}) {
  const folder = newFolder();
  const picture = await putImage(folder, 'a.png', 'png');
  writeFileSync(join(folder, 'secret.png'), picture);
  const page = join(folder, 'page');
  mkdirSync(page);
  for (const name of ['index.html', 'view.js', 'other.js']) writeFileSync(join(page, name), name);
  const server = await startViewServer({
    files: [join(folder, 'a.png')],
    port: 0,
    rules: createRuleStore(join(folder, 'rules')),
    maxBytes: 1e7,
    closedForMs: 60_000,
    deserted: () => {},
    note: (text) => expect.fail(text),
    pageRoot: page,
    ...options,
  });
  onTestFinished(() => server.close());
  return { folder, picture, url: server.url, base: new URL(server.url).pathname, server };
}

test('the page and its file, under a policy that lets nothing else run', async () => {
  const { url, base, picture } = await start();
  expect(url).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/[\w-]{32}\/$/);
  const page = await ask(url, base);
  expect(page.status).toBe(200);
  expect(page.headers['content-security-policy']).toContain("script-src 'self';");
  expect(page.headers['content-security-policy']).not.toContain('unsafe');
  expect(page.headers['referrer-policy']).toBe('no-referrer');
  expect(page.headers['cache-control']).toBe('no-store');
  const shown = await ask(url, `${base}files/0/picture`);
  expect(shown.body.equals(picture)).toBe(true);
  expect(shown.headers['content-type']).toBe('image/png');
  expect(shown.headers['content-security-policy']).toContain('sandbox');
});

test('two servers have two tokens', async () => {
  const [one, other] = [await start(), await start()];
  expect(one.base).not.toBe(other.base);
  expect((await ask(one.url, other.base)).status).toBe(401);
});

test.each(['/', '/files', '/view.js', '/files/0/picture', '//', '/open'])(
  '%s without the token is 401',
  async (path) => {
    const { url, base } = await start();
    expect((await ask(url, path)).status).toBe(401);
    // Neither the token's beginning nor more than it.
    expect((await ask(url, `${base.slice(0, -2)}${path}`)).status).toBe(401);
    expect((await ask(url, `${base.slice(0, -1)}x${path}`)).status).toBe(401);
    expect((await ask(url, `/?${base.slice(1, -1)}`)).status).toBe(401);
  },
);

test('only the files that were given, and only those of the page', async () => {
  const { url, base } = await start();
  const refused = [
    'files/1',
    'files/1/picture',
    'files/-1/picture',
    'files/0x0/picture',
    'files/secret.png/picture',
    'files/..%2f..%2fsecret.png/picture',
    'files/0/picture/../../secret.png',
    'secret.png',
    '../secret.png',
    '%2e%2e/secret.png',
    'other.js',
    '__proto__',
    'files/__proto__',
  ];
  for (const path of refused) expect((await ask(url, base + path)).status, path).toBe(404);
});

test('a page of elsewhere is refused, whatever it knows', async () => {
  const { url, base } = await start();
  const { host } = new URL(url);
  const statusWith = async (headers: Record<string, string>) =>
    (await ask(url, `${base}files`, headers)).status;
  expect(await statusWith({ host })).toBe(200);
  expect(await statusWith({ host: `localhost:${new URL(url).port}` })).toBe(200);
  expect(await statusWith({ host: 'evil.example' })).toBe(403);
  expect(await statusWith({ host, origin: 'http://evil.example' })).toBe(403);
  expect(await statusWith({ host, origin: 'null' })).toBe(403);
  expect(await statusWith({ host, 'sec-fetch-site': 'cross-site' })).toBe(403);
  expect(await statusWith({ host, origin: `http://${host}`, 'sec-fetch-site': 'same-origin' })).toBe(200);
});

test.each(['POST', 'PUT', 'DELETE', 'PATCH'])('%s changes nothing', async (method) => {
  const { url, base, folder, picture } = await start();
  expect((await ask(url, `${base}files/0/picture`, {}, method)).status).toBe(405);
  expect(readFileSync(join(folder, 'a.png')).equals(picture)).toBe(true);
});

test('a file that is no picture any more is sent to be saved, never as a page', async () => {
  const { url, base, folder } = await start();
  writeFileSync(join(folder, 'a.png'), '<script>1</script>');
  const { headers } = await ask(url, `${base}files/0/picture`);
  expect(headers['content-disposition']).toMatch(/^attachment/);
  expect(headers['x-content-type-options']).toBe('nosniff');
  const told = JSON.parse((await ask(url, `${base}files/0`)).body.toString());
  expect(told.story.error.code).toBe('image/unknown-format');
  rmSync(join(folder, 'a.png'));
  expect((await ask(url, `${base}files/0`)).status).toBe(404);
});

test('a seed of 64 bits arrives digit by digit', async () => {
  const { url, base, folder, picture } = await start();
  const seed = '18446744073709551615';
  const graph = `{"1":{"class_type":"KSampler","inputs":{"seed":${seed},"steps":20,"cfg":7,"sampler_name":"euler",
    "scheduler":"normal","denoise":1}},"2":{"class_type":"VAEDecode","inputs":{"samples":["1",0]}},
    "3":{"class_type":"SaveImage","inputs":{"images":["2",0],"filename_prefix":"x"}}}`;
  writeFileSync(join(folder, 'a.png'), withChunks(picture, [internationalChunk('prompt', graph)]));
  const { story } = JSON.parse((await ask(url, `${base}files/0`)).body.toString());
  expect(story.value.fields).toContainEqual(expect.objectContaining({ field: 'SEED', value: seed }));
});

test('ends a while after the last page was closed, not before', async () => {
  let deserted = 0;
  const { url, base } = await start({ closedForMs: 60, deserted: () => deserted++ });
  const openPage = () =>
    new Promise<IncomingMessage>((resolve) =>
      get(new URL(`${base}open`, url), resolve).on('error', () => {}),
    );
  await wait(150);
  expect(deserted, 'nobody has come yet').toBe(0);
  const [one, other] = [await openPage(), await openPage()];
  one.destroy();
  await wait(150);
  expect(deserted, 'one page is still open').toBe(0);
  other.destroy();
  await expect.poll(() => deserted).toBe(1);
});
