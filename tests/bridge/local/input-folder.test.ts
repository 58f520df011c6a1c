import { mkdirSync, mkdtempSync, rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  createInputFiles,
  createInputReader,
  INPUT_BYTES_MAX,
  listInputImages,
} from '../../../bridge/local/input-folder.ts';

const top = mkdtempSync(join(tmpdir(), 'lineage-input-'));
const folders = { input: join(top, 'input'), output: join(top, 'output'), temp: join(top, 'temp') };
const read = createInputReader(folders);

beforeAll(() => {
  mkdirSync(join(folders.input, 'sub'), { recursive: true });
  mkdirSync(folders.output);
  for (const path of [
    'input/b.png',
    'input/a.JPG',
    'input/c.webp',
    'input/sub/s.png',
    'output/o.png',
    'input/x.txt',
    'input/v.svg',
    'input/.h.png',
  ])
    writeFileSync(join(top, path), path);
  mkdirSync(join(folders.input, 'folder.png'));
  writeFileSync(join(top, 'secret.png'), 'secret');
  symlinkSync(join(top, 'secret.png'), join(folders.input, 'link.png'));
  symlinkSync('sub/s.png', join(folders.input, 'inner.png'));
  writeFileSync(join(folders.input, 'huge.png'), '');
  truncateSync(join(folders.input, 'huge.png'), INPUT_BYTES_MAX + 1);
});
afterAll(() => rmSync(top, { recursive: true }));

describe('reads', () => {
  test.each([
    ['b.png', 'input/b.png'],
    ['b.png [input]', 'input/b.png'],
    ['sub/s.png', 'input/sub/s.png'],
    ['inner.png', 'input/sub/s.png'],
    ['o.png [output]', 'output/o.png'],
  ])('%s', async (name, text) => {
    expect(Buffer.from((await read(name)) ?? []).toString()).toBe(text);
  });

  test.each(['zz.png', 'o.png', 'b.png [temp]', 'b.png/x', '%2e%2e/secret.png', 'b.png [user]'])(
    'nothing of %s',
    async (name) => {
      expect(await read(name)).toBeUndefined();
    },
  );
});

describe('refuses', () => {
  // CVE-2026-56673: LoadImage's names led out of the folder.
  test.each([
    '../secret.png',
    '../secret.png [input]',
    '../secret.png [output]',
    'sub/../../secret.png',
    '/etc/passwd',
    '/etc/passwd [temp]',
    '..\\secret.png',
    'C:\\secret.png',
    'link.png',
    'link.png [input]',
    '../input/b.png',
  ])('%s', async (name) => {
    await expect(read(name)).rejects.toMatchObject({ code: 'path/outside' });
  });

  test.each(['a\0.png', 'b.png:stream', 'sub\\s.png', 'CON'])('%j', async (name) => {
    await expect(read(name)).rejects.toMatchObject({ code: 'path/unsafe' });
  });

  test.each(['folder.png', 'sub', '', ' [input]', 'huge.png'])(
    '%j, which is no file to read',
    async (name) => {
      await expect(read(name)).rejects.toMatchObject({ code: 'file/unreadable' });
    },
  );
});

test('the menu holds the pictures right in the folder, sorted', async () => {
  expect(await listInputImages(folders.input)).toEqual(['a.JPG', 'b.png', 'c.webp', 'huge.png', 'inner.png']);
  expect(await listInputImages(join(top, 'nowhere'))).toEqual([]);
});

test.each([
  ['b.png', true],
  ['sub/s.png', true],
  ['inner.png', true],
  ['o.png [output]', true],
  ['o.png', false],
  ['absent.png', false],
  ['sub', false],
  ['', false],
  ['link.png', false],
  ['../secret.png', false],
  ['../secret.png [output]', false],
  [join(top, 'secret.png'), false],
])('whether there is a file %s: %s', async (name, there) => {
  expect(await createInputFiles(folders).has(name)).toBe(there);
});
