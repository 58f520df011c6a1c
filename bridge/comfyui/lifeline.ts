import { rmSync } from 'node:fs';
import { basename } from 'node:path';
import type { Readable } from 'node:stream';
import { z } from 'zod';
import { LineageError } from '../../nodes/kit/errors.ts';

/**
 * What ComfyUI's process gives us with our life, as the first line of standard input: a pipe that only it holds, so
 * no argument, environment variable or log shows the token. That pipe then stays open for as long as ComfyUI lives.
 */
const birthSchema = z.strictObject({
  /** 256 bits in hex. */
  token: z.string().regex(/^[0-9a-f]{64}$/),
  listen: z.union([
    z.strictObject({ path: z.string().min(1) }),
    z.strictObject({ loopback: z.literal(true) }),
  ]),
  /** Folders for raw files, in order of preference. */
  exchange: z.array(z.string().min(1)).min(1).max(2),
  /** Folders of this one run, which go when ComfyUI goes. */
  scratch: z.array(z.string().min(1)).max(4),
});

export type Birth = z.infer<typeof birthSchema>;

const MAX_LINE_CHARACTERS = 64 * 1024;
const PARENT_CHECK_MS = 1_000;

/**
 * Reads the first line.
 * @throws LineageError `bridge/birth` when it is something else, which means that a person started this program
 */
export async function readBirth(input: Readable): Promise<Birth> {
  const line = await firstLine(input);
  const read = birthSchema.safeParse(readJson(line));
  if (read.success) return read.data;
  throw new LineageError('bridge/birth', 'expected to be started by ComfyUI, got another first line');
}

function readJson(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    // No JSON is as wrong as any other line, and must not be quoted: it may hold a token.
    return undefined;
  }
}

function firstLine(input: Readable): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  let text = '';
  const end = (): void => reject(new LineageError('bridge/birth', 'expected a first line, got none'));
  const take = (chunk: Buffer | string): void => {
    text += chunk.toString();
    const at = text.indexOf('\n');
    if (at < 0 && text.length <= MAX_LINE_CHARACTERS) return;
    input.off('data', take);
    input.off('end', end);
    if (at >= 0 && at <= MAX_LINE_CHARACTERS) resolve(text.slice(0, at));
    else end();
  };
  input.on('data', take);
  input.once('end', end);
  return promise;
}

/**
 * Calls back once when the parent is gone: the pipe ends with it, however it dies. Where some other child of the
 * parent has inherited the pipe, it does not end, so the parent itself is looked at too.
 */
export function watchParent(input: Readable, parent: number, onDeath: () => void): void {
  const timer = setInterval(() => {
    if (process.ppid !== parent || !isAlive(parent)) die();
  }, PARENT_CHECK_MS);
  timer.unref();
  let isOver = false;
  const die = (): void => {
    if (isOver) return;
    isOver = true;
    clearInterval(timer);
    onDeath();
  };
  input.on('end', die);
  input.on('error', die);
  input.resume();
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    // EPERM: there is such a process, of somebody else. Only Windows keeps the number of a dead parent.
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}

/** Removes the folders of this run. A name that we did not give is left alone. */
export function removeScratch(folders: readonly string[]): void {
  for (const folder of folders) {
    if (/^lineage-[0-9]+-[A-Za-z0-9_]+$/.test(basename(folder)))
      rmSync(folder, { recursive: true, force: true });
  }
}
