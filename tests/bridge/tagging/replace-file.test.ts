import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  appendFileSync,
  readdirSync,
  readFileSync,
  renameSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { readForReplacing, replaceFile, toSeconds } from '../../../bridge/tagging/replace-file.ts';
import { removeStaleTemporaries } from '../../../bridge/tagging/stale-temporaries.ts';
import { newFolder } from '../cli/run.ts';

function newFile(bytes = 'old'): { readonly folder: string; readonly file: string } {
  const folder = newFolder();
  const file = join(folder, 'a.png');
  writeFileSync(file, bytes);
  return { folder, file };
}

const NEW = new TextEncoder().encode('new');

describe('a file that is changed meanwhile is left alone', () => {
  test.each<readonly [string, (file: string) => void]>([
    ['written to', (file) => appendFileSync(file, '!')],
    ['written to, and as long as before', (file) => writeFileSync(file, 'odd')],
    ['touched', (file) => utimesSync(file, 1, 1)],
    [
      'replaced',
      (file) => {
        writeFileSync(`${file}.2`, 'odd');
        renameSync(`${file}.2`, file);
      },
    ],
    [
      'a link by now',
      (file) => {
        renameSync(file, `${file}.2`);
        symlinkSync('a.png.2', file);
      },
    ],
  ])('%s', async (_, change) => {
    const { folder, file } = newFile();
    const { state } = await readForReplacing(file, 100);
    const replacing = replaceFile(file, state, NEW, undefined, async () => change(file));
    await expect(replacing).rejects.toMatchObject({ code: 'file/changed', where: { file } });
    expect(readFileSync(file, 'utf8')).not.toBe('new');
    expect(readdirSync(folder).filter((name) => name.startsWith('.'))).toEqual([]);
  });

  test('while it is read', async () => {
    const { file } = newFile('old'.repeat(10));
    const reading = readForReplacing(file, 100, async () => writeFileSync(file, 'short'));
    await expect(reading).rejects.toMatchObject({ code: 'file/changed' });
    const growing = readForReplacing(file, 100, async () => appendFileSync(file, '!'));
    await expect(growing).rejects.toMatchObject({ code: 'file/changed' });
  });
});

test('what stops it at the last moment leaves the old file and nothing beside it', async () => {
  const { folder, file } = newFile();
  const { state } = await readForReplacing(file, 100);
  const stopped = new Error('stopped');
  await expect(replaceFile(file, state, NEW, undefined, () => Promise.reject(stopped))).rejects.toBe(stopped);
  expect(readdirSync(folder)).toEqual(['a.png']);
  expect(readFileSync(file, 'utf8')).toBe('old');
});

describe('times', () => {
  /** What the system makes of a double, looked at from outside. */
  const cut = (ns: bigint, file: string): bigint => {
    utimesSync(file, toSeconds(ns), toSeconds(ns));
    return statSync(file, { bigint: true }).mtimeNs;
  };
  /** 1980 to 2100. */
  const time = fc.bigInt({ min: 315_532_800_000_000_000n, max: 4_102_444_800_000_000_000n });

  test('stay within a quarter of a microsecond, and as doubles what they were', () => {
    const { file } = newFile();
    fc.assert(
      fc.property(time, (ns) => {
        const now = cut(ns, file);
        expect(Number(now > ns ? now - ns : ns - now)).toBeLessThan(480);
        if (ns % 1000n !== 0n) expect(asDouble(now)).toBe(asDouble(ns));
      }),
    );
  });

  test.each([-1000n, -1_500_000_000n, -86_400_000_001_000n])('before 1970 stay: %s', async (ns) => {
    const { file } = newFile();
    const { state } = await readForReplacing(file, 100);
    await replaceFile(file, state, NEW, { atimeNs: ns, mtimeNs: ns });
    const { mtimeNs } = statSync(file, { bigint: true });
    expect(Math.abs(Number(mtimeNs - ns))).toBeLessThan(480);
  });

  test('of whole microseconds stay those', () => {
    const { file } = newFile();
    fc.assert(
      fc.property(time, (ns) => {
        const whole = (ns / 1000n) * 1000n;
        expect(cut(whole, file) / 1000n).toBe(whole / 1000n);
      }),
    );
  });
});

/** As Python's `st_mtime`: seconds and 1e-9 times the rest. */
function asDouble(ns: bigint): number {
  return Number(ns / 1_000_000_000n) + 1e-9 * Number(ns % 1_000_000_000n);
}

test('what a dead process of this machine left is removed, and nothing else', async () => {
  const folder = newFolder();
  const child = spawn(process.execPath, ['-e', '0']);
  await new Promise((resolve) => child.on('close', resolve));
  const machine = createHash('sha256').update(hostname()).digest('hex').slice(0, 8);
  const stale = `.lineage-tmp-tag-${machine}-${child.pid}-0a1b2c3d-0`;
  const others = [
    `.lineage-tmp-tag-${machine}-${process.pid}-0a1b2c3d-0`,
    `.lineage-tmp-tag-00000000-${child.pid}-0a1b2c3d-0`,
    '.lineage-tmp-6a4f1c52-7f5c-4e0a-9f0c-8d0f0d6a1b2c',
    'a.png',
  ];
  for (const name of [stale, ...others]) writeFileSync(join(folder, name), '');
  await removeStaleTemporaries(folder, readdirSync(folder));
  expect(readdirSync(folder).sort()).toEqual(others.toSorted());
});
