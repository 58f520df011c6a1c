/**
 * `npm run bench:merge`: what a merge costs beside copying the same bytes. Makes models of 2 GB in a work folder and
 * removes them; needs 18 GB there, and memory to keep what a round reads in the page cache. Rounds are interleaved and
 * every run starts with its inputs in the cache. Takes about twelve minutes; run alone.
 *
 * `--folder DIR` where (default: the system's), `--megabytes N` of each model (default 2000), `--rounds N` (default 5),
 * `--threads N` (default: processors), `--python EXE` with torch and safetensors, and with sd-mecha and mergekit where
 * they are to be compared; `--large` merges two models of six times the size too, for its memory: 36 GB more. Only a
 * full run writes `results.csv`.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { type FloatDtype, floatBytes } from '../../nodes/formats/floats.ts';
import { layoutTensors } from '../../nodes/formats/safetensors/layout.ts';
import { atMost, type Measurement, median } from './measure.ts';
import { shapesLikeSd15, writeModel } from './merge/models.ts';
import { writeResults } from './results.ts';

const { values } = parseArgs({
  options: {
    folder: { type: 'string', default: tmpdir() },
    megabytes: { type: 'string', default: '2000' },
    rounds: { type: 'string', default: '5' },
    threads: { type: 'string', default: String(availableParallelism()) },
    python: { type: 'string' },
    large: { type: 'boolean', default: false },
  },
});
const [megabytes, rounds, threads] = [values.megabytes, values.rounds, values.threads].map(Number) as [
  number,
  number,
  number,
];
const folder = mkdtempSync(join(values.folder, 'lineage-bench-merge-'));
const out = join(folder, 'out.safetensors');

/** One kind of merge: how many models of which type go in, and by which method. */
type Case = {
  readonly name: string;
  readonly dtype: FloatDtype;
  readonly models: number;
  readonly method: { readonly method: string; readonly params: object; readonly weights: readonly number[] };
  /** At most so many, where each takes long and nothing is asked of the time. */
  readonly rounds?: number;
};

const half = { method: 'weighted-sum', params: { alpha: 0.7 }, weights: [1, 1] };
const four = { method: 'linear', params: { normalize: true }, weights: [0.4, 0.3, 0.2, 0.1] };
const eight = { ...four, weights: Array.from({ length: 8 }, () => 1) };
const ties = {
  method: 'ties',
  params: { density: 0.2, scope: 'tensor', keep: 'exact', zero_sign: 'positive', normalize: 'count' },
  weights: [1, 1],
};
const CASES: readonly Case[] = [
  { name: 'two models, F16', dtype: 'F16', models: 2, method: half },
  { name: 'two models, BF16', dtype: 'BF16', models: 2, method: half },
  { name: 'two models, F32', dtype: 'F32', models: 2, method: half },
  { name: 'four models, F16', dtype: 'F16', models: 4, method: four },
  { name: 'eight models, F16', dtype: 'F16', models: 8, method: eight, rounds: 2 },
  { name: 'TIES of two models on a base, F16', dtype: 'F16', models: 3, method: ties, rounds: 1 },
];

const seconds = (run: () => void): number => {
  const start = performance.now();
  run();
  return (performance.now() - start) / 1000;
};
const shell = (command: string, files: readonly string[]): void =>
  void execFileSync('sh', ['-c', command, 'sh', ...files], { stdio: ['ignore', 'ignore', 'inherit'] });

/** Everything that a run reads lies in the page cache, and nothing that it writes. */
function warm(files: readonly string[]): void {
  rmSync(out, { force: true });
  shell('sync; cat "$@" > /dev/null', files);
}

/** Wall seconds of a run, of the whole process; and MB of memory where it says so. */
function mergeOnce(
  files: readonly string[],
  wanted: Case,
  elements: number,
  more: object,
  prepare: (files: readonly string[]) => void = warm,
): [number, number] {
  prepare(files);
  let memory = 0;
  const child = JSON.stringify({
    files,
    out,
    threads,
    compiled: join(folder, 'compiled'),
    elements,
    ...wanted,
    ...more,
  });
  const time = seconds(() => {
    const script = join(import.meta.dirname, 'merge', 'run-one.mjs');
    memory = Number(execFileSync(process.execPath, [script, child], { encoding: 'utf8' }));
  });
  return [time, memory];
}

