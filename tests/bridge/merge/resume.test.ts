import { execFileSync, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  closeSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type JobOptions, type JobResult, runJob } from '../../../bridge/merge/run-job.ts';
import type { MergeJob } from '../../../nodes/merge/job.ts';
import { mountTemporary } from './mount-temporary.ts';
import {
  drawNumbers,
  f32,
  jobOf,
  type Model,
  makeFolder,
  makePair,
  merged,
  stored,
  weightedSumJob,
  writeModel,
} from './small-models.ts';

const UNIT_BYTES = 4096;
/** How often a process is killed; a soak takes 200. */
const KILLS = Number(process.env['LINEAGE_TEST_KILLS'] ?? 12);
const KILLS_A_RUN = 4;

const folder = makeFolder();
afterAll(() => rmSync(folder, { recursive: true }));
const out = join(folder, 'out.safetensors');
let pair: readonly [Model, Model];
let job: MergeJob;
let wanted: string;

function run(options: Partial<JobOptions> = {}): Promise<JobResult> {
  const { signal } = new AbortController();
  return runJob(job, { out, threads: 2, memoryBytes: 2 ** 28, signal, unitBytes: UNIT_BYTES, ...options });
}

const hashOf = (path: string): string => createHash('sha256').update(readFileSync(path)).digest('hex');
const leftovers = (): string[] => readdirSync(folder).filter((name) => name.startsWith('.'));

beforeAll(async () => {
  pair = makePair(folder, 12);
  job = weightedSumJob(pair, 0.3);
  await run({ resumable: false });
  wanted = hashOf(out);
});

/** Stops a run of this process when some of the file is there. */
async function cancelAt(part: number, options: Partial<JobOptions> = {}): Promise<number> {
  const stop = new AbortController();
  let cancelled = Number.NaN;
  const progress = (done: number, total: number): void => {
    if (done < part * total || stop.signal.aborted) return;
    cancelled = performance.now();
    stop.abort(new Error('enough'));
  };
  await expect(run({ signal: stop.signal, progress, checkpointMs: 2, ...options })).rejects.toThrow('enough');
  return performance.now() - cancelled;
}

describe('a run that was cancelled', () => {
  test('ends within 250 ms, and the next one goes on from there', async () => {
    rmSync(out);
    expect(await cancelAt(0.3)).toBeLessThan(250);
    expect(() => statSync(out)).toThrow();
    expect(leftovers()).toHaveLength(2);
    const { resumed } = await run({ hashOutput: true });
    expect(resumed).toBeGreaterThan(0);
    expect(resumed).toBeLessThan(job.tensors.length - 1);
    expect(hashOf(out)).toBe(wanted);
    expect(leftovers()).toEqual([]);
  });

  test('may be begun again at once, with other threads', async () => {
    await cancelAt(0.2);
    await cancelAt(0.5, { threads: 1 });
    const { resumed } = await run({ threads: 5 });
    expect(resumed).toBeGreaterThan(0);
    expect(hashOf(out)).toBe(wanted);
  });

  test('leaves nothing that another job would take', async () => {
    await cancelAt(0.3);
    const other = weightedSumJob(pair, 0.31);
    const { signal } = new AbortController();
    const { resumed } = await runJob(other, { out, threads: 2, memoryBytes: 1, signal });
    expect(resumed).toBe(0);
    expect(hashOf(out)).not.toBe(wanted);
    expect(leftovers()).toEqual([]);
  });

  test('ends in time even in the middle of a tensor that takes long', async () => {
    const size = 8_000_000;
    const models = [1, 2].map((seed) =>
      writeModel(join(folder, `long${seed}`), new Map([['x', f32([size], drawNumbers(seed, size))]])),
    );
    // It sorts, which nothing interrupts.
    const input = (file: number) => stored(models, file, 'x');
    const value = merged('distribution-crossover', 'x', [input(0), input(1)], {
      base: input(0),
      params: { alpha: 0.5, smooth: 0.3 },
    });
    const stop = new AbortController();
    const going = runJob(jobOf(models, [{ name: 'x', dtype: 'F32', shape: [size], value }]), {
      ...{ out: join(folder, 'long'), threads: 1, memoryBytes: 2 ** 30, signal: stop.signal },
    });
    const refused = expect(going).rejects.toThrow('enough');
    await sleep(1000);
    const asked = performance.now();
    stop.abort(new Error('enough'));
    await refused;
    expect(performance.now() - asked).toBeLessThan(250);
    for (const name of readdirSync(folder)) if (name.includes('long')) rmSync(join(folder, name));
    // The thread is gone by now, or soon: what is left of its file is another output's.
    for (const name of leftovers()) rmSync(join(folder, name));
  });

  test('leaves nothing at all where nothing is to be resumed', async () => {
    writeFileSync(out, 'old');
    await cancelAt(0.1, { resumable: false });
    await run({ resumable: false });
    expect(hashOf(out)).toBe(wanted);
    expect(leftovers()).toEqual([]);
  });
});

