import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterAll, expect, test } from 'vitest';
import { createMemoryLedger, type Ledger, openLedger } from '../../../bridge/local/ledger.ts';
import type { LineageError } from '../../../nodes/kit/errors.ts';
import { fileNumber } from './children/file-number.ts';
import { startChild } from './children/start.ts';

const folder = mkdtempSync(join(tmpdir(), 'lineage-ledger-'));
afterAll(() => rmSync(folder, { recursive: true }));

let lastFile = 0;
function freshPath(): string {
  lastFile += 1;
  return join(folder, String(lastFile), 'ledger.sqlite');
}

function openStrict(path: string): Ledger {
  return openLedger(path, (error) => {
    throw error;
  });
}

function openCollecting(path: string): { ledger: Ledger; warnings: LineageError[] } {
  const warnings: LineageError[] = [];
  return { ledger: openLedger(path, (error) => warnings.push(error)), warnings };
}

const { identity, hashes } = fileNumber(1);

test.each([
  ['on disk', () => openStrict(freshPath())],
  ['in memory', createMemoryLedger],
])('%s: finds what it remembers, by every part of the identity', (_, open) => {
  const ledger = open();
  expect(ledger.find(identity)).toBeUndefined();
  ledger.remember(identity, hashes);
  expect(ledger.find(identity)).toEqual(hashes);
  for (const part of ['device', 'inode', 'bytes', 'mtimeNs', 'ctimeNs'] as const) {
    expect(ledger.find({ ...identity, [part]: identity[part] + 1n }), part).toBeUndefined();
  }
  expect(ledger.findData(identity)).toBeUndefined();
  const data = '0123456789abcdef'.repeat(4);
  ledger.rememberData({ ...identity, inode: identity.inode + 1n }, data);
  expect(ledger.findData({ ...identity, inode: identity.inode + 1n })).toBe(data);
  expect(ledger.findData(identity)).toBeUndefined();
  const withAutoV3 = { ...hashes, autoV3: '0123456789ab' };
  ledger.remember(identity, withAutoV3);
  expect(ledger.find(identity)).toEqual(withAutoV3);
  ledger.close();
});

test('rows outlive the process, 64-bit inode numbers and nanoseconds stay exact', () => {
  const path = freshPath();
  const wide = { ...identity, inode: 2n ** 64n - 1n, mtimeNs: 1_763_800_000_123_456_789n };
  const first = openStrict(path);
  first.remember(wide, hashes);
  first.close();
  const second = openStrict(path);
  expect(second.find(wide)).toEqual(hashes);
  expect(second.find({ ...wide, inode: 2n ** 64n - 2n })).toBeUndefined();
  expect(second.find({ ...wide, inode: wide.inode - 2n ** 40n })).toBeUndefined();
  expect(second.find({ ...wide, mtimeNs: wide.mtimeNs + 1n })).toBeUndefined();
  second.close();
});

test('two processes fill one ledger at once, from the moment it is made', async () => {
  const path = freshPath();
  const children = await Promise.all([
    startChild('fill-ledger.ts', [path, 0, 400]),
    startChild('fill-ledger.ts', [path, 200, 400]),
  ]);
  for (const child of children) child.go();
  for (const child of children) expect(await child.done).toMatchObject({ status: 0, errors: '' });
  const ledger = openStrict(path);
  for (let number = 0; number < 600; number++) {
    const file = fileNumber(number);
    expect(ledger.find(file.identity)).toEqual(file.hashes);
  }
  ledger.close();
});

test('it is one SQLite file with a write-ahead log and a strict table', () => {
  const path = freshPath();
  openStrict(path).close();
  const database = new DatabaseSync(path);
  expect(database.prepare('PRAGMA journal_mode').get()).toEqual({ journal_mode: 'wal' });
  expect(database.prepare(`SELECT strict FROM pragma_table_list('file_hashes')`).get()).toEqual({
    strict: 1,
  });
  database.close();
});

test('a ledger of an older version is made anew', () => {
  const path = freshPath();
  const first = openStrict(path);
  first.remember(identity, hashes);
  first.close();
  const database = new DatabaseSync(path);
  database.exec('PRAGMA user_version = 0; ALTER TABLE file_hashes DROP COLUMN auto_v3');
  database.close();
  const second = openStrict(path);
  expect(second.find(identity)).toBeUndefined();
  second.remember(identity, hashes);
  expect(second.find(identity)).toEqual(hashes);
  second.close();
});

test('a row that does not look like hashes is not believed', () => {
  const path = freshPath();
  const first = openStrict(path);
  first.remember(identity, hashes);
  first.close();
  const database = new DatabaseSync(path);
  database.exec(`UPDATE file_hashes SET sha256 = 'none'`);
  database.close();
  const second = openStrict(path);
  expect(second.find(identity)).toBeUndefined();
  second.close();
});

function damaged(path: string): void {
  mkdirSync(join(path, '..'), { recursive: true });
  writeFileSync(path, 'not a database at all, but long enough to have a header of its own'.repeat(100));
}

function foreign(path: string): void {
  mkdirSync(join(path, '..'), { recursive: true });
  const database = new DatabaseSync(path);
  database.exec('CREATE TABLE bookmarks (url TEXT)');
  database.close();
}

function newer(path: string): void {
  openStrict(path).close();
  const database = new DatabaseSync(path);
  database.exec('PRAGMA user_version = 99');
  database.close();
}

function underFile(path: string): void {
  writeFileSync(join(path, '..'), 'a file where the folder should be');
}

function isFolder(path: string): void {
  mkdirSync(path, { recursive: true });
}

test.each([
  ['damaged', damaged],
  ['of another program', foreign],
  ['of a newer version', newer],
  ['below a file', underFile],
  ['a folder', isFolder],
])('a ledger that is %s: one warning, then the work goes on in memory', (_, spoil) => {
  const path = freshPath();
  spoil(path);
  const before = spoil === damaged || spoil === newer || spoil === foreign ? readFileSync(path) : undefined;
  const { ledger, warnings } = openCollecting(path);
  ledger.remember(identity, hashes);
  expect(ledger.find(identity)).toEqual(hashes);
  ledger.close();
  expect(warnings.map(({ code, where }) => ({ code, where }))).toEqual([
    { code: 'ledger/unusable', where: { file: path } },
  ]);
  expect(warnings[0]?.cause).toBeDefined();
  if (before) expect(readFileSync(path)).toEqual(before);
});

test('a foreign database and a newer ledger keep their contents', () => {
  for (const [spoil, query, expected] of [
    [foreign, 'SELECT count(*) AS n FROM bookmarks', 0],
    [newer, 'SELECT user_version AS n FROM pragma_user_version', 99],
  ] as const) {
    const path = freshPath();
    spoil(path);
    openCollecting(path).ledger.close();
    const database = new DatabaseSync(path);
    expect(database.prepare(query).get()).toEqual({ n: expected });
    database.close();
  }
});

test('a ledger that breaks while it is open: one warning, then memory', () => {
  const path = freshPath();
  const { ledger, warnings } = openCollecting(path);
  const database = new DatabaseSync(path);
  database.exec('DROP TABLE file_hashes');
  database.close();
  ledger.remember(identity, hashes);
  expect(ledger.find(identity)).toEqual(hashes);
  ledger.remember(fileNumber(2).identity, fileNumber(2).hashes);
  expect(warnings).toHaveLength(1);
  ledger.close();
});
