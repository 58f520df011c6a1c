import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { isLineageError, LineageError } from '../../../nodes/kit/errors.ts';
import { reasonOf } from '../../local/system-error.ts';

/** In the file's header, so that no other program's database is taken for ours: "LNGQ". */
const APPLICATION_ID = 0x4c4e4751;
/** Raise it when a table changes. */
const SCHEMA_VERSION = 1;
/** @see https://www.sqlite.org/rescode.html#busy */
const SQLITE_BUSY = 5;

/**
 * Prompts that wait or run, and what became of the others. Texts are JSON as it is answered, so a list is sent
 * without being parsed; they stand in tables of their own, so that counting, sorting and skipping read small rows
 * only. An index is the priority queue: in memory there is nothing of a waiting prompt.
 */
const TABLES = `
  CREATE TABLE queue (
    sequence INTEGER PRIMARY KEY AUTOINCREMENT,
    number REAL NOT NULL,
    prompt_id TEXT NOT NULL,
    running INTEGER NOT NULL DEFAULT 0,
    create_time INTEGER NOT NULL,
    workflow_id TEXT
  ) STRICT;
  CREATE INDEX queue_order ON queue (running, number, sequence);
  CREATE INDEX queue_id ON queue (prompt_id);
  CREATE TABLE queue_text (
    sequence INTEGER PRIMARY KEY REFERENCES queue ON DELETE CASCADE,
    prompt TEXT NOT NULL,
    extra_data TEXT NOT NULL,
    outputs TEXT NOT NULL
  ) STRICT;
  CREATE TABLE history (
    sequence INTEGER PRIMARY KEY AUTOINCREMENT,
    prompt_id TEXT NOT NULL UNIQUE,
    status TEXT NOT NULL,
    create_time INTEGER NOT NULL,
    duration REAL NOT NULL,
    workflow_id TEXT
  ) STRICT;
  CREATE TABLE history_text (
    sequence INTEGER PRIMARY KEY REFERENCES history ON DELETE CASCADE,
    job TEXT NOT NULL,
    entry TEXT NOT NULL
  ) STRICT;`;

/**
 * Opens the database of the queue and its history, one SQLite file (write-ahead log) that one server owns: a second
 * one is refused. Where it is new, it is made, with its folder.
 *
 * A commit is not flushed to the disk: the death of this process loses nothing, a power cut may lose the last rows.
 *
 * @param path a file, or `:memory:`
 * @throws LineageError `serve/data-in-use`, `serve/store-unusable`
 */
export function openStore(path: string): DatabaseSync {
  let database: DatabaseSync | undefined;
  try {
    if (path !== ':memory:') mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    database = new DatabaseSync(path, { timeout: 0, enableForeignKeyConstraints: true });
    prepare(database);
    return database;
  } catch (error) {
    database?.close();
    if (isLineageError(error)) throw error;
    if (isBusy(error)) {
      throw new LineageError(
        'serve/data-in-use',
        'expected to be the only server of this folder, another one runs',
        { file: path },
        { cause: error },
      );
    }
    throw new LineageError(
      'serve/store-unusable',
      `expected a database that can be read and written, got: ${reasonOf(error)}`,
      { file: path },
      { cause: error },
    );
  }
}

/** Runs writes that belong together. @throws what `work` throws, with nothing written */
export function inTransaction<T>(database: DatabaseSync, work: () => T): T {
  database.exec('BEGIN');
  try {
    const result = work();
    database.exec('COMMIT');
    return result;
  } catch (error) {
    if (database.isTransaction) database.exec('ROLLBACK');
    throw error;
  }
}

function prepare(database: DatabaseSync): void {
  // The system drops the lock with the process, however that ends.
  database.exec('PRAGMA locking_mode = EXCLUSIVE');
  database.exec('BEGIN EXCLUSIVE; COMMIT');
  const tables = Number(database.prepare('SELECT count(*) AS count FROM sqlite_schema').get()?.['count']);
  if (tables > 0) refuseOthers(database);
  database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL');
  if (tables > 0) return;
  inTransaction(database, () => {
    database.exec(TABLES);
    database.exec(`PRAGMA application_id = ${APPLICATION_ID}; PRAGMA user_version = ${SCHEMA_VERSION}`);
  });
}

function refuseOthers(database: DatabaseSync): void {
  const pragma = (name: string): number => Number(database.prepare(`PRAGMA ${name}`).get()?.[name]);
  if (pragma('application_id') !== APPLICATION_ID) throw new Error('the file is of another program');
  const version = pragma('user_version');
  if (version !== SCHEMA_VERSION) throw new Error(`the file is of version ${version}, not ${SCHEMA_VERSION}`);
}

/** NOMEM, READONLY, IOERR, FULL, CANTOPEN. @see https://www.sqlite.org/rescode.html */
const FAILING: ReadonlySet<number> = new Set([7, 8, 10, 13, 14]);

/** Whether an error says that the database cannot be written now: a full disk, or one that fails. */
export function isStoreFailing(error: unknown): boolean {
  if (!(error instanceof Error) || !('errcode' in error) || typeof error.errcode !== 'number') return false;
  // Above the lowest byte stand the details.
  return FAILING.has(error.errcode & 0xff);
}

function isBusy(error: unknown): boolean {
  return error instanceof Error && 'errcode' in error && error.errcode === SQLITE_BUSY;
}
