import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Readable, Writable } from 'node:stream';
import { fileURLToPath } from 'node:url';

export type Child = {
  readonly process: ChildProcessByStdio<Writable, Readable, Readable>;
  /** Lets it begin. */
  go(): void;
  /** Its exit status (null when killed) and what it printed after `ready`. */
  readonly done: Promise<{ status: number | null; lines: readonly string[]; errors: string }>;
};

/** Starts one of the scripts of this folder in a process of its own and waits until it says `ready`. */
export async function startChild(script: string, args: readonly (string | number)[]): Promise<Child> {
  const path = fileURLToPath(new URL(script, import.meta.url));
  const child = spawn(process.execPath, [path, ...args.map(String)], { stdio: 'pipe' });
  let out = '';
  let errors = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    out += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    errors += text;
  });
  const done = once(child, 'close').then(([status]: (number | null)[]) => ({
    status: status ?? null,
    lines: out.split('\n').slice(1, -1),
    errors,
  }));
  await Promise.race([once(child.stdout, 'data'), done.then((end) => Promise.reject(new Error(end.errors)))]);
  return { process: child, go: () => void child.stdin.end('go\n'), done };
}
