import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { toManifest } from '../../../bridge/comfyui/manifest.ts';
import {
  type Checkout,
  ROOT,
  type RunningComfyUI,
  startComfyUI,
} from '../../conformance/comfyui-checkout.ts';
import { benchNodes } from './bench-nodes.ts';

/** Real ComfyUI with our pack and the pack of the bench, in a base directory below `work`. */
export async function startBenchComfyUI(checkout: Checkout, work: string): Promise<RunningComfyUI> {
  const pack = join(work, 'bench-pack');
  const manifest = join(work, 'bench-manifest.json');
  mkdirSync(pack);
  copyFileSync(join(import.meta.dirname, 'bench_pack.py'), join(pack, '__init__.py'));
  writeFileSync(manifest, JSON.stringify(toManifest(benchNodes)));
  return startComfyUI(checkout, work, {
    packs: { lineage: ROOT, 'bench-pack': pack },
    env: { LINEAGE_BENCH_ROOT: ROOT, LINEAGE_BENCH_MANIFEST: manifest },
  });
}

/** The embedded runtime in a process of its own, with the same empty nodes. */
export type BenchRuntime = {
  readonly url: string;
  /** From its start to its first answer. */
  readonly readyMs: number;
  /** The longest that its event loop stood still since this was last asked, in milliseconds. */
  longestBlockMs(): Promise<number>;
  close(): Promise<void>;
};

const PROGRAM = join(ROOT, 'bridge', 'lineage.mjs');

/**
 * Starts `lineage serve` below `work`, with a watch over its event loop beside it.
 * @throws Error with what it wrote, when it ends before it is ready
 */
export async function startBenchRuntime(work: string): Promise<BenchRuntime> {
  const base = join(work, 'runtime');
  const nodes = join(import.meta.dirname, 'nodes');
  const args = ['serve', '--port', '0', '--base', base, '--nodes', nodes];
  const began = performance.now();
  const child = spawn(
    process.execPath,
    ['--import', join(import.meta.dirname, 'watch-loop.ts'), PROGRAM, ...args],
    {
      env: { ...process.env, LINEAGE_HOME: join(work, 'home') },
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    },
  );
  const closed = once(child, 'close');
  let output = '';
  const url = await new Promise<string>((resolve, reject) => {
    const hear = (text: string): void => {
      output = (output + text).slice(-10_000);
      const ready = /^lineage serve: (http\S+)$/m.exec(output)?.[1];
      if (ready !== undefined) resolve(ready);
    };
    child.stdout?.setEncoding('utf8').on('data', hear);
    child.stderr?.setEncoding('utf8').on('data', hear);
    child.once('close', () => reject(new Error(`the runtime did not start: ${output}`)));
  });
  await (await fetch(`${url}/prompt`)).text();
  return {
    url,
    readyMs: performance.now() - began,
    async longestBlockMs() {
      child.send('longest');
      const [answer]: unknown[] = await once(child, 'message');
      return Number(answer);
    },
    async close() {
      child.kill('SIGTERM');
      await closed;
    },
  };
}
