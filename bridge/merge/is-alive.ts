import { readFileSync } from 'node:fs';
import { codeOf } from '../local/system-error.ts';

/** Linux counts the starts of processes in hundredths of a second, whatever its own clock does. */
const TICKS_PER_SECOND = 100;
/** Clocks of files are coarse, and the start of the machine is told in seconds. */
const SLACK_MS = 3_000;

/**
 * Whether a process works on what it began: one that was killed and that nobody has waited for is gone, and so is one
 * whose number another has by now.
 *
 * @param beganAt when what it works on was made, in milliseconds of the epoch.
 */
export function isAlive(pid: number, beganAt: number): boolean {
  try {
    process.kill(pid, 0);
  } catch (error) {
    if (codeOf(error) === 'ESRCH') return false;
  }
  const told = readStat(pid);
  if (!told) return true;
  return !isGone(told.state) && told.startedAt <= beganAt + SLACK_MS;
}

/** Zombie, or dead. */
function isGone(state: string): boolean {
  return state === 'Z' || state === 'X';
}

/**
 * Undefined where the system does not tell.
 * @see proc(5), /proc/pid/stat: field 3 is the state, field 22 the start in ticks after that of the machine
 */
function readStat(pid: number): { readonly state: string; readonly startedAt: number } | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    // The name of the program comes second, in brackets, and may hold any sign.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    const [, boot] = /^btime (\d+)$/m.exec(readFileSync('/proc/stat', 'latin1')) ?? [];
    const [state = '', ticks] = [fields[0], fields[19]];
    if (boot === undefined || ticks === undefined) return undefined;
    return { state, startedAt: (Number(boot) + Number(ticks) / TICKS_PER_SECOND) * 1000 };
  } catch {
    return undefined;
  }
}
