import { randomBytes } from 'node:crypto';
import {
  closeSync,
  constants,
  fstatSync,
  lstatSync,
  openSync,
  read as readCallback,
  readSync,
  renameSync,
  unlinkSync,
  write as writeCallback,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { LineageError } from '../../nodes/kit/errors.ts';
import type { Pixels } from '../../nodes/kit/values.ts';
import { codeOf, reasonOf } from '../local/system-error.ts';
import type { ExchangeFile } from './messages.ts';
import { bodyBytes, HEAD_BYTES, type RawShape, readHead, writeHead } from './raw-file.ts';

/**
 * Raw files by which pixels pass between ComfyUI's process and this one. Each has an owner, who made it and removes
 * it; the other side knows only its name.
 */
export type Exchange = {
  /**
   * Reads a batch of pictures of the other side's, each into memory of its own that is the caller's.
   * @throws LineageError `exchange/name`, `exchange/file`
   */
  readPixels(file: ExchangeFile): Promise<readonly Pixels[]>;
  /**
   * Takes the memory of pictures that `readPixels` gave back, for the next ones; what else is in the batch is left
   * alone. Whoever kept an array finds it empty, never filled with another picture. Nothing may be reading it any more.
   */
  recycle(batch: readonly Pixels[]): void;
  /** As `readPixels`, for bytes. */
  readBytes(file: ExchangeFile): Promise<Uint8Array>;
  /**
   * Writes a batch of one shape and one type of samples, not modified.
   * @throws LineageError `exchange/full`, `exchange/file`, `image/shape`
   */
  writePixels(batch: readonly Pixels[]): Promise<ExchangeFile>;
  /** As `writePixels`, for bytes. */
  writeBytes(bytes: Uint8Array): Promise<ExchangeFile>;
  /**
   * The other side has read a file of ours, or never will: it goes, at once or, if it is large, when no other of its
   * size was written over it for a while. Any other name does nothing.
   */
  release(name: string): void;
};

/** A link in the folder is not followed; a pipe does not hold us up. Windows has neither flag. */
const READ = constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0);
const CREATE = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | (constants.O_NOFOLLOW ?? 0);
const OVERWRITE = constants.O_WRONLY | (constants.O_NOFOLLOW ?? 0);

/** Where memory ran out, the next folder is tried. */
const FULL = new Set(['ENOSPC', 'EDQUOT', 'ENOMEM', 'EFBIG']);

/**
 * Fresh pages of shared memory cost four times what copying into used ones does (12 MiB: 9 ms and 2 ms), so a file of
 * pixels that was read is written over by the next of its size. Few stay, and not for long.
 */
const KEPT_FROM_BYTES = 1 << 20;
const KEPT_BYTES = 512 * 1024 * 1024;
const KEEP_MS = 1_000;

/**
 * Memory that a picture was read into is kept for the next one of its size, as long as files are. New memory for each
 * costs its pages (12 MiB: 4 to 8 ms), and makes V8 collect garbage every third picture (10 to 20 ms).
 */
const KEPT_MEMORY_BYTES = 256 * 1024 * 1024;

type Owned = { readonly file: ExchangeFile; readonly path: string; readonly bytes: number };

/**
 * @param folders private to this user, in order of preference: shared memory, then a disk.
 * @param warn hears of files that cannot be removed.
 */
