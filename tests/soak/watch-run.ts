import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const PROGRAM = fileURLToPath(new URL('../../bridge/lineage.mjs', import.meta.url));
const WATCH_MS = 20;
/** By POSIX, what `ulimit -f` counts in. */
const ULIMIT_BLOCK_BYTES = 512;

/** What a run of the command left behind. */
export type WatchedRun = {
  /** null where a signal ended it. */
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
  readonly milliseconds: number;
  /** The most memory it had, in bytes; 0 where the system does not tell (only Linux does). */
  readonly peakBytes: number;
};

/** What may stand in the way of a run. */
export type Disturbance = {
  /** Gets the process as soon as it is there. */
  readonly disturb?: (child: ChildProcess) => void;
  /** No file that it writes may be larger, as on a full disk; a multiple of 512. */
  readonly maxFileBytes?: number;
};

/** Runs the command in a folder until it ends. */
export async function watchRun(
  folder: string,
  args: readonly string[],
  home: string,
  { disturb, maxFileBytes }: Disturbance = {},
): Promise<WatchedRun> {
  const startedAt = performance.now();
  const command = [process.execPath, PROGRAM, ...args];
  const limited =
    maxFileBytes === undefined
      ? command
      : ['/bin/sh', '-c', `ulimit -f ${maxFileBytes / ULIMIT_BLOCK_BYTES}; exec "$0" "$@"`, ...command];
  const [program = '', ...given] = limited;
  const child = spawn(program, given, {
    cwd: folder,
    env: { ...process.env, NODE_OPTIONS: '', LINEAGE_HOME: home },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let [stdout, stderr, peakBytes] = ['', '', 0];
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  const watch = setInterval(() => {
    peakBytes = Math.max(peakBytes, peakOf(child.pid));
  }, WATCH_MS);
  disturb?.(child);
  const status = await new Promise<number | null>((resolve, reject) => {
    child.on('error', reject).on('close', resolve);
  });
  clearInterval(watch);
  return { status, stdout, stderr, milliseconds: performance.now() - startedAt, peakBytes };
}

function peakOf(pid: number | undefined): number {
  try {
    const kibibytes = /VmHWM:\s*(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
    return Number(kibibytes ?? 0) * 1024;
  } catch {
    return 0;
  }
}
