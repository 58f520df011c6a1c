import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const PROGRAM = fileURLToPath(new URL('../../bridge/lineage.mjs', import.meta.url));
const WATCH_MS = 20;

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

/** Runs the command in a folder; `disturb` gets the process as soon as it is there. */
export async function watchRun(
  folder: string,
  args: readonly string[],
  home: string,
  disturb: (child: ChildProcess) => void = () => undefined,
): Promise<WatchedRun> {
  const startedAt = performance.now();
  const child = spawn(process.execPath, [PROGRAM, ...args], {
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
  disturb(child);
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
