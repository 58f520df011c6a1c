import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createJournal } from '../../../bridge/tagging/journal.ts';
import { formatEntry, PARTS_MAX, parseEntry, type UndoEntry } from '../../../bridge/tagging/journal-lines.ts';
import { openJournal } from '../../../bridge/tagging/read-journal.ts';
import { newFolder } from '../cli/run.ts';

const digest = fc.stringMatching(/^[0-9a-f]{64}$/);
const count = fc.nat({ max: Number.MAX_SAFE_INTEGER });
const length = fc.nat({ max: 1000 });
const drafts = fc.record({
  file: fc.string({ unit: 'binary' }).map((name) => name.toWellFormed()),
  before: fc.record({
    sha256: digest,
    mtimeNs: fc.bigInt({ min: -(10n ** 20n), max: 10n ** 20n }),
    atimeNs: fc.bigInt({ min: 0n, max: 10n ** 20n }),
  }),
  after: fc.record({ bytes: count, sha256: digest }),
  pieces: fc.array(fc.oneof(fc.uint8Array({ maxLength: 300 }), fc.tuple(count, length)), { maxLength: 5 }),
});
const entries: fc.Arbitrary<UndoEntry> = drafts.map(({ pieces, before, ...entry }) => {
  const kept = Buffer.concat(pieces.flatMap((piece) => (piece instanceof Uint8Array ? [piece] : [])));
  const parts = pieces.map((piece) => (piece instanceof Uint8Array ? piece.length : piece));
  const bytes = parts.reduce<number>((sum, part) => sum + (typeof part === 'number' ? part : part[1]), 0);
  return { ...entry, before: { ...before, bytes }, parts, kept };
});

async function read(path: string) {
  const found = [];
  for await (const each of (await openJournal(path)).entries)
    found.push('entry' in each ? each.entry : each.damage);
  return found;
}

const plainly = ({ kept, ...entry }: UndoEntry) => ({ ...entry, kept: Buffer.from(kept).toString('hex') });

describe('lines', () => {
  test('are read as they were written, each on one line', () => {
    fc.assert(
      fc.property(entries, (entry) => {
        const line = formatEntry(entry);
        expect(line.indexOf('\n')).toBe(line.length - 1);
        const found = parseEntry(line);
        const { unpack, ...rest } = found ?? {};
        expect({ ...rest, kept: Buffer.from(unpack?.() ?? []).toString('hex') }).toEqual(plainly(entry));
      }),
    );
  });

  test('that are something else are none', () => {
    fc.assert(
      fc.property(fc.oneof(fc.json(), fc.string()), (line) => {
        expect(parseEntry(line)).toBeUndefined();
      }),
    );
  });

  test('that make another length than they promise are none', () => {
    const line = formatEntry(entryOf('1'));
    expect(parseEntry(line)).toBeDefined();
    expect(parseEntry(line.replace('[[0,4],3]', '[[0,5],3]'))).toBeUndefined();
    expect(parseEntry(line.replace('[[0,4],3]', '[[0,4],4]'))).toBeUndefined();
  });

  test('unpack to what their parts take, and to nothing longer, shorter or torn', () => {
    const entry = entryOf('1');
    const unpacked = (kept: Uint8Array) => parseEntry(formatEntry({ ...entry, kept }))?.unpack();
    expect(Buffer.from(unpacked(entry.kept) ?? [])).toEqual(Buffer.of(1, 2, 3));
    expect(unpacked(new Uint8Array(100_000_000))).toBeUndefined();
    expect(unpacked(new Uint8Array(4))).toBeUndefined();
    expect(unpacked(new Uint8Array(2))).toBeUndefined();
    expect(parseEntry(formatEntry(entry).replace('"kept":"', '"kept":"////'))?.unpack()).toBeUndefined();
  });

  test('of more parts than any picture has are none, and told without reading them', () => {
    const many = (parts: number) =>
      formatEntry({
        ...entryOf('1'),
        before: { ...entryOf('1').before, bytes: parts },
        parts: Array.from({ length: parts }, () => [0, 1] as const),
        kept: new Uint8Array(0),
      });
    expect(parseEntry(many(PARTS_MAX))?.parts).toHaveLength(PARTS_MAX);
    expect(parseEntry(many(PARTS_MAX + 1))).toBeUndefined();
    // Parsing these would take seconds and gigabytes.
    const hostile = formatEntry(entryOf('1')).replace('[[0,4],3]', `[${'[0,1000],'.repeat(2_000_000)}3]`);
    const start = performance.now();
    expect(parseEntry(hostile)).toBeUndefined();
    expect(performance.now() - start).toBeLessThan(1000);
  });
});

