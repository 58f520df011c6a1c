import type { ChildProcess } from 'node:child_process';
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { filesIn } from '../pipeline/models.ts';
import { documentOf, lineage } from './run.ts';
import { ALL_FILES, RUN, untilThere, workFolder } from './work-folder.ts';

test.skipIf(process.platform === 'win32').each([
  ['SIGINT', 130, 'interrupted'],
  ['SIGTERM', 143, 'ended by SIGTERM'],
  ['SIGHUP', 129, 'ended by SIGHUP'],
] as const)('%s stops a merge with status %i, and the next run goes on', async (signal, status, says) => {
  const folder = workFolder();
  expect((await lineage(folder, RUN)).status).toBe(0);
  const wanted = readFileSync(join(folder, 'made/out.safetensors'));
  rmSync(join(folder, 'made'), { recursive: true });
  let child: ChildProcess | undefined;
  const running = lineage(folder, RUN, { onStart: (started) => (child = started) });
  await untilThere(folder, /lineage-tmp-merge/);
  child?.kill(signal);
  const ended = await running;
  expect(ended.status, ended.stderr).toBe(status);
  expect(ended.stderr).toBe(`${says}; nothing was left half done\n  Run it again: it goes on from there.\n`);
  expect(documentOf(ended)).toMatchObject({ error: { code: 'interrupted' } });
  expect(filesIn(folder).filter((file) => /tmp-run|out\.safetensors$/.test(file))).toEqual([]);
  expect((await lineage(folder, RUN)).status).toBe(0);
  expect(readFileSync(join(folder, 'made/out.safetensors')).equals(wanted)).toBe(true);
  expect(filesIn(folder)).toEqual(ALL_FILES);
});

test.skipIf(process.platform === 'win32')(
  'a terminal that goes away with its SIGHUP changes nothing of that',
  async () => {
    const folder = workFolder();
    let child: ChildProcess | undefined;
    const running = lineage(folder, RUN, { onStart: (started) => (child = started) });
    await untilThere(folder, /lineage-tmp-merge/);
    child?.stdout?.destroy();
    child?.stderr?.destroy();
    child?.kill('SIGHUP');
    expect((await running).status).toBe(129);
  },
);
