/**
 * `npm run bench:hosts -- [PATH_TO_COMFYUI] [--python PY]`: what the two hosts cost. The peer, real ComfyUI with Python
 * nodes of its own, runs in the same run on the same machine. Without a ComfyUI only the embedded runtime is measured.
 */
import { parseArgs } from 'node:util';
import { makeWorkFolder, openCheckout } from '../conformance/comfyui-checkout.ts';
import { measureBlocks, measureStarts } from './hosts/calm.ts';
import { measureClients } from './hosts/clients.ts';
import { measureManyNodes } from './hosts/many-nodes.ts';
import { measureRoundTrips } from './hosts/round-trips.ts';
import { measureSaving } from './hosts/saving.ts';
import { startBenchComfyUI, startBenchRuntime } from './hosts/start.ts';
import type { Measurement } from './measure.ts';
import { writeResults } from './results.ts';

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: { python: { type: 'string' }, csv: { type: 'boolean' } },
});
const work = makeWorkFolder('bench');
const rows: Measurement[] = [];
const show = (found: readonly Measurement[]): void => {
  for (const row of found) {
    rows.push(row);
    const goal = row.goal === undefined ? '' : `  goal ${row.goal}: ${row.ok ? 'met' : 'NOT MET'}`;
    console.log(`${row.name.padEnd(76)} ${row.value.toFixed(2).padStart(10)} ${row.unit}${goal}`);
  }
};

try {
  show(await measureStarts(work.folder));
  const embedded = await startBenchRuntime(work.folder);
  try {
    show(await measureBlocks(embedded));
    show(await measureClients(embedded.url));
    if (positionals[0] === undefined) {
      console.log('no ComfyUI was given: only the embedded runtime is measured');
      show(await measureManyNodes(embedded.url, undefined));
    } else {
      const comfyui = await startBenchComfyUI(openCheckout(positionals[0], values.python), work.folder);
      try {
        show(await measureRoundTrips(comfyui.url));
        show(await measureSaving(comfyui.url));
        show(await measureManyNodes(embedded.url, comfyui.url));
      } finally {
        await comfyui.stop();
      }
    }
  } finally {
    await embedded.close();
  }
} finally {
  work.remove();
}

if (values.csv) writeResults(rows.map((row) => ({ section: 'hosts', ...row })));
if (rows.some(({ ok }) => ok === false)) process.exitCode = 1;
