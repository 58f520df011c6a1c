import { execFileSync } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { readFileChecked } from '../../../bridge/local/read-file.ts';

const folder = mkdtempSync(join(tmpdir(), 'lineage-read-'));
afterAll(() => rmSync(folder, { recursive: true }));
const path = join(folder, 'file');
writeFileSync(path, 'content');

test('reads a whole file up to the limit', async () => {
  expect(Buffer.from(await readFileChecked(path, 7)).toString()).toBe('content');
  writeFileSync(join(folder, 'empty'), '');
  expect(await readFileChecked(join(folder, 'empty'), 7)).toHaveLength(0);
});

test('a file over the limit is refused with both numbers', async () => {
  await expect(readFileChecked(path, 6)).rejects.toMatchObject({
    code: 'file/unreadable',
    message: 'expected at most 6 bytes, got 7',
    where: { file: path },
  });
});

test.each([
  ['a missing file', join(folder, 'none'), 'file/missing'],
  ['a file taken for a folder', join(path, 'below'), 'file/missing'],
  ['a folder', folder, 'file/unreadable'],
  ['a device', '/dev/zero', 'file/unreadable'],
  ['too long a name', join(folder, 'x'.repeat(300)), 'file/unreadable'],
  ['a name with NUL', `${path}\0`, 'file/unreadable'],
])('%s', async (_, file, code) => {
  await expect(readFileChecked(file, 100)).rejects.toMatchObject({ code, where: { file } });
});

test.skipIf(process.platform === 'win32')('a named pipe without a writer does not hang', async () => {
  const pipe = join(folder, 'pipe');
  execFileSync('mkfifo', [pipe]);
  await expect(readFileChecked(pipe, 100)).rejects.toMatchObject({ code: 'file/unreadable' });
});

test.skipIf(process.getuid?.() === 0)('a file without permission keeps its cause', async () => {
  const secret = join(folder, 'secret');
  writeFileSync(secret, 'x');
  chmodSync(secret, 0);
  await expect(readFileChecked(secret, 100)).rejects.toMatchObject({
    code: 'file/unreadable',
    cause: { code: 'EACCES' },
  });
});
