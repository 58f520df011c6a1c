import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { LineageError } from '../../nodes/kit/errors.ts';
import type { FileHashes } from '../../nodes/kit/values.ts';
import type { FileIdentity } from './file-identity.ts';
import { reasonOf } from './system-error.ts';

/** What is known of files by their identity. Never throws: see `openLedger`. */
export type Ledger = {
  find(file: FileIdentity): FileHashes | undefined;
  remember(file: FileIdentity, hashes: FileHashes): void;
  /** SHA-256 of what follows a safetensors file's header, 64 digits. */
  findData(file: FileIdentity): string | undefined;
  rememberData(file: FileIdentity, dataSha256: string): void;
  /** Further calls answer as an empty ledger. */
  close(): void;
};

/** Stored in the file's header, so that no other program's database is ever taken for a ledger: "LNGE". */
const APPLICATION_ID = 0x4c4e4745;
/** Raise it when the table changes; a ledger of an older version is made anew, since every row can be computed again. */
const SCHEMA_VERSION = 2;
/** How long a write waits for another process. Writes take under a millisecond each. */
const BUSY_TIMEOUT_MS = 5_000;
const BUSY_ATTEMPTS = 500;
/** @see https://www.sqlite.org/rescode.html#busy */
const SQLITE_BUSY = 5;

/** Numbers are SQLite's signed 64 bits. */
const KEY_COLUMNS = `device INTEGER NOT NULL,
  inode INTEGER NOT NULL,
  bytes INTEGER NOT NULL,
  mtime_ns INTEGER NOT NULL,
  ctime_ns INTEGER NOT NULL`;
const PRIMARY_KEY = 'PRIMARY KEY (device, inode, bytes, mtime_ns, ctime_ns)';
const WHERE_KEY = 'WHERE device = ? AND inode = ? AND bytes = ? AND mtime_ns = ? AND ctime_ns = ?';

/**
 * AutoV2 is not stored because it is the start of the SHA-256. The hash of a file's data has a table of its own: of a
 * merge that was hashed while it was made it is all that is known.
 */
const TABLES = `CREATE TABLE file_hashes (
  ${KEY_COLUMNS},
  sha256 TEXT NOT NULL,
  auto_v1 TEXT NOT NULL,
  auto_v3 TEXT,
  ${PRIMARY_KEY}
) STRICT, WITHOUT ROWID;
CREATE TABLE data_hashes (
  ${KEY_COLUMNS},
  sha256 TEXT NOT NULL,
  ${PRIMARY_KEY}
) STRICT, WITHOUT ROWID;`;

/**
 * Opens the ledger: one SQLite file (write-ahead log) that any number of processes share.
 *
 * It is a cache: all it holds can be read from the model files again. So where the file is damaged, locked for
 * too long, not writable, not a ledger, or of a newer version, the work goes on with a ledger in memory, `warn`
 * gets one LineageError `ledger/unusable` with the cause, and the file stays as it is.
 *
 * @param path the ledger file, by custom `$LINEAGE_HOME/ledger.sqlite`; it and its folder are made when missing.
 */
export function openLedger(path: string, warn: (error: LineageError) => void): Ledger {
  let disk: Ledger | undefined;
  const memory = createMemoryLedger();

  function orMemory<T>(work: (ledger: Ledger) => T): T {
    if (!disk) return work(memory);
    try {
      return work(disk);
    } catch (error) {
      disk = undefined;
      warn(unusable(path, error));
      return work(memory);
    }
  }

  try {
    disk = openOnDisk(path);
  } catch (error) {
    warn(unusable(path, error));
  }
  return {
    find: (file) => orMemory((ledger) => ledger.find(file)),
    remember: (file, hashes) => orMemory((ledger) => ledger.remember(file, hashes)),
    findData: (file) => orMemory((ledger) => ledger.findData(file)),
    rememberData: (file, dataSha256) => orMemory((ledger) => ledger.rememberData(file, dataSha256)),
    close() {
      orMemory((ledger) => ledger.close());
      disk = undefined;
    },
  };
}

/** A ledger that lives as long as this process, for callers that may leave nothing behind. */
export function createMemoryLedger(): Ledger {
  const known = new Map<string, FileHashes>();
  const data = new Map<string, string>();
  return {
    find: (file) => known.get(keyOf(file).join(':')),
    remember: (file, hashes) => void known.set(keyOf(file).join(':'), hashes),
    findData: (file) => data.get(keyOf(file).join(':')),
    rememberData: (file, dataSha256) => void data.set(keyOf(file).join(':'), dataSha256),
    close() {
      known.clear();
      data.clear();
    },
  };
}

function unusable(path: string, cause: unknown): LineageError {
  return new LineageError(
    'ledger/unusable',
    `expected a ledger that can be read and written, got: ${reasonOf(cause)}; hashes are not kept for the next time`,
    { file: path },
    { cause },
  );
}

