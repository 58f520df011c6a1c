import type { ChildProcess } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { drawNumbers, f16, type Made, writeModel } from '../bridge/merge/small-models.ts';
import { createDraw, type Draw } from './draw.ts';
import { type Disturbance, type WatchedRun, watchRun } from './watch-run.ts';

/** How often to kill, where (the same seed, the same points), and how large the models are. */
export type KillOptions = {
  readonly count: number;
  readonly seed: number;
  /** Matrices of 1024 x 1024 halves in each model. */
  readonly layers: number;
  /** Called with a line now and then. */
  readonly say?: (line: string) => void;
};

/** What came of it. */
export type KillResult = { readonly killed: number; readonly failures: readonly string[] };

const SIDE = 1024;

const MANIFEST = {
  pipeline: {
    name: 'Five steps',
    steps: [
      merge('one', [
        { path: 'a.safetensors', weight: 0.6 },
        { path: 'b.safetensors', weight: 0.4 },
      ]),
      merge('two', [
        { path: 'c.safetensors', weight: 0.7 },
        { path: 'd.safetensors', weight: 0.3 },
      ]),
      merge('three', [
        { step: 'one', weight: 0.5 },
        { step: 'two', weight: 0.5 },
      ]),
      {
        ...merge('four', [{ step: 'three' }, { path: 'a.safetensors' }]),
        method: 'slerp',
        params: { t: 0.2 },
      },
      {
        ...merge('five', [
          { step: 'four', weight: 0.9 },
          { step: 'one', weight: 0.1 },
        ]),
        output: 'final.safetensors',
      },
    ],
  },
};

function merge(id: string, models: readonly object[]) {
  return { id, type: 'merge', models };
}

function drawModel(seed: number, layers: number): ReadonlyMap<string, Made> {
  const layer = (at: number): [string, Made] => {
    return [`layers.${at}.weight`, f16([SIDE, SIDE], drawNumbers(seed + at, SIDE * SIDE))];
  };
  return new Map(Array.from({ length: layers }, (_, at) => layer(at)));
}

function run(folder: string, disturbance?: Disturbance): Promise<WatchedRun> {
  const args = ['pipeline', '--manifest', 'five.json', '--threads', '2', '--json'];
  return watchRun(folder, args, `${folder}-home`, disturbance);
}

function killAfter(milliseconds: number): (child: ChildProcess) => void {
  return (child) => {
    const timer = setTimeout(() => child.kill('SIGKILL'), milliseconds);
    child.on('close', () => clearTimeout(timer));
  };
}

function look(folder: string) {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) =>
    entry.isFile(),
  );
  return {
    files: files.map((entry) => join(entry.parentPath, entry.name)).sort(),
    sha256: createHash('sha256')
      .update(readFileSync(join(folder, 'final.safetensors')))
      .digest('hex'),
  };
}

/** Any file of the pipeline, inputs aside; nothing where nothing is there. */
function flipBit(folder: string, draw: Draw): void {
  const made = readdirSync(folder, { recursive: true, withFileTypes: true }).filter(
    (entry) => entry.isFile() && !/^[abcd]\.safetensors$|\.json$/.test(entry.name),
  );
  const entry = draw.some(made);
  if (!entry) return;
  const path = join(entry.parentPath, entry.name);
  const bytes = readFileSync(path);
  const at = draw.below(bytes.length);
  bytes[at] = (bytes[at] ?? 0) ^ (1 << draw.below(8));
  writeFileSync(path, bytes);
}

/**
 * Kills a five-step pipeline at random points, runs it again, and compares all files with those of a run that nobody
 * killed. Every tenth time the disk is full before (a limit on the size of files), every seventh a bit of what is there
 * is flipped.
 */
export async function killPipeline({
  count,
  seed,
  layers,
  say = () => undefined,
}: KillOptions): Promise<KillResult> {
  const top = mkdtempSync(join(tmpdir(), 'lineage-kills-'));
  const folder = join(top, 'work');
  mkdirSync(folder);
  try {
    ['a', 'b', 'c', 'd'].forEach((name, at) => {
      writeModel(join(folder, `${name}.safetensors`), drawModel(1000 * at, layers));
    });
    writeFileSync(join(folder, 'five.json'), JSON.stringify(MANIFEST));
    const first = await run(folder);
    if (first.status !== 0) throw new Error(first.stderr);
    const whole = look(folder);
    // The first run is the slower one: it hashes the models. Points are drawn from what the others take.
    rmSync(join(folder, 'final.safetensors'));
    const { milliseconds } = await run(folder);
    say(`${whole.sha256} in ${Math.round(milliseconds)} ms, undisturbed`);
    const failures: string[] = [];
    let killed = 0;
    for (let point = 1; point <= count; point++) {
      const draw = createDraw(seed, point);
      rmSync(join(folder, 'final.safetensors'));
      // Half a model: that stops every step.
      if (point % 10 === 0) await run(folder, { maxFileBytes: layers * SIDE * SIDE });
      const stopped = await run(folder, { disturb: killAfter(draw.fraction() * milliseconds * 1.1) });
      if (stopped.status === null) killed += 1;
      if (point % 7 === 0) flipBit(folder, draw);
      const again = await run(folder);
      const found = again.status === 0 ? look(folder) : undefined;
      const isSame = found?.sha256 === whole.sha256 && String(found.files) === String(whole.files);
      if (!isSame) failures.push(`point ${point}: ${again.stderr}${JSON.stringify(found)}`);
      if (point % 20 === 0) say(`${point} of ${count}: ${killed} killed, ${failures.length} failed`);
    }
    return { killed, failures };
  } finally {
    rmSync(top, { recursive: true, force: true });
  }
}