test.skipIf(process.platform !== 'linux')(
  'a journal that cannot be kept is told once, and the file made',
  async () => {
    const lost: unknown[] = [];
    let isFull = false;
    const progress = (): void => {
      const journal = leftovers().find((name) => name.endsWith('.journal'));
      if (isFull || journal === undefined) return;
      rmSync(join(folder, journal));
      symlinkSync('/dev/full', join(folder, journal));
      isFull = true;
    };
    await run({ progress, checkpointMs: 1, onJournalLost: (reason) => lost.push(reason) });
    expect(lost).toEqual([expect.objectContaining({ code: 'ENOSPC' })]);
    expect(hashOf(out)).toBe(wanted);
    expect(leftovers()).toEqual([]);
  },
);

test('a flipped bit in what is left, or in its journal, is noticed', async () => {
  await cancelAt(0.6);
  const [file, journal] = leftovers().sort((a, b) => a.length - b.length);
  const lines = readFileSync(join(folder, journal!), 'utf8').trim().split('\n');
  const rows: { unit: number }[] = lines.slice(1).flatMap((line) => JSON.parse(line.slice(9)));
  expect(rows.length).toBeGreaterThan(10);
  const header = 8 + Number(readFileSync(pair[0].path).readBigUInt64LE(0));
  for (const at of [header - 3, header + 777 + 0.1 * statSync(pair[0].path).size]) {
    flipBit(join(folder, file!), Math.floor(at));
  }
  await run();
  expect(hashOf(out)).toBe(wanted);

  await cancelAt(0.6);
  const again = leftovers().find((name) => name.endsWith('.journal'))!;
  flipBit(join(folder, again), Math.floor(statSync(join(folder, again)).size / 2));
  await run();
  expect(hashOf(out)).toBe(wanted);
});

test('two runs at once do not disturb each other', async () => {
  const first = run();
  await expect(run()).rejects.toMatchObject({ code: 'merge/busy' });
  await first;
  expect(hashOf(out)).toBe(wanted);
});

test('an input that changes meanwhile fails the run', async () => {
  const copy = join(folder, 'changing.safetensors');
  const bytes = readFileSync(pair[1].path);
  writeFileSync(copy, bytes);
  const changing = { ...job, files: [pair[0].path, copy] };
  const { signal } = new AbortController();
  // Written in place, byte for byte the same: only the file's times tell of it.
  const progress = (): void => writeFileSync(copy, bytes, { flag: 'r+' });
  await expect(
    runJob(changing, { out, threads: 1, memoryBytes: 1, signal, unitBytes: 1024, checkpointMs: 5, progress }),
  ).rejects.toMatchObject({ code: 'file/unreadable', where: { file: copy } });
  rmSync(copy);
  expect(leftovers()).toEqual([]);
});

const CHILD = join(import.meta.dirname, 'children', 'run-weighted-sum.ts');

