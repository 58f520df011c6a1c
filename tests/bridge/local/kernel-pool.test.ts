import { spawnSync } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { Worker } from 'node:worker_threads';
import { afterAll, describe, expect, onTestFinished, test } from 'vitest';
import { createKernelPool } from '../../../bridge/local/kernel-pool.ts';
import { createMemoryWatch } from '../../../bridge/local/memory-watch.ts';
import { kernels } from '../../../nodes/builtin/kernels/index.gen.ts';
import pickChannels from '../../../nodes/builtin/kernels/pick-channels.ts';
import regex from '../../../nodes/builtin/kernels/regex.ts';
import resize from '../../../nodes/builtin/kernels/resize.ts';
import truncate from '../../../nodes/builtin/kernels/truncate.ts';
import { decodeFrames, encodePixels } from '../../../nodes/formats/pixels.ts';
import type { Pixels } from '../../../nodes/kit/values.ts';
import { crash, fail, forever, hang, small, touch, work } from './kernels-for-tests.ts';

const startTestThread = () =>
  new Worker(new URL('./kernel-thread-for-tests.ts', import.meta.url), { execArgv: [] });
const pool = createKernelPool(startTestThread);
const own = createKernelPool();
afterAll(async () => {
  await pool.close();
  await own.close();
});

describe('the pool of kernel threads', () => {
  test('a large array comes to the thread without a copy, where it lies in shared memory', async () => {
    const array = new Uint8Array(new SharedArrayBuffer(1 << 20));
    const touched = await pool.compute(touch, { array });
    expect(touched.shared).toBe(true);
    expect(array[0]).toBe(42);
    expect(touched.array.buffer).toBeInstanceOf(SharedArrayBuffer);
  });

  test('another large array is moved there, once; the caller keeps its own', async () => {
    const array = new Uint8Array(1 << 20).fill(7);
    const first = await pool.compute(touch, { array });
    expect(first.shared).toBe(true);
    expect(array[0]).toBe(7);
    first.array[1] = 99;
    const again = await pool.compute(touch, { array });
    expect(again.array[1]).toBe(99);
  });

  test('an expected failure keeps its code and place, a bug its message and stack', async () => {
    await expect(pool.compute(fail, 'expected')).rejects.toMatchObject({
      name: 'LineageError',
      code: 'builtin/shapes',
      where: { input: 'image' },
    });
    const bug = await pool.compute(fail, 'bug').catch((error: unknown) => error);
    expect(bug).toMatchObject({ message: 'a bug' });
    expect((bug as Error).stack).toContain('kernels-for-tests.ts');
  });

  test('a thread that ends fails its job alone, and the next job has another', async () => {
    const lost = pool.compute(crash, 3);
    const next = pool.compute(work, 1);
    await expect(lost).rejects.toMatchObject({ code: 'kernel/lost' });
    await expect(next).resolves.toMatchObject({ from: expect.any(Number) });
  });

  test('a kernel that takes too long is stopped', async () => {
    await expect(pool.compute(hang, null)).rejects.toMatchObject({ code: 'kernel/too-slow' });
    await expect(pool.compute(work, 1)).resolves.toBeDefined();
  });

  test('what nobody waits for any more is stopped, running or not, and the next job finds a thread', async () => {
    const gone = new AbortController();
    const size = Math.max(1, availableParallelism() - 1);
    const left = Array.from({ length: size + 1 }, () => pool.compute(forever, null, gone.signal));
    const ended = Promise.allSettled(left);
    await new Promise((resolve) => setImmediate(resolve));
    gone.abort(new Error('interrupted'));
    for (const result of await ended) {
      expect(result).toMatchObject({ status: 'rejected', reason: { message: 'interrupted' } });
    }
    await expect(pool.compute(forever, null, gone.signal)).rejects.toThrow('interrupted');
    await expect(pool.compute(work, 1)).resolves.toBeDefined();
  });

  test('what would not fit into memory fails alone', async () => {
    const watch = createMemoryWatch({ available: () => 2 ** 30, heapUsed: () => 0 });
    const short = createKernelPool(startTestThread, watch);
    onTestFinished(() => short.close());
    const large = { ...work, steps: () => 2 ** 28 };
    await expect(short.compute(large, 1)).rejects.toMatchObject({ code: 'run/memory-short' });
    await expect(short.compute(work, 1)).resolves.toBeDefined();
  });

  test('no more run side by side than there are threads, and each waits its turn', async () => {
    const spans = await Promise.all(Array.from({ length: 5 }, () => pool.compute(work, 30)));
    const busiest = spans.map(
      ({ from }) => spans.filter((span) => span.from <= from && from < span.to).length,
    );
    expect(Math.max(...busiest)).toBeLessThanOrEqual(Math.max(1, availableParallelism() - 1));
  });

  test('what is small runs where it is called', async () => {
    await new Promise((resolve) => setImmediate(resolve));
    await expect(pool.compute(small, 262_144)).resolves.toBe(262_144);
    await expect(pool.compute(small, 262_145)).rejects.toThrow('expected a kernel of the list');
  });

  test('many small ones share a turn of the event loop; the rest gets threads', async () => {
    await new Promise((resolve) => setImmediate(resolve));
    const many = await Promise.allSettled(Array.from({ length: 8 }, () => pool.compute(small, 65_536)));
    expect(many.map(({ status }) => status)).toEqual([
      ...Array.from({ length: 4 }, () => 'fulfilled'),
      ...Array.from({ length: 4 }, () => 'rejected'),
    ]);
    await new Promise((resolve) => setImmediate(resolve));
    await expect(pool.compute(small, 262_144)).resolves.toBe(262_144);
  });

  test('a thread that was started ahead takes the first job', async () => {
    const warm = createKernelPool(startTestThread);
    warm.warm();
    warm.warm();
    await expect(warm.compute(work, 1)).resolves.toBeDefined();
    await warm.close();
  });

  test('closing rejects whoever waits, and the pool may be used again', async () => {
    const closing = createKernelPool(startTestThread);
    const waiting = [
      closing.compute(work, 10_000),
      closing.compute(work, 10_000),
      closing.compute(work, 10_000),
    ];
    const settled = Promise.allSettled(waiting);
    // The arrays of an input are looked through before a job waits.
    await new Promise((resolve) => setImmediate(resolve));
    await closing.close();
    for (const each of await settled) expect(each).toMatchObject({ reason: { code: 'kernel/lost' } });
    await expect(closing.compute(work, 1)).resolves.toBeDefined();
    await closing.close();
  });

  test('an idle pool does not keep the process alive', () => {
    const script = `
      import { createKernelPool } from './bridge/local/kernel-pool.ts';
      import regex from './nodes/builtin/kernels/regex.ts';
      const flags = { ignoreCase: false, multiline: false, dotAll: false };
      console.log(await createKernelPool().compute(regex, { text: 'a', pattern: 'a', flags, task: { kind: 'match' } }));
    `;
    const ended = spawnSync(process.execPath, ['--input-type=module', '-e', script], {
      cwd: new URL('../../../', import.meta.url),
      encoding: 'utf8',
      timeout: 30_000,
    });
    expect(ended).toMatchObject({ status: 0, stdout: 'true\n' });
  });
});

