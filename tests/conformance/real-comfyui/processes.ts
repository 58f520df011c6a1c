import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

/** Processes, as Linux shows them in /proc. */
export type ProcessRow = { readonly pid: number; readonly command: string };

/** A process's children, and theirs. */
export function descendantsOf(pid: number): ProcessRow[] {
  const parents = new Map<number, number>();
  for (const name of readdirSync('/proc').filter((entry) => /^\d+$/.test(entry))) {
    const stat = read(`/proc/${name}/stat`);
    // The second field is the program's name in brackets, which may hold spaces.
    const parent = stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1];
    if (parent !== undefined) parents.set(Number(name), Number(parent));
  }
  const found: ProcessRow[] = [];
  const below = (one: number): void => {
    for (const [child, parent] of parents) {
      if (parent !== one) continue;
      found.push({ pid: child, command: commandOf(child) });
      below(child);
    }
  };
  below(pid);
  return found;
}

/** The bridge among a ComfyUI's children: the Node that runs its entry. */
export function findBridge(pid: number): ProcessRow | undefined {
  return descendantsOf(pid).find(({ command }) => /bridge(\.mjs|[\\/]comfyui[\\/]main\.ts)$/.test(command));
}

/** Whether a process lives; one that is dead but not yet waited for does not. */
export function isAlive(pid: number): boolean {
  const stat = read(`/proc/${pid}/stat`);
  return stat !== '' && !/^[ZX]/.test(stat.slice(stat.lastIndexOf(')') + 2));
}

/** Resident memory in MiB, pages of shared files left out: what the process itself holds. */
export function memoryOf(pid: number): number {
  return Number(/^RssAnon:\s+(\d+) kB/m.exec(read(`/proc/${pid}/status`))?.[1] ?? 0) / 1024;
}

/** Files in the folders of this user's bridges, the locks left out. */
function exchangeFiles(comfyPid: number): string[] {
  return ['/dev/shm', process.env['TMPDIR'] ?? '/tmp'].flatMap((parent) =>
    readdirSync(parent)
      .filter((name) => name.startsWith(`lineage-${comfyPid}-`))
      .flatMap((name) =>
        readdirSync(join(parent, name))
          .filter((file) => file !== 'lock' && !file.endsWith('.sock'))
          .map((file) => join(parent, name, file)),
      ),
  );
}

/** Whoever made a file removes it once the other side has said that it is done, so the last one goes a little later. */
const REMOVED_WITHIN_MS = 2_000;

/** The exchange files that stay after a run. */
export async function leftInExchange(comfyPid: number): Promise<string[]> {
  const end = performance.now() + REMOVED_WITHIN_MS;
  while (exchangeFiles(comfyPid).length > 0 && performance.now() < end) await sleep(50);
  return exchangeFiles(comfyPid);
}

function commandOf(pid: number): string {
  return read(`/proc/${pid}/cmdline`).split('\0').filter(Boolean).join(' ');
}

/** '' where the process is gone. */
function read(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    // Gone between the listing and the reading.
    return '';
  }
}