function benchCase(wanted: Case): Measurement[] {
  const elements = (megabytes * 1e6) / floatBytes(wanted.dtype);
  const shapes = shapesLikeSd15(wanted.dtype, elements);
  const layout = layoutTensors(shapes, new Map());
  const files = Array.from({ length: wanted.models }, (_, i) => join(folder, `model-${i}.safetensors`));
  for (const [seed, file] of files.entries()) writeModel(file, layout, wanted.dtype, seed + 1);
  const [last = '', ...others] = files.toReversed();

  const serial: number[] = [];
  const parallel: number[] = [];
  const ours: number[] = [];
  const memory: number[] = [];
  const flushed: number[] = [];
  const hashed: number[] = [];
  const unjournalled: number[] = [];
  const flushedRaw: number[] = [];
  const times = Math.min(rounds, wanted.rounds ?? rounds);
  // The first run compiles the code, which later ones find compiled.
  if (times > 1) mergeOnce(files, wanted, elements, { flush: false });
  for (let round = 0; round < times; round++) {
    warm(files);
    serial.push(
      seconds(() =>
        shell('out=$1; last=$2; shift 2; cat "$@" > /dev/null; cat "$last" > "$out"', [out, last, ...others]),
      ),
    );
    warm(files);
    parallel.push(
      seconds(() =>
        shell('out=$1; last=$2; shift 2; cat "$@" > /dev/null & cat "$last" > "$out"; wait', [
          out,
          last,
          ...others,
        ]),
      ),
    );
    const [time, most] = mergeOnce(files, wanted, elements, { flush: false });
    ours.push(time);
    memory.push(most);
    if (wanted !== CASES[0]) continue;
    warm(files);
    flushedRaw.push(
      seconds(() => shell('cat "$3" > /dev/null; cat "$2" > "$1"; sync "$1"', [out, last, ...others])),
    );
    flushed.push(mergeOnce(files, wanted, elements, { flush: true })[0]);
    hashed.push(mergeOnce(files, wanted, elements, { flush: false, hashOutput: true })[0]);
    unjournalled.push(mergeOnce(files, wanted, elements, { flush: false, resumable: false })[0]);
  }
  const { name } = wanted;
  const isSum = wanted.method !== ties;
  const isFirst = wanted === CASES[0];
  const over = (a: readonly number[], b: readonly number[]): number => median(a) / median(b);
  return [
    { name: `${name}: copying the same bytes, one after the other`, value: median(serial), unit: 's' },
    { name: `${name}: the same, two at once`, value: median(parallel), unit: 's' },
    { name: `${name}: merge, whole process`, value: median(ours), unit: 's' },
    isFirst
      ? atMost(`${name}: merge / copying`, over(ours, serial), 'x', 1.25)
      : { name: `${name}: merge / copying`, value: over(ours, serial), unit: 'x' },
    isFirst
      ? atMost(`${name}: merge / copying two at once`, over(ours, parallel), 'x', 1.7)
      : { name: `${name}: merge / copying two at once`, value: over(ours, parallel), unit: 'x' },
    isSum
      ? atMost(`${name}: most memory`, Math.max(...memory), 'MB', wanted.models > 4 ? 256 : 128)
      : { name: `${name}: most memory`, value: Math.max(...memory), unit: 'MB' },
    ...(isFirst
      ? [
          {
            name: `${name}: merge / copying, both flushed to the disk`,
            value: over(flushed, flushedRaw),
            unit: 'x',
          },
          { name: `${name}: hashing the output adds`, value: median(hashed) - median(ours), unit: 's' },
          {
            name: `${name}: the journal with its checksums adds`,
            value: median(ours) - median(unjournalled),
            unit: 's',
          },
          ...benchCold(files, wanted, elements),
          ...benchPeers(files, median(ours)),
        ]
      : []),
  ];
}