function openOnDisk(path: string): Ledger {
  mkdirSync(dirname(path), { recursive: true });
  const database = new DatabaseSync(path, { timeout: BUSY_TIMEOUT_MS });
  try {
    prepareSchema(database);
    const select = database.prepare(`SELECT sha256, auto_v1, auto_v3 FROM file_hashes ${WHERE_KEY}`);
    const selectData = database.prepare(`SELECT sha256 FROM data_hashes ${WHERE_KEY}`);
    const insertData = database.prepare('INSERT OR REPLACE INTO data_hashes VALUES (?, ?, ?, ?, ?, ?)');
    const insert = database.prepare(`INSERT OR REPLACE INTO file_hashes VALUES (?, ?, ?, ?, ?, ?, ?, ?)`);
    return {
      find: (file) => readRow(select.get(...keyOf(file))),
      remember(file, { sha256, autoV1, autoV3 }) {
        insert.run(...keyOf(file), sha256, autoV1, autoV3 ?? null);
      },
      findData: (file) => hexOf(selectData.get(...keyOf(file))?.['sha256'], 64),
      rememberData: (file, dataSha256) => void insertData.run(...keyOf(file), dataSha256),
      close: () => database.close(),
    };
  } catch (error) {
    database.close();
    throw error;
  }
}

/** One process makes the table, the others wait for it and find it made. */
function prepareSchema(database: DatabaseSync): void {
  refuseOthers(database);
  switchToWriteAheadLog(database);
  // A cache may lose its last rows to a power cut, so it does not wait for the disk.
  database.exec('PRAGMA synchronous = NORMAL');
  if (readPragma(database, 'user_version') === SCHEMA_VERSION) return;

  database.exec('BEGIN IMMEDIATE');
  try {
    if (readPragma(database, 'user_version') < SCHEMA_VERSION) {
      database.exec(`DROP TABLE IF EXISTS file_hashes; DROP TABLE IF EXISTS data_hashes; ${TABLES}
        PRAGMA application_id = ${APPLICATION_ID}; PRAGMA user_version = ${SCHEMA_VERSION}`);
    }
    database.exec('COMMIT');
  } catch (error) {
    if (database.isTransaction) database.exec('ROLLBACK');
    throw error;
  }
}

/**
 * The mode stays with the file; a file system without shared memory answers with another one, which works too. SQLite
 * does not wait here: of two processes that switch a new file at once, one is told at once that it is locked.
 */
function switchToWriteAheadLog(database: DatabaseSync): void {
  for (let attempt = 1; ; attempt++) {
    try {
      database.exec('PRAGMA journal_mode = WAL');
      return;
    } catch (error) {
      const isBusy = error instanceof Error && 'errcode' in error && error.errcode === SQLITE_BUSY;
      if (!isBusy || attempt === BUSY_ATTEMPTS) throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, BUSY_TIMEOUT_MS / BUSY_ATTEMPTS);
    }
  }
}

/** Before anything is written: what is in the file already must be a ledger that we understand. */
function refuseOthers(database: DatabaseSync): void {
  const tables = database.prepare('SELECT count(*) AS count FROM sqlite_schema').get()?.['count'];
  if (tables === 0) return;
  if (readPragma(database, 'application_id') !== APPLICATION_ID) {
    throw new Error('the file is the database of another program');
  }
  const version = readPragma(database, 'user_version');
  if (version > SCHEMA_VERSION) throw new Error(`the file is of the newer version ${version}`);
}

function readPragma(database: DatabaseSync, name: 'user_version' | 'application_id'): number {
  return Number(database.prepare(`PRAGMA ${name}`).get()?.[name]);
}

/** Inode numbers use all 64 bits on some file systems; the sign does not matter in a key. */
function keyOf(file: FileIdentity): [bigint, bigint, bigint, bigint, bigint] {
  const { device, inode, bytes, mtimeNs, ctimeNs } = file;
  return [BigInt.asIntN(64, device), BigInt.asIntN(64, inode), bytes, mtimeNs, ctimeNs];
}

/** A row that does not look like hashes is as good as none: the file is read again and the row replaced. */
function readRow(row: Record<string, unknown> | undefined): FileHashes | undefined {
  const sha256 = hexOf(row?.['sha256'], 64);
  const autoV1 = hexOf(row?.['auto_v1'], 8);
  if (sha256 === undefined || autoV1 === undefined) return undefined;
  const autoV3 = hexOf(row?.['auto_v3'], 12);
  const hashes = { sha256, autoV1, autoV2: sha256.slice(0, 10) };
  return autoV3 === undefined ? hashes : { ...hashes, autoV3 };
}

function hexOf(value: unknown, digits: number): string | undefined {
  return typeof value === 'string' && value.length === digits && /^[0-9a-f]*$/.test(value)
    ? value
    : undefined;
}
