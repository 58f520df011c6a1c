import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { decodePixels } from '../../../../nodes/formats/pixels.ts';
import { makeFolders, removeFolders, serveFiles, type TestServer } from './file-server.ts';
import { opaquePng, transparentPng } from './sample-picture.ts';

const folders = makeFolders();
let server: TestServer;

const FILES: Readonly<Record<string, string>> = {
  'x.html': '<script>alert(1)</script>',
  'x.svg': '<svg xmlns="http://www.w3.org/2000/svg" width="4" height="3"><script>alert(1)</script></svg>',
  'x.xml': '<?xml version="1.0"?><x/>',
  'x.txt': 'hello',
  'x.json': '{}',
  'x.js': 'alert(1)',
  'page.png': '<html><script>alert(1)</script></html>',
  'svg.jpg': '<svg xmlns="http://www.w3.org/2000/svg" width="4" height="3"/>',
  '.hidden': 'hello',
};

beforeAll(async () => {
  const png = await transparentPng();
  mkdirSync(join(folders.output, 'sub'));
  for (const path of [
    'output/a.png',
    'output/sub/b.png',
    'input/in.png',
    'temp/t.png',
    'output/50% ü#?;"q.png',
  ]) {
    writeFileSync(join(folders.output, '..', path), png);
  }
  writeFileSync(join(folders.output, 'rgb.png'), await opaquePng());
  for (const [name, text] of Object.entries(FILES)) writeFileSync(join(folders.output, name), text);
  writeFileSync(
    join(folders.output, 'polyglot.png'),
    Buffer.concat([png, Buffer.from('<script>alert(1)</script>')]),
  );
  writeFileSync(join(folders.outside, 'secret.txt'), 'secret');
  symlinkSync(join(folders.outside, 'secret.txt'), join(folders.output, 'link.txt'));
  symlinkSync(folders.outside, join(folders.output, 'out'));
  symlinkSync('a.png', join(folders.output, 'inner.png'));
  server = await serveFiles(folders);
});
afterAll(async () => {
  await server.close();
  removeFolders(folders);
});

const view = (query: string, headers: Readonly<Record<string, string>> = {}) =>
  server.ask(`/view?${query}`, { headers });

/** Recorded from ComfyUI 0.8.0 (618b803d) over the same files, except where a comment says that it is ours. */
describe('which file', () => {
  test.each([
    ['filename=a.png', 200],
    ['filename=in.png%20[input]&type=output', 200],
    ['filename=t.png&type=temp', 200],
    ['filename=b.png&subfolder=sub', 200],
    ['filename=a.png&subfolder=', 200],
    ['filename=inner.png', 200],
    ['', 404],
    ['filename=', 400],
    ['filename=%20[output]', 400],
    ['filename=/etc/passwd', 400],
    ['filename=../secret.txt', 400],
    ['filename=%2e%2e%2fsecret.txt', 400],
    ['filename=%252e%252e%252fsecret.txt', 404],
    ['filename=a..b.png', 400],
    ['filename=../secret.txt%20[input]', 400],
    ['filename=..%5Csecret.txt', 400],
    ['filename=a.png&type=zzz', 400],
    ['filename=a.png&type=user', 400],
    ['filename=a.png&type=__proto__', 400],
    ['filename=secret.txt&subfolder=..', 403],
    ['filename=secret.txt&subfolder=%2e%2e', 403],
    ['filename=secret.txt&subfolder=sub/../../..', 403],
    ['filename=passwd&subfolder=/etc', 403],
    ['filename=no.png', 404],
    // The folders in a file name say nothing.
    ['filename=sub/b.png', 404],
    ['filename=sub', 404],
    // Ours: 0.8 has no rule for these (404 for most).
    ['filename=a.png%00', 400],
    ['filename=C:a.png', 400],
    ['filename=a.png:stream', 400],
    ['filename=CON', 400],
    ['filename=a.png.', 400],
    ['filename=secret.txt&subfolder=..%5C..%5Coutside', 403],
    ['filename=a.png&subfolder=C:/', 403],
    // Ours: 0.8 follows links wherever they lead.
    ['filename=link.txt', 403],
    ['filename=secret.txt&subfolder=out', 403],
  ])('%s is %i', async (query, status) => {
    const answer = await view(query);
    expect(answer.status).toBe(status);
    expect(answer.text).not.toContain('secret');
    if (status !== 200) expect(answer.text).toBe('');
    expect((await server.ask(`/api/view?${query}`)).status).toBe(status);
  });

  test('a name of any characters, and a header that holds it', async () => {
    const answer = await view(`filename=${encodeURIComponent('50% ü#?;"q.png')}`);
    expect(answer.status).toBe(200);
    expect(answer.headers['content-disposition']).toBe(
      `inline; filename="50_ _#?;_q.png"; filename*=UTF-8''50%25%20%C3%BC%23%3F%3B%22q.png`,
    );
  });
});

