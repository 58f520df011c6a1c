import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { encodePixels } from '../../../nodes/formats/pixels.ts';
import { textChunk, withChunks } from '../../bridge/cli/pictures.ts';
import { promptText } from '../../bridge/tagging/random-pictures.ts';
import { atMost, type Measurement } from '../measure.ts';

const PROGRAM = fileURLToPath(new URL('../../../bridge/lineage.mjs', import.meta.url));
const WATCH = new URL('peak-memory.mjs', import.meta.url);

/** Pictures of one kind, in a folder that exists. Names have the width that sorts them. */
async function putPictures(folder: string, count: number, side: number): Promise<void> {
  const data = new Uint8Array(side * side * 3).map((_, at) => (Math.imul(at, 0x9e3779b1) >>> 20) & 255);
  const pixels = { width: side, height: side, channels: 3 as const, data };
  const plain = await encodePixels(pixels, { format: 'png', quality: 100 });
  for (let at = 0; at < count; at++) {
    const picture = withChunks(plain, [textChunk('prompt', promptText(at, `picture ${at}, a cat on a mat`))]);
    writeFileSync(join(folder, `${String(at).padStart(6, '0')}.png`), picture);
  }
}

/** A run of a command of ours in a process of its own. */
type Timed = { readonly seconds: number; readonly peakMiB: number };

/** @throws where the command fails */
function timeCommand(folder: string, args: readonly string[]): Timed {
  const env = { ...process.env, NODE_OPTIONS: `--import=${WATCH}`, LINEAGE_HOME: join(folder, 'home') };
  const started = performance.now();
  const ended = spawnSync(process.execPath, [PROGRAM, ...args], { cwd: folder, env, encoding: 'utf8' });
  const seconds = (performance.now() - started) / 1000;
  if (ended.status !== 0) throw new Error(`lineage ${args.join(' ')}: ${ended.stdout}${ended.stderr}`);
  const peak = /peak memory: (\d+) KiB/.exec(ended.stderr)?.[1];
  return { seconds, peakMiB: Number(peak) / 1024 };
}

/**
 * Tags `count` pictures where they lie, looks at them again, and takes it back: whole commands, the start of the process
 * and every flush to the disk included.
 */
export async function benchTagging(count = 1_000): Promise<Measurement[]> {
  const rows: Measurement[] = [];
  for (const side of [64, 1024]) {
    const folder = mkdtempSync(join(tmpdir(), 'lineage-bench-tag-'));
    try {
      mkdirSync(join(folder, 'pictures'));
      const files = side > 512 ? Math.ceil(count / 5) : count;
      await putPictures(join(folder, 'pictures'), files, side);
      const kind = `PNG of ${side}x${side}`;
      const rate = (name: string, args: readonly string[]): Measurement => {
        return {
          name: `${kind}: ${name}`,
          value: files / timeCommand(folder, args).seconds,
          unit: 'files/s',
        };
      };
      rows.push(rate('tag', ['tag', 'pictures', '--journal', 'journal.jsonl']));
      rows.push(rate('tag those that are right', ['tag', 'pictures']));
      rows.push(rate('undo', ['undo', 'journal.jsonl']));
    } finally {
      rmSync(folder, { recursive: true });
    }
  }
  return rows;
}

/** Beyond what a run of a tenth of the files takes: noise of the garbage collector. */
const GROWTH_MIB = 48;

/** The most memory that a run takes, for `count` files and for a tenth of them. */
export async function benchTaggingMemory(count = 10_000): Promise<Measurement[]> {
  const peaks: number[] = [];
  const rows: Measurement[] = [];
  for (const files of [count / 10, count]) {
    const folder = mkdtempSync(join(tmpdir(), 'lineage-bench-tag-'));
    try {
      mkdirSync(join(folder, 'pictures'));
      await putPictures(join(folder, 'pictures'), files, 64);
      for (const [name, args] of [
        ['tag', ['tag', 'pictures', '--journal', 'journal.jsonl']],
        ['undo', ['undo', 'journal.jsonl']],
      ] as const) {
        const { seconds, peakMiB } = timeCommand(folder, args);
        peaks.push(peakMiB);
        rows.push({ name: `${name} ${files} files: peak memory`, value: peakMiB, unit: 'MiB' });
        rows.push({ name: `${name} ${files} files`, value: files / seconds, unit: 'files/s' });
      }
      if (readdirSync(join(folder, 'pictures')).length !== files) throw new Error('files were left behind');
    } finally {
      rmSync(folder, { recursive: true });
    }
  }
  const [few = 0, fewUndone = 0, many = Number.NaN, manyUndone = Number.NaN] = peaks;
  return [
    ...rows,
    atMost(`tag: memory of ${count} files beyond that of ${count / 10}`, many - few, 'MiB', GROWTH_MIB),
    atMost(`undo: the same`, manyUndone - fewUndone, 'MiB', GROWTH_MIB),
  ];
}
