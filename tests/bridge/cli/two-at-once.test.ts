import type { ChildProcess } from 'node:child_process';
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { filesIn } from '../pipeline/models.ts';
import { documentOf, type Ended, lineage } from './run.ts';
import { ALL_FILES, RUN, untilThere, workFolder } from './work-folder.ts';

function errorOf(ended: Ended): { code: string; message: string; where: { file?: string } } {
  return documentOf(ended)['error'] as ReturnType<typeof errorOf>;
}

test.skipIf(process.platform === 'win32')(
  'a run that is begun while another makes the same output names that process, and disturbs nothing',
  async () => {
    const folder = workFolder();
    expect((await lineage(folder, RUN)).status).toBe(0);
    const out = join(folder, 'made/out.safetensors');
    const wanted = readFileSync(out);
    rmSync(join(folder, 'made'), { recursive: true });

    let first: ChildProcess | undefined;
    const running = lineage(folder, RUN, { onStart: (child) => (first = child) });
    // In the middle of its work, and held there: a result in between is whole, and one is in the making.
    await untilThere(folder, /two.*|temp.*lineage-tmp-merge/);
    first?.kill('SIGSTOP');
    const before = filesIn(folder);
    const refused = await lineage(folder, RUN);
    expect(refused.status, refused.stderr).toBe(3);
    expect(errorOf(refused)).toMatchObject({
      code: 'merge/busy',
      where: { file: expect.stringMatching(/one/) },
    });
    expect(errorOf(refused).message).toContain(`process ${first?.pid} makes`);
    expect(filesIn(folder)).toEqual(before);
    first?.kill('SIGCONT');
    const ended = await running;
    expect(ended.status, ended.stderr).toBe(0);
    expect(readFileSync(out).equals(wanted)).toBe(true);
    expect(filesIn(folder)).toEqual(ALL_FILES);
  },
);

test('of several that begin at once one makes the file, and the others say who does', {
  timeout: 60_000,
}, async () => {
  const folder = workFolder();
  const all = await Promise.all([1, 2, 3].map(() => lineage(folder, RUN)));
  expect(all.some(({ status }) => status === 0)).toBe(true);
  for (const ended of all) if (ended.status !== 0) expect(errorOf(ended).code).toBe('merge/busy');
  const made = readFileSync(join(folder, 'made/out.safetensors'));
  rmSync(join(folder, 'made'), { recursive: true });
  expect((await lineage(folder, RUN)).status).toBe(0);
  expect(readFileSync(join(folder, 'made/out.safetensors')).equals(made)).toBe(true);
  expect(filesIn(folder)).toEqual(ALL_FILES);
});