test('every kernel bears the name by which its thread finds it', () => {
  const names = kernels.map(({ name }) => name);
  expect(new Set(names).size).toBe(names.length);
});

const NO_FLAGS = { ignoreCase: false, multiline: false, dotAll: false };

test('a hopeless regular expression is stopped', async () => {
  const text = `${'a'.repeat(64)}!`;
  const hopeless = own.compute(regex, { text, pattern: '(a+)+$', flags: NO_FLAGS, task: { kind: 'match' } });
  await expect(hopeless).rejects.toMatchObject({ code: 'kernel/too-slow' });
});

test('4096x4096 pictures leave the event loop free', async () => {
  const side = 4096;
  // Not shared: as it comes from a decoder. Threads are warm, as in a server.
  const data = new Uint8Array(side * side * 3);
  for (let i = 0; i < data.length; i += 7) data[i] = i % 251;
  await own.compute(regex, { text: '', pattern: '', flags: NO_FLAGS, task: { kind: 'match' } });
  // Whatever else the machine does makes turns longer, never shorter: the best of a few rounds is nearest to our own part.
  let longest = Number.POSITIVE_INFINITY;
  for (let round = 0; round < 5 && longest >= 50; round++) {
    longest = Math.min(
      longest,
      await longestTurnOf({ width: side, height: side, channels: 3, data: data.slice() }),
    );
  }
  console.info(`longest turn of the event loop: ${longest.toFixed(1)} ms`);
  expect(longest).toBeLessThan(50);
});

/** The longest turn of the event loop while a picture is inverted, resized, saved and loaded, in milliseconds. */
async function longestTurnOf(picture: Pixels): Promise<number> {
  const delay = monitorEventLoopDelay({ resolution: 5 });
  delay.enable();
  const inverted = await own.compute(pickChannels, { picture, channels: [0, 1, 2], inverted: true });
  const size = { width: picture.width / 2, height: picture.height / 2 };
  const smaller = await own.compute(resize, {
    picture: inverted,
    ...size,
    method: 'bilinear',
    crop: 'disabled',
  });
  const bytes = await own.compute(truncate, inverted);
  const [back] = await decodeFrames(await encodePixels(bytes, { format: 'png', quality: 100 }));
  delay.disable();
  expect(smaller.data.length).toBe(picture.data.length / 4);
  expect(back?.data.length).toBe(picture.data.length);
  return delay.max / 1e6;
}
