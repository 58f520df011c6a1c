import assert from 'node:assert/strict';
import { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { RunningComfyUI } from '../comfyui-checkout.ts';
import type { Driver } from './drive.ts';
import { largePictures } from './graphs.ts';
import { findBridge, leftInExchange, memoryOf } from './processes.ts';

/** Memory may still grow in the first runs, while pools and caches fill. */
const WARM_UP = 0.25;
/** What counts as flat: what a run holds moves by one batch of 8 pictures of 2048 x 2048 x 3 floats, 384 MiB. */
const FLAT_MIB = 192;

/**
 * Runs 8 pictures of 2048 x 2048 through the save node again and again.
 * @throws AssertionError when memory of either process grows, a run fails, or a file is left in the exchange folder.
 */
export async function soak(driver: Driver, comfyui: RunningComfyUI, runs: number): Promise<void> {
  const pid = comfyui.process.pid ?? 0;
  const output = join(comfyui.base, 'output');
  const memory: { readonly comfyui: number; readonly bridge: number }[] = [];
  for (let index = 0; index < runs; index++) {
    // Another colour each time, or the run is cached.
    const run = await driver.run(
      largePictures({ side: 2048, color: index + 1, format: 'webp', prefix: 'soak' }),
    );
    assert.equal(run.error, undefined, `run ${index + 1} succeeds`);
    const bridge = findBridge(pid);
    assert(bridge, 'the bridge runs');
    memory.push({ comfyui: memoryOf(pid), bridge: memoryOf(bridge.pid) });
    for (const name of readdirSync(output)) rmSync(join(output, name), { recursive: true });
    assert.deepEqual(
      await leftInExchange(pid),
      [],
      `no file is left in the exchange folder after run ${index + 1}`,
    );
    if ((index + 1) % 10 === 0 || index + 1 === runs) {
      const last = memory.at(-1);
      console.log(
        `    run ${index + 1}: ComfyUI ${last?.comfyui.toFixed(0)} MiB, bridge ${last?.bridge.toFixed(0)} MiB`,
      );
    }
  }
  const settled = memory.slice(Math.floor(memory.length * WARM_UP));
  const half = Math.floor(settled.length / 2);
  for (const name of ['comfyui', 'bridge'] as const) {
    const [before, after] = [settled.slice(0, half), settled.slice(half)].map((part) =>
      median(part.map((row) => row[name])),
    );
    const grown = (after ?? 0) - (before ?? 0);
    assert(grown < FLAT_MIB, `memory of ${name} is flat, grew by ${grown.toFixed(0)} MiB`);
    console.log(`    ${name}: ${grown.toFixed(0)} MiB more in the second half than in the first`);
  }
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
}
