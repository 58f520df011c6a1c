import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { isAlive } from '../../../bridge/merge/is-alive.ts';

test('this process is, and one that has ended is not', async () => {
  expect(isAlive(process.pid, Date.now())).toBe(true);
  const child = spawn(process.execPath, ['-e', '']);
  await once(child, 'exit');
  expect(isAlive(child.pid ?? 0, Date.now())).toBe(false);
});

test.runIf(process.platform === 'linux')(
  'one that began after the work is another of the same number',
  () => {
    expect(isAlive(process.pid, Date.now() - process.uptime() * 1000 - 60_000)).toBe(false);
  },
);

test.runIf(process.platform === 'linux')('one that was killed and not waited for is not', async () => {
  // The shell becomes a program that never asks after its child.
  const parent = spawn('sh', ['-c', 'sleep 100 & echo $!; exec sleep 100']);
  const [told] = await once(parent.stdout, 'data');
  const child = Number(String(told));
  try {
    expect(isAlive(child, Date.now())).toBe(true);
    process.kill(child, 'SIGKILL');
    for (let wait = 0; wait < 50 && !readFileSync(`/proc/${child}/stat`, 'latin1').includes(') Z'); wait++)
      await sleep(20);
    expect(isAlive(child, Date.now())).toBe(false);
  } finally {
    parent.kill('SIGKILL');
  }
});
