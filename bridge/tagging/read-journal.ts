import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { isLineageError, LineageError } from '../../nodes/kit/errors.ts';
import { codeOf, reasonOf } from '../local/system-error.ts';
import { LINE_BYTES_MAX, type PackedEntry, parseEntry, parseHead } from './journal-lines.ts';

/** One line of a journal: an entry, or what is wrong with it. `readBytes` of the file are read so far. */
export type ReadEntry = { readonly line: number; readonly readBytes: number } & (
  | { readonly entry: PackedEntry }
  | { readonly damage: 'cut off' | 'damaged' }
);

/** A journal, read line by line: one entry is in memory at a time. */
export type OpenJournal = {
  readonly folders: readonly string[];
  readonly bytes: number;
  readonly entries: AsyncIterable<ReadEntry>;
};

/**
 * Opens a journal of `lineage tag`.
 *
 * @throws LineageError `file/missing`, `file/unreadable`; `undo/malformed` for a file that is none, or of another version
 */
export async function openJournal(path: string): Promise<OpenJournal> {
  try {
    const state = await stat(path);
    if (!state.isFile()) throw malformed(path, 'a folder, pipe or device');
    const lines = readLines(path);
    const first = await lines.next();
    const head = first.done ? undefined : parseHead(first.value.text);
    if (!head) throw malformed(path, 'another file');
    if (!head.isOurs) throw malformed(path, 'one of another version of Lineage');
    return { folders: head.folders, bytes: state.size, entries: readEntries(lines) };
  } catch (error) {
    throw isLineageError(error) ? error : asLineageError(path, error);
  }
}

async function* readEntries(lines: AsyncGenerator<Line>): AsyncGenerator<ReadEntry> {
  let line = 1;
  for await (const { text, isWhole, readBytes } of lines) {
    line += 1;
    const entry = parseEntry(text);
    if (entry) yield { line, readBytes, entry };
    else yield { line, readBytes, damage: isWhole ? 'damaged' : 'cut off' };
  }
}

type Line = { readonly text: string; readonly isWhole: boolean; readonly readBytes: number };

/** Lines without their ends; `isWhole` is false for a last one that has none. */
async function* readLines(path: string): AsyncGenerator<Line> {
  let pieces: Buffer[] = [];
  let length = 0;
  let readBytes = 0;
  const take = (last: Buffer): string => {
    const text = Buffer.concat([...pieces, last]).toString('utf8');
    pieces = [];
    length = 0;
    return text;
  };
  for await (const chunk of createReadStream(path)) {
    if (!Buffer.isBuffer(chunk)) continue;
    readBytes += chunk.length;
    let from = 0;
    for (let end = chunk.indexOf(10); end >= 0; end = chunk.indexOf(10, from)) {
      yield { text: take(chunk.subarray(from, end)), isWhole: true, readBytes };
      from = end + 1;
    }
    const rest = chunk.subarray(from);
    length += rest.length;
    if (length > LINE_BYTES_MAX) throw malformed(path, 'a line longer than any entry');
    if (rest.length > 0) pieces.push(rest);
  }
  if (length > 0) yield { text: take(Buffer.alloc(0)), isWhole: false, readBytes };
}

function malformed(path: string, got: string): LineageError {
  return new LineageError('undo/malformed', `expected the journal of a tag run, got ${got}`, { file: path });
}

function asLineageError(path: string, cause: unknown): LineageError {
  const missing = codeOf(cause) === 'ENOENT' || codeOf(cause) === 'ENOTDIR';
  const code = missing ? 'file/missing' : 'file/unreadable';
  return new LineageError(code, `expected a journal, got: ${reasonOf(cause)}`, { file: path }, { cause });
}
