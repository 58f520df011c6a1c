import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import type { link } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import {
  publishExclusive,
  refuseTaken,
  TEMPORARY_PREFIX,
  writeFileAtomic,
  writeTemporaryFile,
} from '../../../bridge/local/write-file.ts';

const top = mkdtempSync(join(tmpdir(), 'lineage-write-'));
afterAll(() => rmSync(top, { recursive: true }));

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(top, 'case-'));
});

const bytes = Buffer.from('new');

describe('writeFileAtomic', () => {
  test.each([true, false])('makes a new file (replace: %s)', async (replace) => {
    await writeFileAtomic(join(folder, 'a.png'), bytes, { replace });
    expect(readFileSync(join(folder, 'a.png'))).toEqual(bytes);
    expect(readdirSync(folder)).toEqual(['a.png']);
  });

  test('without replace an existing file, folder or link is left alone', async () => {
    writeFileSync(join(folder, 'file'), 'old');
    mkdirSync(join(folder, 'folder'));
    symlinkSync('nowhere', join(folder, 'link'));
    for (const name of ['file', 'folder', 'link']) {
      await expect(writeFileAtomic(join(folder, name), bytes, { replace: false })).rejects.toMatchObject({
        code: 'output/exists',
        where: { file: join(folder, name) },
      });
    }
    expect(readFileSync(join(folder, 'file'), 'utf8')).toBe('old');
    expect(readdirSync(folder).sort()).toEqual(['file', 'folder', 'link']);
  });

  test('replace keeps the permissions and follows a link', async () => {
    const path = join(folder, 'real.png');
    writeFileSync(path, 'old');
    chmodSync(path, 0o640);
    symlinkSync('real.png', join(folder, 'link.png'));
    await writeFileAtomic(join(folder, 'link.png'), bytes, { replace: true });
    expect(readFileSync(path)).toEqual(bytes);
    expect(statSync(path).mode & 0o777).toBe(0o640);
    expect(readlinkSync(join(folder, 'link.png'))).toBe('real.png');
    expect(readdirSync(folder).sort()).toEqual(['link.png', 'real.png']);
  });

  test.each([
    ['a missing folder', () => join(folder, 'none', 'a.png'), 'ENOENT'],
    ['a file for a folder', () => join(folder, 'file', 'a.png'), 'ENOTDIR'],
    ['a folder of that name', () => join(folder, 'folder'), 'EISDIR'],
    ['too long a name', () => join(folder, 'x'.repeat(300)), 'ENAMETOOLONG'],
  ])('%s is unwritable, keeps its cause and leaves nothing', async (_, path, code) => {
    writeFileSync(join(folder, 'file'), 'old');
    mkdirSync(join(folder, 'folder'));
    await expect(writeFileAtomic(path(), bytes, { replace: true })).rejects.toMatchObject({
      code: 'file/unwritable',
      where: { file: path() },
      cause: { code },
    });
    expect(readdirSync(folder).sort()).toEqual(['file', 'folder']);
  });

  test.skipIf(process.platform !== 'linux')('a file system that takes no files is unwritable', async () => {
    const writing = writeFileAtomic('/proc/a.png', bytes, { replace: false });
    await expect(writing).rejects.toMatchObject({ code: 'file/unwritable' });
  });

  test('of many at once on one new name, one wins', async () => {
    const path = join(folder, 'a.png');
    const outcomes = await Promise.allSettled(
      Array.from({ length: 20 }, (_, i) =>
        writeFileAtomic(path, Buffer.from(`writer ${i}`), { replace: false }),
      ),
    );
    const winners = outcomes.flatMap(({ status }, i) => (status === 'fulfilled' ? [i] : []));
    expect(winners).toHaveLength(1);
    expect(readFileSync(path, 'utf8')).toBe(`writer ${winners[0]}`);
    expect(readdirSync(folder)).toEqual(['a.png']);
  });
});

describe('on a file system without hard links', () => {
  const noLinks: typeof link = () =>
    Promise.reject(Object.assign(new Error('not permitted'), { code: 'EPERM' }));

  test('a free name is taken, a taken one is not', async () => {
    const path = join(folder, 'a.png');
    expect(await publishExclusive(await writeTemporaryFile(folder, bytes), path, noLinks)).toBe(true);
    expect(readFileSync(path)).toEqual(bytes);
    expect(readdirSync(folder)).toEqual(['a.png']);
    const second = await writeTemporaryFile(folder, Buffer.from('second'));
    expect(await publishExclusive(second, path, noLinks)).toBe(false);
    expect(readFileSync(path)).toEqual(bytes);
  });

  test('the empty file that held the name goes when the move fails', async () => {
    const path = join(folder, 'a.png');
    await expect(publishExclusive(join(folder, 'none'), path, noLinks)).rejects.toMatchObject({
      code: 'ENOENT',
    });
    expect(existsSync(path)).toBe(false);
  });

  test('another failure is not taken for a lack of links', async () => {
    const broken: typeof link = () => Promise.reject(Object.assign(new Error('i/o error'), { code: 'EIO' }));
    await expect(publishExclusive(join(folder, 'x'), join(folder, 'a.png'), broken)).rejects.toMatchObject({
      code: 'EIO',
    });
    expect(readdirSync(folder)).toEqual([]);
  });
});

test('temporary files carry the documented prefix', async () => {
  const path = await writeTemporaryFile(folder, bytes);
  expect(path.startsWith(join(folder, TEMPORARY_PREFIX))).toBe(true);
  expect(TEMPORARY_PREFIX).toBe('.lineage-tmp-');
});

test('refuseTaken: a free name passes; a taken one, and a place that cannot be looked at, do not', async () => {
  await refuseTaken(join(folder, 'free'));
  await refuseTaken(join(folder, 'missing', 'free'));
  writeFileSync(join(folder, 'file'), 'old');
  await expect(refuseTaken(join(folder, 'file'))).rejects.toMatchObject({ code: 'output/exists' });
  symlinkSync('round', join(folder, 'round'));
  await expect(refuseTaken(join(folder, 'round', 'x'))).rejects.toMatchObject({ code: 'file/unwritable' });
});
