import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { Outcome } from '../../../../bridge/embedded/job.ts';
import { createPromptQueue } from '../../../../bridge/embedded/queue/prompt-queue.ts';
import { createRunHistory } from '../../../../bridge/embedded/queue/run-history.ts';
import { openStore } from '../../../../bridge/embedded/queue/store.ts';
import { newFolder } from './harness.ts';
import { startServer } from './process.ts';

const done: Outcome = { status: 'success', outputs: {}, meta: {}, messages: [] };

function jobOf(index: number, pad = '') {
  return {
    number: index,
    promptId: `p${index}`,
    prompt: { 1: { class_type: 'X', inputs: { pad } } },
    extraData: { create_time: index },
    outputs: ['1'],
  };
}

test('10,000 queued prompts of 20 kB take no memory to speak of', () => {
  // In a process of its own: other tests' garbage would count too.
  const program = `
    const { openStore } = await import(${JSON.stringify(new URL('../../../../bridge/embedded/queue/store.ts', import.meta.url).href)});
    const { createPromptQueue } = await import(${JSON.stringify(new URL('../../../../bridge/embedded/queue/prompt-queue.ts', import.meta.url).href)});
    const database = openStore(process.argv[1]);
    const queue = createPromptQueue(database);
    const pad = 'x'.repeat(20_000);
    const put = (i) => queue.put({ number: i, promptId: 'p' + i, prompt: { 1: { class_type: 'X', inputs: { pad } } }, extraData: {}, outputs: ['1'] });
    for (let i = 0; i < 100; i++) put(i);
    gc();
    const before = process.memoryUsage().rss;
    for (let i = 100; i < 10_000; i++) put(i);
    gc();
    console.log(JSON.stringify({ grown: process.memoryUsage().rss - before, remaining: queue.remaining(), first: queue.take().promptId }));
    database.close();`;
  const { stdout, stderr } = spawnSync(
    process.execPath,
    ['--expose-gc', '--input-type=module', '-e', program, join(newFolder(), 'queue.sqlite')],
    { encoding: 'utf8' },
  );
  expect(stdout, stderr).toMatch(/^\{/);
  const { grown, remaining, first } = JSON.parse(stdout) as Record<string, unknown>;
  expect({ remaining, first }).toEqual({ remaining: 10_000, first: 'p0' });
  // All of them together are 200 MB.
  expect(grown).toBeLessThan(40e6);
});

test('keeps the newest 10,000 entries of the history', () => {
  const database = openStore(':memory:');
  const queue = createPromptQueue(database);
  const history = createRunHistory(database, queue);
  for (let i = 0; i < 10_003; i++) {
    queue.put(jobOf(i));
    const job = queue.take();
    if (job) history.record(job, done);
  }
  expect(history.count()).toBe(10_000);
  expect(history.page(-1, 1, 0)[0]?.promptId).toBe('p3');
  expect(history.find('p2')).toBeUndefined();
  expect(queue.remaining()).toBe(0);
  database.close();
});

test('a long queue and history are listed without holding up anybody else', async () => {
  const base = newFolder();
  const database = openStore(join(base, 'store'));
  const queue = createPromptQueue(database);
  const history = createRunHistory(database, queue);
  const pad = 'x'.repeat(5_000);
  for (let i = 0; i < 5_000; i++) {
    queue.put(jobOf(i, pad));
    const job = queue.take();
    if (job) history.record(job, done);
  }
  const gate = join(base, 'gate');
  queue.put({ ...jobOf(-1), prompt: { 1: { class_type: 'ServerTestWait', inputs: { gate } } } });
  for (let i = 0; i < 5_000; i++) queue.put(jobOf(10_000 + i, pad));
  database.close();

  const { url, get, end } = await startServer(base, '--store', join(base, 'store'));
  let busy = true;
  const lists = Promise.all(
    ['/history', '/queue', '/api/jobs?limit=200'].map(async (path) =>
      Buffer.from(await (await fetch(url + path)).arrayBuffer()),
    ),
  ).finally(() => {
    busy = false;
  });
  const waits: number[] = [];
  while (busy) {
    const began = performance.now();
    await get('/prompt');
    waits.push(performance.now() - began);
  }
  const [all, queued, jobs] = (await lists).map((body) => JSON.parse(body.toString()));
  expect(Object.keys(all)).toHaveLength(5_000);
  expect(queued.queue_running.map((item: unknown[]) => item[1])).toEqual(['p-1']);
  expect(queued.queue_pending).toHaveLength(5_000);
  expect(jobs).toMatchObject({ pagination: { limit: 200, offset: 0, total: 10_001, has_more: true } });
  // Each request waits for a few turns of the loop, and the machine may be busy.
  expect(waits.sort((a, b) => a - b).at(Math.floor(waits.length / 2))).toBeLessThan(50);
  await end('SIGKILL');
});