/** Runs the job in a process of its own: its last word, or undefined where it was killed first; how long it worked. */
async function runChild(killAfterMs?: number): Promise<{ word: string | undefined; milliseconds: number }> {
  const child = spawn(process.execPath, [CHILD, folder, String(UNIT_BYTES)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let said = '';
  let startedAt = Number.NaN;
  let timer: NodeJS.Timeout | undefined;
  child.stdout.on('data', (chunk: Buffer) => {
    if (said === '') startedAt = performance.now();
    said += String(chunk);
    if (killAfterMs !== undefined) timer ??= setTimeout(() => child.kill('SIGKILL'), killAfterMs);
  });
  const status = await new Promise<number | null>((resolve) => child.once('close', resolve));
  clearTimeout(timer);
  return {
    word: status === 0 ? said.trim().split('\n').at(-1) : undefined,
    milliseconds: performance.now() - startedAt,
  };
}

test(`killed ${KILLS} times on the way, the file is the same in the end`, { timeout: 600_000 }, async () => {
  rmSync(out, { force: true });
  const { word, milliseconds } = await runChild();
  expect(word).toBe('done');
  rmSync(out);
  let killed = 0;
  let resumed = 0;
  for (let kill = 0; kill < KILLS; kill++) {
    // Points without pattern, from the first file to the last rename.
    if ((await runChild(((kill * 0.618_034) % 1) * milliseconds)).word === undefined) killed++;
    const isThere = readdirSync(folder).includes('out.safetensors');
    if (isThere) expect(hashOf(out)).toBe(wanted);
    if (kill % KILLS_A_RUN < KILLS_A_RUN - 1) continue;
    resumed += (await run()).resumed;
    expect(hashOf(out)).toBe(wanted);
    expect(leftovers()).toEqual([]);
    rmSync(out);
  }
  // Otherwise this has shown nothing.
  expect(killed).toBeGreaterThan(KILLS / 4);
  expect(resumed).toBeGreaterThan(0);
});

describe('a disk that is full', () => {
  const disk = join(folder, 'disk');
  const mount = (size: string): boolean => mountTemporary(disk, size);
  const unmount = (): void => void execFileSync('umount', ['-l', disk]);
  const target = join(disk, 'out.safetensors');

  test('is noticed before any work', async ({ skip }) => {
    skip(!mount('4m'), 'needs the right to mount');
    try {
      writeFileSync(target, 'old');
      const shown: number[] = [];
      await expect(run({ out: target, progress: (done) => shown.push(done) })).rejects.toMatchObject({
        code: 'file/unwritable',
      });
      expect(shown).toEqual([]);
      expect(readdirSync(disk)).toEqual(['out.safetensors']);
      expect(readFileSync(target, 'utf8')).toBe('old');
    } finally {
      unmount();
    }
  });

  test('in the middle leaves the old file and nothing else', async ({ skip }) => {
    skip(!mount('16m'), 'needs the right to mount');
    try {
      writeFileSync(target, 'old');
      let isFilled = false;
      const fill = (): void => {
        if (isFilled) return;
        isFilled = true;
        try {
          writeFileSync(join(disk, 'filler'), new Uint8Array(16 << 20));
        } catch {
          // As far as it goes.
        }
      };
      await expect(
        run({ out: target, threads: 1, unitBytes: 512, checkpointMs: 1, progress: fill }),
      ).rejects.toMatchObject({ code: 'file/unwritable', where: { file: target } });
      expect(readdirSync(disk).sort()).toEqual(['filler', 'out.safetensors']);
      expect(readFileSync(target, 'utf8')).toBe('old');
    } finally {
      unmount();
    }
  });

  test('or a limit to the size of files, is an error that says so', () => {
    const said = execFileSync(
      'sh',
      ['-c', `ulimit -f 2048; exec "${process.execPath}" "${CHILD}" "${folder}"`],
      { encoding: 'utf8' },
    );
    expect(said.trim().split('\n').at(-1)).toBe('file/unwritable');
    expect(leftovers()).toEqual([]);
  });
});

function flipBit(path: string, at: number): void {
  const file = openSync(path, 'r+');
  const byte = Buffer.alloc(1);
  readSync(file, byte, 0, 1, at);
  byte[0]! ^= 4;
  writeSync(file, byte, 0, 1, at);
  closeSync(file);
}