export function createExchange(
  folders: readonly string[],
  warn: (message: string) => void = () => {},
): Exchange {
  const owned = new Map<string, Owned>();
  const free = new Set<Owned>();
  const lent = new WeakSet<ArrayBufferLike>();
  const spare: ArrayBuffer[] = [];
  let idle: ReturnType<typeof setTimeout> | undefined;

  async function read<T>(file: ExchangeFile, take: (handle: number, shape: RawShape) => Promise<T>) {
    const folder = folders[file.place];
    if (folder === undefined || !/^[0-9a-f]{32}$/.test(file.name))
      throw new LineageError('exchange/name', 'expected the name of an exchange file, got another text');
    const path = join(folder, file.name);
    let handle: number | undefined;
    try {
      // Where the open cannot refuse links, this does; the folder is ours alone, so nobody swaps it meanwhile.
      if (constants.O_NOFOLLOW === undefined && lstatSync(path).isSymbolicLink())
        throw new LineageError('exchange/file', 'expected a file, got a link', { file: file.name });
      handle = openSync(path, READ);
      const stat = fstatSync(handle);
      if (!stat.isFile() || stat.nlink > 1)
        throw new LineageError('exchange/file', 'expected a file of one name, got something else', {
          file: file.name,
        });
      const head = new Uint8Array(HEAD_BYTES);
      await fill(handle, head, 0);
      return await take(handle, readHead(head, stat.size));
    } catch (error) {
      if (error instanceof LineageError) throw error;
      throw new LineageError(
        'exchange/file',
        `expected an exchange file, got: ${codeOf(error) || reasonOf(error)}`,
        { file: file.name },
        { cause: error },
      );
    } finally {
      if (handle !== undefined) closeSync(handle);
    }
  }

  async function write(shape: RawShape, parts: readonly Uint8Array[]): Promise<ExchangeFile> {
    const all = [writeHead(shape), ...parts];
    const bytes = HEAD_BYTES + bodyBytes(shape);
    let cause: unknown;
    for (const { made, flags } of placesFor(bytes)) {
      try {
        await fillFile(made.path, flags, all);
        return made.file;
      } catch (error) {
        remove(made);
        const code = codeOf(error);
        if (code === '') throw error;
        if (!FULL.has(code))
          throw new LineageError(
            'exchange/file',
            `expected to write an exchange file, got: ${code}`,
            { file: made.file.name },
            { cause: error },
          );
        cause = error;
      }
    }
    throw new LineageError(
      'exchange/full',
      `expected room for ${bodyBytes(shape)} bytes, got none in ${folders.join(' or ')}`,
      {},
      { cause },
    );
  }

  /** What to write to until one has room, and how to open each: a file that is kept, then a new one in every folder. */
  function* placesFor(bytes: number): Iterable<{ readonly made: Owned; readonly flags: number }> {
    const used = takeFree(bytes);
    if (used) yield { made: used, flags: OVERWRITE };
    for (const place of folders.keys()) yield { made: own(place, bytes), flags: CREATE };
  }

  /** A file to write over, under a new name: what is still said of the old one then means nothing. */
  function takeFree(bytes: number): Owned | undefined {
    const old = [...free].find((each) => each.bytes === bytes);
    if (!old) return undefined;
    free.delete(old);
    const made = own(old.file.place, bytes);
    try {
      renameSync(old.path, made.path);
    } catch {
      // It cannot be used again; a new file is made, which says what is wrong if it cannot be either.
      owned.delete(made.file.name);
      remove(old);
      return undefined;
    }
    owned.delete(old.file.name);
    return made;
  }

  function own(place: number, bytes: number): Owned {
    const file = { place, name: randomBytes(16).toString('hex') };
    const made = { file, path: join(folders[place] ?? '', file.name), bytes };
    owned.set(file.name, made);
    return made;
  }

  function release(name: string): void {
    const file = owned.get(name);
    if (!file || free.has(file)) return;
    const kept = [...free].reduce((sum, { bytes }) => sum + bytes, 0);
    if (file.bytes < KEPT_FROM_BYTES || kept + file.bytes > KEPT_BYTES) remove(file);
    else {
      free.add(file);
      keepForAWhile();
    }
  }

  function keepForAWhile(): void {
    clearTimeout(idle);
    idle = setTimeout(dropFree, KEEP_MS).unref();
  }

  function lend(bytes: number): ArrayBuffer {
    const at = spare.findIndex(({ byteLength }) => byteLength === bytes);
    const memory = spare.splice(at, at < 0 ? 0 : 1)[0] ?? new ArrayBuffer(bytes);
    lent.add(memory);
    return memory;
  }

  function recycle(batch: readonly Pixels[]): void {
    for (const { data } of batch) {
      const { buffer } = data;
      if (!(buffer instanceof ArrayBuffer) || !lent.delete(buffer)) continue;
      const kept = spare.reduce((sum, { byteLength }) => sum + byteLength, 0);
      if (buffer.byteLength < KEPT_FROM_BYTES || kept + buffer.byteLength > KEPT_MEMORY_BYTES) continue;
      spare.push(buffer.transfer());
      keepForAWhile();
    }
  }

  function dropFree(): void {
    spare.length = 0;
    const files = [...free];
    free.clear();
    for (const file of files) {
      try {
        remove(file);
      } catch (error) {
        // Called by a timer: one file that stays is no reason to end the bridge, and the folder goes with it.
        warn(`${file.path} cannot be removed: ${reasonOf(error)}`);
      }
    }
  }

  function remove(file: Owned): void {
    owned.delete(file.file.name);
    try {
      unlinkSync(file.path);
    } catch (error) {
      // The folder goes with ComfyUI, perhaps before us; or there was no room to make the file.
      if (codeOf(error) !== 'ENOENT') throw error;
    }
  }

  return {
    readPixels: (file) =>
      read(file, async (handle, shape) => {
        if (shape.kind === 'bytes') throw new LineageError('exchange/file', 'expected pixels, got bytes');
        const { width, height, channels, kind } = shape;
        const bytes = bodyBytes({ ...shape, batch: 1 });
        const batch: Pixels[] = [];
        for (let index = 0; index < shape.batch; index++) {
          const samples = new Uint8Array(lend(bytes));
          await fill(handle, samples, HEAD_BYTES + index * bytes);
          const data = kind === 'uint8' ? samples : new Float32Array(samples.buffer);
          batch.push({ width, height, channels, data });
        }
        return batch;
      }),

    readBytes: (file) =>
      read(file, async (handle, shape) => {
        if (shape.kind !== 'bytes') throw new LineageError('exchange/file', 'expected bytes, got pixels');
        const bytes = new Uint8Array(shape.length);
        await fill(handle, bytes, HEAD_BYTES);
        return bytes;
      }),

    // An async function, so that a batch that does not fit is a rejection like any other.
    writePixels: async (batch) =>
      await write(
        shapeOf(batch),
        batch.map(({ data }) => bytesOf(data)),
      ),
    writeBytes: (bytes) => write({ kind: 'bytes', length: bytes.byteLength }, [bytes]),
    recycle,
    release,
  };
}

