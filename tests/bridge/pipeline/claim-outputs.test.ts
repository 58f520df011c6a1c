import { readdirSync } from 'node:fs';
import { rmdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { claimOutputs } from '../../../bridge/pipeline/claim-outputs.ts';
import type { GuardedOutput } from '../../../bridge/pipeline/guard-output.ts';
import { newFolder } from '../cli/run.ts';

const ROUNDS = 300;

function output(path: string): GuardedOutput {
  return { files: { files: [{ path }] }, isTemporary: false };
}

test('a folder that another run takes away empty is made again', async () => {
  const folder = join(newFolder(), 'made');
  const { signal } = new AbortController();
  let isOver = false;
  const rival = (async () => {
    while (!isOver) {
      await rmdir(folder).catch(() => undefined);
      await wait(1);
    }
  })();
  for (let round = 0; round < ROUNDS; round++) {
    const claims = await claimOutputs([output(join(folder, 'a.safetensors'))], signal);
    expect(readdirSync(folder)).toHaveLength(1);
    await claims.release();
  }
  isOver = true;
  await rival;
});

test('of claims in one process on one output the second is refused, and the first one keeps it', async () => {
  const path = join(newFolder(), 'made', 'out.safetensors');
  const { signal } = new AbortController();
  const claims = await claimOutputs([output(path)], signal);
  await expect(claimOutputs([output(path)], signal)).rejects.toMatchObject({ code: 'merge/busy' });
  await claims.release();
  await (await claimOutputs([output(path)], signal)).release();
});