/** Memory must not follow the models' size. */
function benchLarge(wanted: Case): Measurement[] {
  const elements = (6 * megabytes * 1e6) / floatBytes(wanted.dtype);
  const layout = layoutTensors(shapesLikeSd15(wanted.dtype, elements), new Map());
  const files = [0, 1].map((model) => join(folder, `large-${model}.safetensors`));
  for (const [seed, file] of files.entries()) writeModel(file, layout, wanted.dtype, seed + 1);
  const [, most] = mergeOnce(files, wanted, elements, { flush: false }, () => rmSync(out, { force: true }));
  for (const file of [...files, out]) rmSync(file);
  return [atMost(`${wanted.name}, six times as large: most memory`, most, 'MB', 128)];
}

/** Nothing in the page cache: what the first merge after a start of the machine costs. Needs to be root. */
function benchCold(files: readonly string[], wanted: Case, elements: number): Measurement[] {
  const drop = 'sync; echo 3 > /proc/sys/vm/drop_caches';
  if (process.getuid?.() !== 0) return [];
  const reading: number[] = [];
  const merging: number[] = [];
  for (let round = 0; round < Math.min(rounds, 3); round++) {
    rmSync(out, { force: true });
    shell(drop, []);
    reading.push(seconds(() => shell('cat "$@" > /dev/null', files)));
    merging.push(mergeOnce(files, wanted, elements, { flush: false }, () => shell(drop, []))[0]);
  }
  const value = median(merging) / median(reading);
  return [atMost(`${wanted.name}: cold merge / cold reading of the models`, value, 'x', 1.5)];
}

const PEERS = {
  stream: { name: 'torch.lerp, tensor by tensor', goal: 2.5 },
  load: { name: 'torch.lerp, all in memory', goal: 6 },
  mecha: { name: 'sd-mecha', goal: 8 },
  mergekit: { name: 'mergekit-pytorch', goal: 8 },
} as const;

function benchPeers(files: readonly string[], ours: number): Measurement[] {
  const { python } = values;
  if (!python) return [];
  return Object.entries(PEERS).flatMap(([peer, about]): Measurement[] => {
    const times: number[] = [];
    // They take many times as long as we do.
    for (let round = 0; round < Math.min(rounds, 3); round++) {
      warm(files);
      const script = join(import.meta.dirname, 'merge', 'peers.py');
      let status: number | null = null;
      times.push(
        seconds(() => {
          const ended = spawnSync(python, [script, peer, String(threads), '0.7', out, ...files], {
            stdio: 'pipe',
          });
          status = ended.status;
          if (status !== 0 && status !== 3) throw new Error(`${peer}: ${ended.stderr}`);
        }),
      );
      rmSync(`${out}.folder`, { recursive: true, force: true });
      if (status === 3) return [];
    }
    const value = median(times) / ours;
    const name = `two models, F16: ${about.name} / merge`;
    return [{ name, value, unit: 'x', goal: `>= ${about.goal}`, ok: value >= about.goal }];
  });
}

const results: Measurement[] = [];
try {
  for (const wanted of CASES) {
    const isLarge = values.large && wanted === CASES[0];
    for (const row of [...benchCase(wanted), ...(isLarge ? benchLarge(wanted) : [])]) {
      results.push(row);
      const verdict = row.goal === undefined ? '' : `  goal ${row.goal} ${row.ok ? 'met' : 'MISSED'}`;
      console.log(`  ${row.name.padEnd(66)} ${row.value.toFixed(2).padStart(9)} ${row.unit}${verdict}`);
    }
  }
} finally {
  rmSync(folder, { recursive: true });
}
// Another size, or a part of the table, would look like the whole.
if (megabytes === 2000 && rounds >= 5 && values.python && values.large) {
  writeResults(results.map((row) => ({ section: 'merge', ...row })));
}
if (results.some(({ ok }) => ok === false)) process.exitCode = 1;
