import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import sharp from 'sharp';
import type { RunningComfyUI } from '../comfyui-checkout.ts';
import type { Driver, Run } from './drive.ts';
import { largePictures, SAVE } from './graphs.ts';
import type { Check } from './pictures.ts';
import { descendantsOf, findBridge, isAlive, leftInExchange } from './processes.ts';

/** Slow enough to be hit in the middle: AVIF of 2048 pixels a side takes seconds a picture. */
const SLOW = { side: 2048, batch: 4, format: 'avif', prefix: 'slow' } as const;
/** How long the save node has been running when the accident happens. */
const INTO_IT_MS = 700;
const FAILURE_WITHIN_MS = 2_000;
const INTERRUPT_WITHIN_MS = 1_000;
const ORPHANS_GONE_MS = 5_000;

/** Runs the slow graph, and does something while the save node works. Gives how long the run went on after it. */
async function disturb(
  driver: Driver,
  color: number,
  act: () => void | Promise<void>,
): Promise<{ readonly run: Run; readonly afterMs: number }> {
  let acted = Number.NaN;
  const run = await driver.run(largePictures({ ...SLOW, color }), ({ type, data }) => {
    if (type !== 'executing' || data['node'] !== SAVE) return;
    setTimeout(() => {
      acted = performance.now();
      void act();
    }, INTO_IT_MS);
  });
  return { run, afterMs: performance.now() - acted };
}

async function expectNextRun(driver: Driver, color: number): Promise<void> {
  const run = await driver.run(largePictures({ side: 64, batch: 1, color, prefix: 'next' }));
  assert.equal(run.error, undefined, 'the next run works');
  assert.equal(run.outputs[SAVE]?.['images']?.length, 1, 'the next run saves');
}

/** Accidents of the bridge while a ComfyUI lives on (issue 3, its fifth point). */
export function accidentChecks(comfyui: RunningComfyUI): readonly Check[] {
  const pid = comfyui.process.pid ?? 0;
  return [
    {
      name: 'interrupted while our node works: it stops, and leaves whole files only',
      async run(driver, base) {
        await expectNextRun(driver, 7);
        const { run, afterMs } = await disturb(driver, 1, () => driver.interrupt());
        assert(run.interrupted, 'the run was interrupted');
        assert(
          afterMs < INTERRUPT_WITHIN_MS,
          `it stops within ${INTERRUPT_WITHIN_MS} ms, took ${afterMs} ms`,
        );
        console.log(`    stopped ${afterMs.toFixed(0)} ms after the request`);
        await sleep(500);
        for (const name of readdirSync(join(base, 'output')).filter((file) => file.startsWith('slow'))) {
          await sharp(join(base, 'output', name)).stats();
        }
        const files = readdirSync(join(base, 'output'), { withFileTypes: true }).filter((each) =>
          each.isFile(),
        );
        const odd = files.map(({ name }) => name).filter((file) => !/^[\w-]+_\d{5}_\.\w+$/.test(file));
        assert.deepEqual(odd, [], 'no temporary file is left');
        assert.deepEqual(await leftInExchange(pid), [], 'no file is left in the exchange folder');
        await expectNextRun(driver, 2);
      },
    },
    {
      name: 'kill -9 of the bridge: the node fails with its code within 2 s, the next run works',
      async run(driver) {
        await expectNextRun(driver, 6);
        const bridge = findBridge(pid);
        assert(bridge, 'the bridge is a child of ComfyUI');
        const { run, afterMs } = await disturb(driver, 3, () => {
          process.kill(bridge.pid, 'SIGKILL');
        });
        const message = String(run.error?.['exception_message'] ?? '');
        assert.match(message, /\[bridge\/lost\]/, 'the error names its code');
        assert.match(message, /What to do: /, 'the error says what to do');
        assert(afterMs < FAILURE_WITHIN_MS, `it fails within ${FAILURE_WITHIN_MS} ms, took ${afterMs} ms`);
        console.log(`    failed ${afterMs.toFixed(0)} ms after the kill`);
        await expectNextRun(driver, 4);
        assert.notEqual(findBridge(pid)?.pid, bridge.pid, 'another bridge runs');
        assert.deepEqual(await leftInExchange(pid), [], 'no file is left in the exchange folder');
      },
    },
  ];
}

/**
 * Kill -9 of ComfyUI while our node works: nothing of ours runs on.
 * @throws AssertionError naming the process that does.
 */
export async function checkOrphans(driver: Driver, comfyui: RunningComfyUI): Promise<void> {
  const pid = comfyui.process.pid ?? 0;
  const ours = new Map<number, string>();
  const running = disturb(driver, 5, () => {
    for (const row of descendantsOf(pid)) ours.set(row.pid, row.command);
    process.kill(pid, 'SIGKILL');
  });
  // Its end never comes: ComfyUI is gone.
  running.catch(() => {});
  await new Promise<void>((done) => comfyui.process.once('close', () => done()));
  assert(ours.size > 0, 'the bridge ran when ComfyUI was killed');
  const end = performance.now() + ORPHANS_GONE_MS;
  while ([...ours.keys()].some(isAlive) && performance.now() < end) await sleep(50);
  const left = [...ours].filter(([one]) => isAlive(one));
  assert.deepEqual(left, [], `no process of ours is left after ${ORPHANS_GONE_MS} ms`);
}
