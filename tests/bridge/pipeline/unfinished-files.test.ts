import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { filesIn, makeModelFolder, runnerIn } from './models.ts';

const DAY_MS = 24 * 3600 * 1000;
const MANIFEST = {
  models: [{ path: 'realistic_base_v1.safetensors' }, { path: 'photorealism_v2.safetensors' }],
  output: 'out/mine.safetensors',
};

/** The number of a process that is gone. */
function goneProcess(): number {
  const { pid } = spawnSync(process.execPath, ['--version']);
  return pid;
}

function put(folder: string, name: string, text: string, ageMs: number): string {
  mkdirSync(join(folder, 'out'), { recursive: true });
  const path = join(folder, 'out', name);
  const then = new Date(Date.now() - ageMs);
  writeFileSync(path, text);
  utimesSync(path, then, then);
  return path;
}

test('what other runs left stays while it can be resumed, and is told; the rest is removed', async () => {
  const folder = makeModelFolder();
  const before = filesIn(folder);
  const [gone, alive] = [goneProcess(), process.ppid];
  const making = (key: string, pid: number, journal: string, ageMs: number): readonly string[] => {
    const file = `.lineage-tmp-merge-${key.repeat(16)}.${pid}`;
    return [put(folder, file, 'half', ageMs), put(folder, `${file}.journal`, journal, ageMs)];
  };
  // An hour old, with a unit that is done: somebody may want to go on from it.
  const resumable = making('a', gone, 'head\nrow\n', DAY_MS / 24);
  const old = making('b', gone, 'head\nrow\n', 8 * DAY_MS);
  const empty = making('c', gone, 'head\n', 1000);
  const inUse = making('d', alive, 'head\n', 0);
  const lonely = put(
    folder,
    `.lineage-tmp-merge-${'e'.repeat(16)}.${gone}.journal`,
    'head\nrow\n',
    8 * DAY_MS,
  );
  const unsealed = put(folder, `.lineage-tmp-step-${'f'.repeat(16)}.safetensors`, 'whole', DAY_MS);
  const claimed = put(folder, `.lineage-tmp-step-${'0'.repeat(16)}.safetensors`, 'whole', DAY_MS);
  const claim = put(folder, `.lineage-tmp-run-${'0'.repeat(16)}.${alive}`, '', 0);
  const staleClaim = put(folder, `.lineage-tmp-run-${'1'.repeat(16)}.${gone}`, '', 0);
  const small = '.lineage-tmp-01234567-89ab-4cde-8f01-23456789abcd';
  const [oldSmall] = [put(folder, small, 'x', 8 * DAY_MS)];
  const newSmall = put(folder, small.replace('0', '1'), 'x', 0);
  const mine = put(folder, '.lineage-tmp-notes', 'of somebody', 30 * DAY_MS);

  const { report } = await runnerIn(folder)(MANIFEST);
  for (const path of [...resumable, ...inUse, claimed, claim, newSmall, mine])
    expect(existsSync(path), path).toBe(true);
  for (const path of [...old, ...empty, lonely, unsealed, staleClaim, oldSmall!])
    expect(existsSync(path), path).toBe(false);
  expect(report.warnings).toMatchObject([{ code: 'pipeline/unfinished', where: resumable[0] }]);
  expect(report.warnings[0]?.got).toMatch(/that was stopped 1 hours ago$/);
  expect(filesIn(folder).filter((file) => !file.includes('lineage-tmp'))).toEqual(
    [...before, 'out/mine.safetensors'].sort(),
  );
});
