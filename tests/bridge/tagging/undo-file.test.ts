import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { undoFile } from '../../../bridge/tagging/undo-file.ts';

test('a made-up journal changes no file that is no picture', async () => {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'lineage-undo-file-')));
  try {
    const file = join(folder, 'profile');
    const [was, made] = [Buffer.from('as its owner wrote it\n'), Buffer.from('as somebody else wants it\n')];
    writeFileSync(file, was);
    const stateOf = (bytes: Buffer) => ({
      bytes: bytes.length,
      sha256: createHash('sha256').update(bytes).digest('hex'),
    });
    const before = { ...stateOf(made), mtimeNs: 0n, atimeNs: 0n };
    const entry = { file, before, after: stateOf(was), parts: [made.length], unpack: () => made };
    const { signal } = new AbortController();
    const undone = undoFile(entry, {
      folders: ['/'],
      dryRun: false,
      maxBytes: 1e6,
      tidy: async () => {},
      signal,
    });
    await expect(undone).rejects.toMatchObject({ code: 'undo/malformed' });
    expect(readFileSync(file)).toEqual(was);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

const NO_FILE = { bytes: 10, sha256: '0'.repeat(64) };
const TIMES = { mtimeNs: 0n, atimeNs: 0n };

test('what lies outside of the tagged folders is refused before anything in its folder is touched', async () => {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'lineage-undo-file-')));
  try {
    const tidied: string[] = [];
    const entry = {
      file: join(folder, 'a.png'),
      before: { ...NO_FILE, ...TIMES },
      after: NO_FILE,
      parts: [10],
      unpack: () => expect.unreachable(),
    };
    const how = {
      dryRun: false,
      maxBytes: 1e6,
      tidy: async (path: string) => void tidied.push(path),
      signal: new AbortController().signal,
    };
    const outside = undoFile(entry, { ...how, folders: [join(folder, 'pictures')] });
    await expect(outside).rejects.toMatchObject({ code: 'path/outside' });
    expect(tidied).toEqual([]);
    await expect(undoFile(entry, { ...how, folders: [folder] })).rejects.toMatchObject({
      code: 'file/missing',
    });
    expect(tidied).toEqual([folder]);
    const large = undoFile(entry, { ...how, maxBytes: 9, folders: [folder] });
    await expect(large).rejects.toMatchObject({ code: 'undo/malformed' });
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test('what an entry keeps is unpacked for no other file than the one it belongs to', async () => {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'lineage-undo-file-')));
  try {
    const file = join(folder, 'a.png');
    writeFileSync(file, 'another one');
    const undone = undoFile(
      {
        file,
        before: { ...NO_FILE, ...TIMES },
        after: NO_FILE,
        parts: [10],
        unpack: () => expect.unreachable(),
      },
      {
        folders: [folder],
        dryRun: false,
        maxBytes: 1e6,
        tidy: async () => {},
        signal: new AbortController().signal,
      },
    );
    await expect(undone).rejects.toMatchObject({ code: 'undo/changed' });
  } finally {
    rmSync(folder, { recursive: true });
  }
});