describe('as what it is sent', () => {
  test('a picture is shown, and kept by no cache', async () => {
    const { headers, bytes } = await view('filename=a.png');
    expect(headers).toMatchObject({
      'content-type': 'image/png',
      'content-disposition': 'inline; filename="a.png"',
      'cache-control': 'no-store',
      'accept-ranges': 'bytes',
    });
    expect(bytes).toEqual(await transparentPng());
  });

  test.each(Object.keys(FILES))('%s is downloaded, whatever it is called', async (name) => {
    const { status, headers, text } = await view(`filename=${name}`);
    expect(status).toBe(200);
    expect(headers['content-type']).toBe('application/octet-stream');
    expect(headers['content-disposition']).toBe(`attachment; filename="${name}"`);
    expect(headers['content-security-policy']).toMatch(/^default-src 'none';.*\bsandbox\b/);
    expect(text).toBe(FILES[name]);
  });

  test('a picture with a page behind it is a picture, and may run nothing', async () => {
    const { headers } = await view('filename=polyglot.png');
    expect(headers['content-type']).toBe('image/png');
    expect(headers['content-security-policy']).toMatch(/default-src 'none'.*sandbox/);
  });

  test('parts of it, and none beyond its end', async () => {
    const part = await view('filename=a.png', { range: 'bytes=0-9' });
    expect([part.status, part.bytes.length]).toEqual([206, 10]);
    expect(part.headers['content-range']).toMatch(/^bytes 0-9\/\d+$/);
    const beyond = await view('filename=a.png', { range: 'bytes=99999-' });
    expect([beyond.status, beyond.text]).toEqual([416, '']);
    const head = await server.ask('/view?filename=a.png', { method: 'HEAD' });
    expect([head.status, head.bytes.length]).toEqual([200, 0]);
    expect(Number(head.headers['content-length'])).toBe((await transparentPng()).length);
  });
});

describe('in another form', () => {
  /** Types as recorded from 0.8; where it answered 500 (a quality of 9999, no picture) they are ours. */
  test.each([
    ['filename=a.png&preview=webp;90', 'image/webp'],
    ['filename=a.png&preview=jpeg;50', 'image/jpeg'],
    ['filename=a.png&preview=webp', 'image/webp'],
    ['filename=a.png&preview=', 'image/webp'],
    ['filename=a.png&preview=png', 'image/webp'],
    ['filename=a.png&preview=zzz;x', 'image/webp'],
    ['filename=a.png&preview=webp;9999', 'image/webp'],
    ['filename=a.png&preview=webp;0', 'image/webp'],
    ['filename=a.png&preview=jpeg;90&channel=a', 'image/webp'],
    ['filename=a.png&preview=jpeg;90&channel=rgba', 'image/webp'],
    ['filename=a.png&channel=rgb', 'image/png'],
    ['filename=a.png&channel=a', 'image/png'],
    ['filename=a.png&channel=zz', 'image/png'],
  ])('%s is %s', async (query, type) => {
    const answer = await view(query);
    expect([answer.status, answer.headers['content-type']]).toEqual([200, type]);
    const { width, height } = await decodePixels(answer.bytes);
    expect([width, height]).toEqual([4, 3]);
  });

  /** Samples as Pillow reads them from the answers of ComfyUI 0.8.0 over the same picture. */
  test('rgb leaves the alpha out and shows what it hid', async () => {
    const { channels, data } = await decodePixels((await view('filename=a.png&channel=rgb')).bytes);
    expect(channels).toBe(3);
    expect([...data.slice(0, 15)]).toEqual([0, 0, 200, 60, 0, 200, 120, 0, 200, 180, 0, 200, 0, 80, 200]);
  });

  test('a is the alpha on black, and full where there is none', async () => {
    const alpha = await decodePixels((await view('filename=a.png&channel=a')).bytes);
    expect([...alpha.data.slice(0, 20)]).toEqual([
      0, 0, 0, 0, 0, 0, 0, 85, 0, 0, 0, 170, 0, 0, 0, 255, 0, 0, 0, 0,
    ]);
    const full = await decodePixels((await view('filename=rgb.png&channel=a')).bytes);
    expect([...full.data.slice(0, 8)]).toEqual([0, 0, 0, 255, 0, 0, 0, 255]);
  });

  test('a JPEG preview lays nothing on white', async () => {
    const { data } = await decodePixels((await view('filename=a.png&preview=jpeg;100')).bytes);
    // 0.8 gave (0, 9, 158) at quality 75 for the hidden (0, 0, 200); on white it would be (255, 255, 255).
    expect(data[0]).toBeLessThan(60);
    expect(data[2]).toBeGreaterThan(140);
  });

  test.each(['preview=webp;90', 'channel=rgb', 'channel=a'])(
    '%s of what is no raster picture is 415',
    async (what) => {
      for (const name of ['x.html', 'x.svg', 'svg.jpg', 'page.png']) {
        expect((await view(`filename=${name}&${what}`)).status, name).toBe(415);
      }
    },
  );
});

test('a picture of kilobytes that claims to be of gigabytes is not decoded', async () => {
  const bomb = await transparentPng();
  // IHDR: the sides, u32 big-endian, at 16 and 20; the CRC behind it no longer fits, which only a decoder would see.
  bomb.writeUInt32BE(60_000, 16);
  bomb.writeUInt32BE(60_000, 20);
  writeFileSync(join(folders.output, 'bomb.png'), bomb);
  for (const what of ['preview=webp;90', 'channel=rgb', 'channel=a']) {
    expect((await view(`filename=bomb.png&${what}`)).status, what).toBe(413);
  }
});
