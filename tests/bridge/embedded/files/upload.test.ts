import { existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { readContainer } from '../../../../nodes/formats/container.ts';
import { decodePixels } from '../../../../nodes/formats/pixels.ts';
import {
  form,
  makeFolders,
  removeFolders,
  serveFiles,
  type TestFolders,
  type TestServer,
} from './file-server.ts';
import { maskPng, opaquePng, transparentPng } from './sample-picture.ts';

let folders: TestFolders;
let server: TestServer;
beforeEach(async () => {
  folders = makeFolders();
  server = await serveFiles(folders);
});
afterEach(async () => {
  await server.close();
  removeFolders(folders);
});

const bytes = Buffer.from('the bytes of a picture');

function upload(name: string, content: Uint8Array = bytes, fields: Readonly<Record<string, string>> = {}) {
  return server.ask('/upload/image', form(fields, { image: [name, content] }));
}

function everything(): string[] {
  return readdirSync(folders.top, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(folders.top.length + 1))
    .sort();
}

/** Names and codes as recorded from ComfyUI 0.8.0 (618b803d). */
describe('an image', () => {
  test('keeps its name, and one of the same content is there already', async () => {
    expect((await upload('new.png')).json()).toEqual({ name: 'new.png', subfolder: '', type: 'input' });
    expect((await upload('new.png')).json()).toMatchObject({ name: 'new.png' });
    expect((await upload('new.png', Buffer.from('x'))).json()).toMatchObject({ name: 'new (1).png' });
    expect((await upload('new.png', Buffer.from('x'))).json()).toMatchObject({ name: 'new (1).png' });
    expect((await upload('new.png', Buffer.from('y'))).json()).toMatchObject({ name: 'new (2).png' });
    expect(readFileSync(join(folders.input, 'new.png'))).toEqual(bytes);
    expect(everything()).toEqual(['base/input/new (1).png', 'base/input/new (2).png', 'base/input/new.png']);
  });

  test.each(['true', '1'])('replaces another with overwrite=%s', async (overwrite) => {
    await upload('a.png');
    expect((await upload('a.png', Buffer.from('z'), { overwrite })).json()).toMatchObject({ name: 'a.png' });
    expect(readFileSync(join(folders.input, 'a.png'), 'utf8')).toBe('z');
    expect((await upload('a.png', bytes, { overwrite: 'false' })).json()).toMatchObject({
      name: 'a (1).png',
    });
  });

  test.each([
    ['noext', 'noext (1)'],
    ['a.tar.gz', 'a.tar (1).gz'],
    ['ünï ✓.png', 'ünï ✓ (1).png'],
  ])('%s is numbered as %s', async (name, numbered) => {
    expect((await upload(name)).json()).toMatchObject({ name });
    expect((await upload(name, Buffer.from('x'))).json()).toMatchObject({ name: numbered });
  });

  test('goes where it is told', async () => {
    expect((await upload('t.png', bytes, { type: 'temp' })).json()).toMatchObject({ type: 'temp' });
    expect((await upload('o.png', bytes, { type: 'output', subfolder: 'x/y' })).json()).toEqual({
      name: 'o.png',
      subfolder: 'x/y',
      type: 'output',
    });
    expect(everything()).toEqual(['base/output/x/y/o.png', 'base/temp/t.png']);
  });

  test('the same two at once are one, and different ones do not overwrite each other', async () => {
    const contents = ['p', 'p', 'q', 'r', 'q'];
    const names = await Promise.all(
      contents.map(async (text) => (await upload('a.png', Buffer.from(text))).json()),
    );
    expect(everything()).toHaveLength(3);
    for (const [i, answer] of names.entries()) {
      const { name } = answer as { name: string };
      expect(readFileSync(join(folders.input, name), 'utf8')).toBe(contents[i]);
    }
  });
});

describe('is refused, and nothing is written', () => {
  test.each([
    ['no file', form({}), 400],
    ['another field', form({}, { file: ['f.png', bytes] }), 400],
    ['a text for a file', form({ image: 'text' }), 400],
    ['JSON', { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{}' }, 400],
    ['nothing', { method: 'POST' }, 400],
    ['a form without an end', { ...form({}, {}), body: '--form-boundary-0a1b2c\r\nContent-Disp' }, 400],
    [
      'a form without a boundary',
      { method: 'POST', headers: { 'content-type': 'multipart/form-data' }, body: 'x' },
      400,
    ],
    // 0.8 fails with 500 on these four.
    ['no name', form({}, { image: ['', bytes] }), 400],
    ['an unknown folder', form({ type: 'zzz' }, { image: ['a.png', bytes] }), 400],
    ['an empty folder', form({ type: '' }, { image: ['a.png', bytes] }), 400],
    ['a folder in the name', form({}, { image: ['q/evil.png', bytes] }), 400],
    ['a folder of the prototype', form({ type: '__proto__' }, { image: ['a.png', bytes] }), 400],
  ])('%s', async (_, asking, status) => {
    const answer = await server.ask('/upload/image', asking);
    expect([answer.status, answer.text]).toEqual([status, '']);
    expect(everything()).toEqual([]);
  });

  const PATHS = [
    '../evil',
    '..',
    '../../outside',
    '/tmp/evil',
    'a/../../b',
    '..\\..\\outside',
    'C:\\x',
    'C:/x',
    'a:b',
    'a\0b',
    'CON',
    'a.',
    'x/'.repeat(40),
  ];
  test.each(PATHS)('the sub folder %j', async (subfolder) => {
    expect((await upload('a.png', bytes, { subfolder })).status).toBe(400);
    expect(everything()).toEqual([]);
    expect(readdirSync(folders.input)).toEqual([]);
  });

  test.each([
    '../evil.png',
    '../../outside/evil.png',
    '/tmp/evil.png',
    '..\\evil.png',
    'C:\\evil.png',
    '..',
    '.',
    '...',
    ' ',
  ])('the name %j', async (name) => {
    expect((await upload(name)).status).toBe(400);
    expect(everything()).toEqual([]);
  });

  test('a link that leads out, as folder and as file', async () => {
    symlinkSync(folders.outside, join(folders.input, 'out'));
    writeFileSync(join(folders.outside, 'mine.png'), 'mine');
    symlinkSync(join(folders.outside, 'mine.png'), join(folders.input, 'a.png'));
    symlinkSync(join(folders.outside, 'new.png'), join(folders.input, 'dangling.png'));
    expect((await upload('x.png', bytes, { subfolder: 'out' })).status).toBe(400);
    expect((await upload('a.png', bytes, { overwrite: 'true' })).status).toBe(400);
    expect((await upload('a.png')).status).toBe(400);
    // The link itself is replaced, not what it leads to.
    expect((await upload('dangling.png', bytes, { overwrite: 'true' })).status).toBe(200);
    expect(readdirSync(folders.outside)).toEqual(['mine.png']);
    expect(readFileSync(join(folders.outside, 'mine.png'), 'utf8')).toBe('mine');
  });

  test('a numbered name that is a link is taken, and not looked into', async () => {
    await upload('a.png');
    writeFileSync(join(folders.outside, 'same'), 'x');
    symlinkSync(join(folders.outside, 'same'), join(folders.input, 'a (1).png'));
    expect((await upload('a.png', Buffer.from('x'))).json()).toMatchObject({ name: 'a (2).png' });
  });

  test('what is longer than allowed, said or not', async () => {
    const long = form({}, { image: ['a.png', Buffer.alloc(1024 * 1024 + 1)] });
    expect((await server.ask('/upload/image', long)).status).toBe(413);
    const chunked = { ...long, headers: { ...long.headers, 'transfer-encoding': 'chunked' } };
    expect((await server.ask('/upload/image', chunked)).status).toBe(413);
    expect(everything()).toEqual([]);
  });

  test('too many parts, and a field as long as a file', async () => {
    const many = Object.fromEntries(Array.from({ length: 100 }, (_, i) => [`f${i}`, 'x']));
    expect((await server.ask('/upload/image', form(many, { image: ['a.png', bytes] }))).status).toBe(400);
    const wide = form({ subfolder: 'x'.repeat(100_000) }, { image: ['a.png', bytes] });
    expect((await server.ask('/upload/image', wide)).status).toBe(400);
    expect(everything()).toEqual([]);
  });

  test('one that breaks off', async () => {
    const { headers, body } = form({}, { image: ['a.png', Buffer.alloc(500_000)] });
    const socket = connect(server.port, '127.0.0.1');
    const head = `POST /upload/image HTTP/1.1\r\nHost: localhost\r\nContent-Type: ${headers['content-type']}\r\nContent-Length: ${body.length}\r\n\r\n`;
    const arrived = new Promise((resolve) => server.server.once('request', resolve));
    socket.write(head);
    socket.write(body.slice(0, 250_000));
    await arrived;
    const closed = new Promise((resolve) => socket.once('close', resolve));
    socket.destroy();
    await closed;
    await expect.poll(everything).toEqual([]);
  });
});

test('a polyglot and a page go in as files and come out as downloads', async () => {
  for (const [name, text] of [
    ['a.png', '<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>'],
    ['b.png', '<!doctype html><script>alert(1)</script>'],
    ['c.html', '<script>alert(1)</script>'],
  ] as const) {
    expect((await upload(name, Buffer.from(text))).status).toBe(200);
    const { headers } = await server.ask(`/view?filename=${name}&type=input`);
    expect(headers).toMatchObject({ 'content-type': 'application/octet-stream' });
    expect(headers['content-disposition']).toMatch(/^attachment;/);
  }
});

test('names are cleaned: no dot at the start, no device, no name longer than a file system holds', async () => {
  expect((await upload('.dot')).json()).toMatchObject({ name: '_dot' });
  expect((await upload('con.png')).json()).toMatchObject({ name: '_con.png' });
  expect((await upload('a<b>|c?.png')).json()).toMatchObject({ name: 'a_b__c_.png' });
  const { name } = (await upload(`${'ü'.repeat(300)}.png`)).json() as { name: string };
  expect(Buffer.byteLength(name)).toBeLessThan(210);
  expect(name).toMatch(/ü\.png$/);
});

describe('a mask', () => {
  const mask = (name: string, reference: unknown, content: Uint8Array, fields = {}) =>
    server.ask(
      '/upload/mask',
      form({ original_ref: JSON.stringify(reference), ...fields }, { image: [name, content] }),
    );

  beforeEach(async () => {
    mkdirSync(join(folders.output, 'sub'));
    writeFileSync(join(folders.output, 'a.png'), await transparentPng());
    writeFileSync(join(folders.output, 'sub', 'b.png'), await opaquePng());
    writeFileSync(join(folders.output, 'x.txt'), 'hello');
    writeFileSync(join(folders.outside, 'secret.png'), await opaquePng());
  });

  /** Samples as Pillow reads them from what ComfyUI 0.8.0 wrote. */
  test('lays its alpha over the original, which keeps its colours and its texts', async () => {
    const answer = await mask('m.png', { filename: 'a.png', type: 'output', subfolder: '' }, await maskPng());
    expect(answer.json()).toEqual({ name: 'm.png', subfolder: '', type: 'input' });
    const written = readFileSync(join(folders.input, 'm.png'));
    const { data } = await decodePixels(written);
    expect([...data.slice(0, 8)]).toEqual([0, 0, 200, 128, 60, 0, 200, 128]);
    expect(readContainer(written).texts).toEqual([{ keyword: 'prompt', text: '{"1":{}}', chunk: 'tEXt' }]);
  });

  test('finds the original by sub folder and by annotation', async () => {
    const fields = { type: 'input', subfolder: 'clipspace' };
    const sub = await mask('m.png', { filename: 'b.png', subfolder: 'sub' }, await maskPng(), fields);
    expect(sub.json()).toEqual({ name: 'm.png', subfolder: 'clipspace', type: 'input' });
    writeFileSync(join(folders.input, 'i.png'), await opaquePng());
    const annotated = await mask('n.png', { filename: 'i.png [input]', type: 'output' }, await maskPng());
    expect(annotated.status).toBe(200);
    expect(existsSync(join(folders.input, 'n.png'))).toBe(true);
  });

  /** 0.8 answers 200 to the first five with the name of a file that it did not write, and 500 to the others. */
  test.each([
    ['an original that is not there', { filename: 'zz.png' }, 404],
    ['an original outside', { filename: '../../outside/secret.png' }, 400],
    ['an original by an annotation outside', { filename: '../../outside/secret.png [input]' }, 400],
    ['a sub folder outside', { filename: 'secret.png', subfolder: '../../outside' }, 400],
    ['an unknown folder', { filename: 'a.png', type: 'zz' }, 400],
    ['an original that is no picture', { filename: 'x.txt' }, 415],
    ['no filename', {}, 400],
    ['a filename that is no text', { filename: ['a.png'] }, 400],
    ['a list', [], 400],
  ])('%s is refused', async (_, reference, status) => {
    expect((await mask('m.png', reference, await maskPng())).status).toBe(status);
    expect(readdirSync(folders.input)).toEqual([]);
    expect(readdirSync(folders.temp)).toEqual([]);
  });

  test('of another size, no picture, no PNG, no reference: refused', async () => {
    const original = { filename: 'a.png' };
    expect((await mask('m.png', original, await maskPng(5, 5))).status).toBe(400);
    expect((await mask('m.png', original, Buffer.from('zzz'))).status).toBe(415);
    expect((await mask('m.jpg', original, await maskPng())).status).toBe(400);
    expect((await server.ask('/upload/mask', form({}, { image: ['m.png', await maskPng()] }))).status).toBe(
      400,
    );
    const broken = form({ original_ref: '{' }, { image: ['m.png', await maskPng()] });
    expect((await server.ask('/upload/mask', broken)).status).toBe(400);
    expect(readdirSync(folders.input)).toEqual([]);
  });
});