function state(digit: number) {
  return { bytes: digit, sha256: String(digit).repeat(64) };
}

function entryOf(name: string): UndoEntry {
  const before = { ...state(7), mtimeNs: 5n, atimeNs: 6n };
  return { file: `/a/${name}`, before, after: state(2), parts: [[0, 4], 3], kept: Uint8Array.of(1, 2, 3) };
}

describe('a journal', () => {
  test('holds every entry once its promise is kept, in the order of the calls', async () => {
    const path = join(newFolder(), 'deep/er/journal.jsonl');
    const journal = createJournal(path, { folders: ['/a'] });
    expect(journal.path()).toBeUndefined();
    const names = Array.from({ length: 50 }, (_, at) => String(at));
    await Promise.all(
      names.map(async (name) => {
        await journal.append(entryOf(name));
        expect(readFileSync(path, 'utf8')).toContain(`"/a/${name}"`);
      }),
    );
    await journal.close();
    const found = await read(path);
    expect(found.map((each) => (typeof each === 'string' ? each : each.file))).toEqual(
      names.map((name) => `/a/${name}`),
    );
    expect((await openJournal(path)).folders).toEqual(['/a']);
  });

  test('refuses an entry of more parts than it reads back, and goes on', async () => {
    const path = join(newFolder(), 'journal.jsonl');
    const journal = createJournal(path, { folders: ['/a'] });
    const parts = Array.from({ length: PARTS_MAX + 1 }, () => 0);
    const refused = journal.append({ ...entryOf('1'), parts });
    await expect(refused).rejects.toMatchObject({ code: 'undo/too-large' });
    await journal.append(entryOf('2'));
    await journal.close();
    expect(await read(path)).toMatchObject([{ file: '/a/2' }]);
  });

  test('that failed once takes no more: what follows a torn line could not be told from it', async () => {
    const folder = newFolder();
    writeFileSync(join(folder, 'taken'), '');
    const journal = createJournal(join(folder, 'taken/journal.jsonl'), { folders: ['/a'] });
    const refusal = { code: 'file/unwritable', where: { file: join(folder, 'taken/journal.jsonl') } };
    await expect(journal.append(entryOf('1'))).rejects.toMatchObject(refusal);
    rmSync(join(folder, 'taken'));
    mkdirSync(join(folder, 'taken'));
    await expect(journal.append(entryOf('2'))).rejects.toBe(journal.failure());
    expect(journal.path()).toBeUndefined();
    await journal.close();
  });

  test('is read whatever its end, and in pieces of any length', async () => {
    const path = join(newFolder(), 'journal.jsonl');
    const journal = createJournal(path, { folders: ['/a'] });
    for (const name of ['1', '2', '3'.repeat(200_000)]) await journal.append(entryOf(name));
    await journal.close();
    const whole = readFileSync(path);
    const lines = whole.toString().trimEnd().split('\n');
    for (const length of [whole.length - 1, whole.length - 2, whole.length - 150_000]) {
      writeFileSync(path, whole.subarray(0, length));
      const found = await read(path);
      // Without its last newline alone the entry is whole.
      expect(found).toHaveLength(3);
      expect(found[2] === 'cut off').toBe(length < whole.length - 1);
    }
    writeFileSync(path, [lines[0], 'x', lines[2], ''].join('\n'));
    expect((await read(path)).map((each) => (typeof each === 'string' ? each : each.file))).toEqual([
      'damaged',
      '/a/2',
    ]);
  });
});
