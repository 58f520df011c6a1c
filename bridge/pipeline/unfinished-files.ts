import { readdir, readFile, realpath } from 'node:fs/promises';
import { join } from 'node:path';
import { caution, type Finding } from '../../nodes/pipeline/finding.ts';
import { statIfThere } from '../local/stat-if-there.ts';
import { codeOf } from '../local/system-error.ts';
import { removeIfThere } from '../local/write-file.ts';
import { isAlive } from '../merge/is-alive.ts';
import { listClaims } from './claim-outputs.ts';

/** After so long nobody comes back to a merge that was stopped. */
const KEPT_MS = 7 * 24 * 3600 * 1000;
/** No process has just begun to make what was last written so long ago. */
const SETTLED_MS = 60_000;
const HOUR_MS = 3600 * 1000;

/** An output in the making: key of its name, and process (`bridge/merge/output-file.ts`). */
const MAKING = /^\.lineage-tmp-merge-[0-9a-f]{16}\.(\d+)(\.journal)?$/;
/** A whole output whose hash is not in its header yet (`unsealedPath`). */
const UNSEALED = /^\.lineage-tmp-step-([0-9a-f]{16})\.safetensors$/;
/** A small file in the making (`bridge/local/write-file.ts`). */
const SMALL = /^\.lineage-tmp-[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/**
 * Sees to what runs of other outputs, whose processes are gone, have left in these folders. What a run can still go on
 * from stays for a week, and is told; what is older, and what nothing can go on from, is removed.
 */
export async function clearUnfinished(
  folders: readonly string[],
  warn: (finding: Finding) => void,
): Promise<void> {
  for (const folder of folders) {
    try {
      await clearFolder(await realpath(folder), warn);
    } catch (error) {
      // The outputs are made; a folder that went, or that is not ours to tidy, does not matter to them.
      if (codeOf(error) === '') throw error;
    }
  }
}

async function clearFolder(folder: string, warn: (finding: Finding) => void): Promise<void> {
  const names = await readdir(folder);
  for (const name of names) {
    const path = join(folder, name);
    const making = MAKING.exec(name);
    const unsealed = UNSEALED.exec(name)?.[1];
    if (making) {
      const file = making[2] === undefined ? path : path.slice(0, -'.journal'.length);
      // A journal is seen to with its file.
      if (file === path || !names.includes(name.slice(0, -'.journal'.length)))
        await clearMaking(file, Number(making[1]), warn);
    } else if (unsealed !== undefined) {
      const isSettled = (await ageOf(path)) > SETTLED_MS;
      if (isSettled && !(await listClaims(folder)).has(unsealed)) await removeIfThere(path);
    } else if (SMALL.test(name) && (await ageOf(path)) > KEPT_MS) await removeIfThere(path);
  }
}

async function clearMaking(file: string, owner: number, warn: (finding: Finding) => void): Promise<void> {
  const journal = `${file}.journal`;
  const there = (await statIfThere(file)) ?? (await statIfThere(journal));
  if (!there || owner === process.pid || isAlive(owner, Number(there.mtimeMs))) return;
  const age = Date.now() - Number(there.mtimeMs);
  if (age < KEPT_MS && (await hasRows(journal))) return warn(tellOf(file, 512 * Number(there.blocks), age));
  await removeIfThere(file);
  await removeIfThere(journal);
}

function tellOf(file: string, bytes: number, ageMs: number): Finding {
  return caution('pipeline/unfinished', {
    where: file,
    expected: 'no unfinished file of another merge',
    got: `${bytes} bytes of one that was stopped ${Math.round(ageMs / HOUR_MS)} hours ago`,
  });
}

/** Whether a journal claims anything: its first line only says of which job it is. */
async function hasRows(journal: string): Promise<boolean> {
  try {
    return (await readFile(journal, 'latin1')).trimEnd().includes('\n');
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return false;
    throw error;
  }
}

async function ageOf(path: string): Promise<number> {
  const there = await statIfThere(path);
  return there ? Date.now() - Number(there.mtimeMs) : 0;
}
