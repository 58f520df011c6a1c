import { execFileSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import {
  type Checkout,
  makeWorkFolder,
  openCheckout,
  ROOT,
  type RunningComfyUI,
  startComfyUI,
  writeStubs,
} from './comfyui-checkout.ts';
import { accidentChecks, checkOrphans } from './real-comfyui/accidents.ts';
import { Driver } from './real-comfyui/drive.ts';
import { MERGE_CHECKS } from './real-comfyui/merges.ts';
import { type Check, PICTURE_CHECKS } from './real-comfyui/pictures.ts';
import { RULE_CHECKS } from './real-comfyui/rules.ts';
import { soak } from './real-comfyui/soak.ts';

/**
 * `npm run comfyui -- PATH_TO_COMFYUI [--python PY] [--pack DIR] [--only WORD] [--soak [--runs 200]]`: our nodes inside real
 * ComfyUI on the CPU, with a random SD3 model small enough for it. Checks what the saved files tell, and what happens
 * when one of the processes is killed; with `--soak`, that memory stays flat.
 */
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    python: { type: 'string' },
    /** The folder to load as the pack; by default this checkout. */
    pack: { type: 'string', default: ROOT },
    only: { type: 'string', default: '' },
    soak: { type: 'boolean', default: false },
    runs: { type: 'string', default: '200' },
  },
});

const [path] = positionals;
if (path === undefined) {
  console.log('skipped: this needs a ComfyUI checkout: npm run comfyui -- PATH_TO_COMFYUI [--python PY]');
} else {
  process.exitCode = await main(openCheckout(path, values.python));
}

async function main(checkout: Checkout): Promise<number> {
  const work = makeWorkFolder('real');
  let comfyui: RunningComfyUI | undefined;
  try {
    const models = join(work.folder, 'base', 'models');
    mkdirSync(models, { recursive: true });
    execFileSync(
      checkout.python,
      [join(import.meta.dirname, 'real-comfyui', 'make_tiny_sd3.py'), checkout.folder, models],
      { env: { ...process.env, PYTHONPATH: writeStubs(checkout.python, work.folder) }, stdio: 'inherit' },
    );
    comfyui = await startComfyUI(checkout, work.folder, {
      packs: {
        lineage: resolve(values.pack),
        'tiny-text': join(import.meta.dirname, 'real-comfyui', 'pack'),
      },
      env: { LINEAGE_HOME: join(work.folder, 'home') },
    });
    console.log(`ComfyUI ${checkout.version} at ${comfyui.url}`);
    const failed = values.soak ? await runSoak(comfyui) : await runChecks(comfyui);
    if (failed > 0) console.error(comfyui.log().slice(-6000));
    return failed > 0 ? 1 : 0;
  } finally {
    await comfyui?.stop();
    work.remove();
  }
}

async function runChecks(comfyui: RunningComfyUI): Promise<number> {
  const driver = await Driver.open(comfyui.url);
  const orphans: Check = {
    name: 'kill -9 of ComfyUI: no process of ours is left after 5 s',
    run: (of) => checkOrphans(of, comfyui),
  };
  const checks = [
    ...PICTURE_CHECKS,
    ...MERGE_CHECKS,
    ...RULE_CHECKS,
    ...accidentChecks(comfyui),
    orphans,
  ].filter(({ name }) => name.includes(values.only));
  let failed = 0;
  for (const check of checks) failed += await report(check.name, () => check.run(driver, comfyui.base));
  driver.close();
  console.log(`${checks.length - failed} of ${checks.length} checks passed`);
  return failed;
}

async function runSoak(comfyui: RunningComfyUI): Promise<number> {
  const driver = await Driver.open(comfyui.url);
  const runs = Number(values.runs);
  const failed = await report(`${runs} runs of 8 pictures of 2048 x 2048`, () => soak(driver, comfyui, runs));
  driver.close();
  return failed;
}

/** Runs one check and says how it went; 1 where it failed. */
async function report(name: string, run: () => Promise<void>): Promise<number> {
  const start = performance.now();
  try {
    await run();
    console.log(`ok   ${name} (${((performance.now() - start) / 1000).toFixed(1)} s)`);
    return 0;
  } catch (error) {
    console.log(`FAIL ${name}\n     ${error instanceof Error ? (error.stack ?? error.message) : error}`);
    return 1;
  }
}