function bytesOf(data: Uint8Array | Float32Array): Uint8Array {
  return data instanceof Uint8Array ? data : new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
}

/** @throws LineageError `image/shape` where the pictures differ, or have other samples than they say */
function shapeOf(batch: readonly Pixels[]): RawShape {
  const [first] = batch;
  if (!first) throw new LineageError('image/shape', 'expected a batch of pictures, got an empty one');
  const { width, height, channels } = first;
  const kind = first.data instanceof Uint8Array ? 'uint8' : 'float32';
  for (const each of batch) {
    const sameShape = each.width === width && each.height === height && each.channels === channels;
    const sameType = each.data instanceof Uint8Array === first.data instanceof Uint8Array;
    if (!sameShape || !sameType || each.data.length !== width * height * channels)
      throw new LineageError('image/shape', 'expected pictures of one shape, got different ones');
  }
  return { kind, batch: batch.length, width, height, channels };
}

/**
 * Opening, looking and a few bytes take microseconds in a folder of memory, less than the way to another thread and
 * back; from this size on, copying would hold up everybody else.
 */
const ASIDE_FROM_BYTES = 256 * 1024;
/** What one thread copies at a time: several copy side by side, most of the time being spent on fresh pages. */
const PIECE_BYTES = 4 * 1024 * 1024;
const PIECES_AT_ONCE = 4;
const readAside = promisify(readCallback);
const writeAside = promisify(writeCallback);

async function fill(handle: number, into: Uint8Array, position: number): Promise<void> {
  await inPieces(into.byteLength, async (from, length, isSmall) => {
    const read = isSmall
      ? readSync(handle, into, from, length, position + from)
      : (await readAside(handle, into, from, length, position + from)).bytesRead;
    if (read > 0) return read;
    throw new LineageError('exchange/file', `expected ${into.byteLength} bytes, got fewer`);
  });
}

async function fillFile(path: string, flags: number, parts: readonly Uint8Array[]): Promise<void> {
  const handle = openSync(path, flags, 0o600);
  try {
    let position = 0;
    for (const part of parts) {
      const start = position;
      await inPieces(part.byteLength, async (from, length, isSmall) =>
        isSmall
          ? writeSync(handle, part, from, length, start + from)
          : (await writeAside(handle, part, from, length, start + from)).bytesWritten,
      );
      position += part.byteLength;
    }
  } finally {
    closeSync(handle);
  }
}

/** Calls `copy` for every piece until all bytes are done; it says how many of its bytes it took. */
async function inPieces(
  bytes: number,
  copy: (from: number, length: number, isSmall: boolean) => Promise<number>,
): Promise<void> {
  let next = 0;
  const work = async (): Promise<void> => {
    while (next < bytes) {
      const end = Math.min(next + PIECE_BYTES, bytes);
      let from = next;
      next = end;
      while (from < end) from += await copy(from, end - from, bytes < ASIDE_FROM_BYTES);
    }
  };
  // All are waited for, also when one fails: the file is closed next.
  const outcomes = await Promise.allSettled(Array.from({ length: PIECES_AT_ONCE }, work));
  for (const outcome of outcomes) if (outcome.status === 'rejected') throw outcome.reason;
}
