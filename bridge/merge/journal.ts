import { appendFile, open, readFile } from 'node:fs/promises';
import { crc32 } from 'node:zlib';
import { isRecord } from '../../nodes/kit/is-record.ts';
import { codeOf } from '../local/system-error.ts';
import type { UnitDamage } from './damage.ts';

/** A unit that is in the file: its number, its checksum by the kernels, and what was wrong with its numbers. */
export type JournalRow = {
  readonly unit: number;
  readonly checksum: number;
  readonly damage: readonly UnitDamage[];
};

/** Raise it when units of the same job come to lie elsewhere, or rows look different. */
const VERSION = 2;

/**
 * The lines of a journal: `crc32 json`, the first the job's identity, each other one a list of rows. A line that was
 * torn by a crash, or that anybody changed, ends it: what follows is made again, which is always right.
 *
 * @returns the rows; undefined where there is no journal of this job.
 */
export async function readJournal(path: string, identity: string): Promise<JournalRow[] | undefined> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw error;
  }
  const [head, ...lines] = text.split('\n');
  if (head !== lineOf(headOf(identity))) return undefined;
  // A unit that was made again has a later row, and that counts.
  const rows = new Map<number, JournalRow>();
  for (const line of lines) {
    const read = readLine(line);
    if (!read) break;
    for (const row of read) rows.set(row.unit, row);
  }
  return [...rows.values()];
}

/** Begins a journal that claims these rows, in place of what was there. Flushed, so that it is there before its file. */
export async function beginJournal(
  path: string,
  identity: string,
  rows: readonly JournalRow[],
): Promise<void> {
  const file = await open(path, 'w');
  try {
    await file.writeFile(`${lineOf(headOf(identity))}\n${rows.length > 0 ? `${lineOf(rows)}\n` : ''}`);
    await file.sync();
  } finally {
    await file.close();
  }
}

/**
 * Adds rows whose bytes are in the file already.
 *
 * @param flush waits until they will outlive a power cut.
 */
export async function appendRows(path: string, rows: readonly JournalRow[], flush: boolean): Promise<void> {
  await appendFile(path, `${lineOf(rows)}\n`, { flush });
}

function headOf(identity: string) {
  return { version: VERSION, job: identity };
}

function lineOf(value: unknown): string {
  const json = JSON.stringify(value);
  return `${crc32(json).toString(16).padStart(8, '0')} ${json}`;
}

function readLine(line: string): JournalRow[] | undefined {
  const json = line.slice(9);
  if (line !== `${crc32(json).toString(16).padStart(8, '0')} ${json}`) return undefined;
  const rows: unknown = JSON.parse(json);
  return Array.isArray(rows) ? rows.filter(isRow) : undefined;
}

/** The checksum of the line says that we wrote it; this is for the types. */
function isRow(value: unknown): value is JournalRow {
  return (
    isRecord(value) &&
    typeof value['unit'] === 'number' &&
    typeof value['checksum'] === 'number' &&
    Array.isArray(value['damage'])
  );
}
