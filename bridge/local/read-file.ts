import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { LineageError } from '../../nodes/kit/errors.ts';
import { codeOf, reasonOf } from './system-error.ts';

/**
 * Reads a whole file that a person named.
 * @param maxBytes the most that is read; a longer file is refused before its bytes are.
 * @throws LineageError `file/missing`; `file/unreadable` for a folder, pipe or device, for lack of permission and
 *   for a file over `maxBytes`
 */
export async function readFileChecked(path: string, maxBytes: number): Promise<Uint8Array<ArrayBuffer>> {
  let file: FileHandle | undefined;
  try {
    // Non-blocking, so that opening a named pipe comes back and can be refused.
    file = await open(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
    const stat = await file.stat();
    if (!stat.isFile())
      throw unreadable(path, `expected a file, got a ${stat.isDirectory() ? 'folder' : 'device or pipe'}`);
    if (stat.size > maxBytes) throw unreadable(path, `expected at most ${maxBytes} bytes, got ${stat.size}`);
    return await readUpTo(file, stat.size);
  } catch (error) {
    if (error instanceof LineageError) throw error;
    const missing = codeOf(error) === 'ENOENT' || codeOf(error) === 'ENOTDIR';
    throw new LineageError(
      missing ? 'file/missing' : 'file/unreadable',
      missing ? 'expected a file, got none of this name' : `expected a file to read, got: ${reasonOf(error)}`,
      { file: path },
      { cause: error },
    );
  } finally {
    await file?.close();
  }
}

/**
 * Reads the start of a file, to see what it is.
 * @returns fewer than `bytes` where the file is shorter.
 * @throws LineageError `file/missing` also for a folder, pipe or device; `file/unreadable`
 */
export async function readHead(path: string, bytes: number): Promise<Uint8Array<ArrayBuffer>> {
  let file: FileHandle | undefined;
  try {
    file = await open(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
    if (!(await file.stat()).isFile())
      throw new LineageError('file/missing', 'expected a file, got a folder, pipe or device', { file: path });
    return await readUpTo(file, bytes);
  } catch (error) {
    if (error instanceof LineageError) throw error;
    const missing = codeOf(error) === 'ENOENT' || codeOf(error) === 'ENOTDIR' || codeOf(error) === 'EISDIR';
    const code = missing ? 'file/missing' : 'file/unreadable';
    throw new LineageError(
      code,
      `expected a file, got: ${reasonOf(error)}`,
      { file: path },
      { cause: error },
    );
  } finally {
    await file?.close();
  }
}

/** What another process appends meanwhile is not read; what it cuts off is left out. */
async function readUpTo(file: FileHandle, bytes: number): Promise<Uint8Array<ArrayBuffer>> {
  const whole = new Uint8Array(bytes);
  let filled = 0;
  while (filled < bytes) {
    const { bytesRead } = await file.read(whole, filled, bytes - filled, filled);
    if (bytesRead === 0) break;
    filled += bytesRead;
  }
  return whole.subarray(0, filled);
}

function unreadable(path: string, message: string): LineageError {
  return new LineageError('file/unreadable', message, { file: path });
}
