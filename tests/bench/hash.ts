/**
 * How long does the first save with a new 1 GiB model wait for its hashes? `openssl dgst -sha256` reads the same
 * warm file in the same rounds. The thread is started before, as it is once for all files of a process; openssl's
 * start is in its time and takes a few milliseconds.
 *
 * Run alone: `node tests/bench/hash.ts`.
 */
import { execFileSync } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createFileHasher, type FileHasher } from '../../bridge/local/hash-file.ts';
import { type Measurement, median } from './measure.ts';

const FILE_BYTES = 2 ** 30;
const ROUNDS = 5;

/** A safetensors file has all four hashes; without its header the same bytes have no second digest of the whole. */
const HEADERS = {
  'four hashes': Buffer.from([2, 0, 0, 0, 0, 0, 0, 0, 0x7b, 0x7d]),
  'SHA-256 alone': Buffer.alloc(10, 0xff),
} as const;

/** Takes about 20 s, 1 GiB of disk and page cache; removes its file. Ratios are medians over the rounds. */
export async function benchHash(): Promise<readonly Measurement[]> {
  const folder = mkdtempSync(join(tmpdir(), 'lineage-bench-hash-'));
  const hasher = createFileHasher();
  try {
    const file = join(folder, 'model');
    writeModel(file);
    const openssl: number[] = [];
    const alone: number[] = [];
    const four: number[] = [];
    await measure(file, 'SHA-256 alone', hasher);
    for (let round = 0; round < ROUNDS; round++) {
      openssl.push(measureOpenssl(file));
      alone.push(await measure(file, 'SHA-256 alone', hasher));
      four.push(await measure(file, 'four hashes', hasher));
    }
    const ratio = (ours: readonly number[]): number =>
      median(ours.map((speed, i) => speed / (openssl[i] ?? 0)));
    return [
      { name: 'openssl dgst -sha256, 1 GiB warm', value: median(openssl), unit: 'GB/s' },
      { name: 'SHA-256 alone, one worker', value: median(alone), unit: 'GB/s' },
      {
        name: 'SHA-256 alone / openssl',
        value: ratio(alone),
        unit: 'x',
        goal: '>= 0.8',
        ok: ratio(alone) >= 0.8,
      },
      { name: 'SHA-256 + AutoV1 + AutoV2 + AutoV3, one worker', value: median(four), unit: 'GB/s' },
      {
        name: 'all four hashes / openssl',
        value: ratio(four),
        unit: 'x',
        goal: '>= 0.5',
        ok: ratio(four) >= 0.5,
      },
    ];
  } finally {
    await hasher.close();
    rmSync(folder, { recursive: true });
  }
}

/** Bytes without pattern, the same each time; written once, so that all rounds find the same pages in the cache. */
function writeModel(path: string): void {
  const block = new Uint32Array(2 ** 22);
  let state = 1;
  for (let i = 0; i < block.length; i++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    block[i] = state;
  }
  const file = openSync(path, 'w');
  for (let written = 0; written < FILE_BYTES; written += block.byteLength) writeSync(file, block);
  closeSync(file);
}

/** GB/s of the file's bytes. */
async function measure(path: string, what: keyof typeof HEADERS, hasher: FileHasher): Promise<number> {
  const file = openSync(path, 'r+');
  writeSync(file, HEADERS[what], 0, HEADERS[what].length, 0);
  closeSync(file);
  const start = performance.now();
  const { hashes } = await hasher.hash(path);
  const speed = gigabytesPerSecond(performance.now() - start);
  if ((hashes.autoV3 !== undefined) !== (what === 'four hashes'))
    throw new Error(`measured other hashes than ${what}`);
  return speed;
}

function measureOpenssl(path: string): number {
  const start = performance.now();
  execFileSync('openssl', ['dgst', '-sha256', path]);
  return gigabytesPerSecond(performance.now() - start);
}

function gigabytesPerSecond(elapsedMs: number): number {
  return FILE_BYTES / 1e6 / elapsedMs;
}

if (import.meta.main) {
  for (const { name, value, unit, goal, ok } of await benchHash()) {
    const verdict = goal === undefined ? '' : `  goal ${goal} ${ok ? 'met' : 'MISSED'}`;
    console.log(`${name.padEnd(48)} ${value.toFixed(2)} ${unit}${verdict}`);
  }
}
