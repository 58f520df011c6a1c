/**
 * `npm run bench:peers -- --python PY [--comfyui PATH --predecessor PATH] [--csv] [PART ...]`: our work beside that of
 * the programs people use for it now, in the same run on the same machine. `PY` has numpy and Pillow, and for the
 * predecessor what ComfyUI needs and piexif. Parts: png, capture, jpeg, tag. Ends with 1 where a goal is missed;
 * `--csv` writes `results.csv`, from which `npm run generate` makes README's table.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import type { Measurement } from './measure.ts';
import { benchCapturing } from './peers/capturing.ts';
import { benchKeeping } from './peers/keeping.ts';
import { startPredecessor } from './peers/predecessor.ts';
import { benchSavingPng } from './peers/saving-png.ts';
import { benchTagging } from './peers/tagging.ts';
import { writeResults } from './results.ts';

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: {
    python: { type: 'string', default: 'python3' },
    comfyui: { type: 'string' },
    predecessor: { type: 'string' },
    csv: { type: 'boolean', default: false },
  },
});
const { python, comfyui, predecessor, csv } = values;
if ((comfyui === undefined) !== (predecessor === undefined))
  usage('--predecessor runs inside a ComfyUI: give --comfyui too');
// A part of the table would look like the whole.
if (csv && (predecessor === undefined || positionals.length > 0))
  usage('--csv needs the predecessor, and every part');

const rows: Measurement[] = [];
const wants = (part: string): boolean => positionals.length === 0 || positionals.includes(part);
const work = mkdtempSync(join(tmpdir(), 'lineage-bench-peers-'));
try {
  if (wants('png')) show(await benchSavingPng(python));
  if (comfyui === undefined || predecessor === undefined) {
    console.log('no predecessor was given: trace, capture and JPEG budgets are left out');
  } else if (wants('capture') || wants('jpeg')) {
    const places = { python, comfyui, predecessor: resolve(predecessor) };
    const peer = await startPredecessor(places, work);
    try {
      if (wants('capture')) show(await benchCapturing(peer, work));
      if (wants('jpeg')) show(await benchKeeping(peer, work));
    } finally {
      await peer.close();
    }
  }
  if (wants('tag')) show(await benchTagging());
} finally {
  rmSync(work, { recursive: true });
}
if (csv) writeResults(rows.map((row) => ({ section: 'peers', ...row })));
if (rows.some(({ ok }) => ok === false)) process.exitCode = 1;

function show(found: readonly Measurement[]): void {
  for (const row of found) {
    rows.push(row);
    const goal = row.goal === undefined ? '' : `  goal ${row.goal}: ${row.ok ? 'met' : 'NOT MET'}`;
    console.log(`${row.name.padEnd(72)} ${row.value.toFixed(2).padStart(9)} ${row.unit}${goal}`);
  }
}

function usage(message: string): never {
  console.error(message);
  process.exit(2);
}
