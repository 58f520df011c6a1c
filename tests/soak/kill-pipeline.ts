import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { drawNumbers, f16, type Made, writeModel } from '../bridge/merge/small-models.ts';

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
const PROGRAM = fileURLToPath(new URL('../../bridge/lineage.mjs', import.meta.url));
/** As `ulimit -f` counts: a limit of half a model stops every step. */
const BLOCK_BYTES = 512;

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

type Ended = { readonly status: number | null; readonly milliseconds: number; readonly stderr: string };

/** Runs the pipeline, and kills it after a time where one is given. */
async function run(folder: string, more: { killAfter?: number; fileBlocks?: number } = {}): Promise<Ended> {
  const args = [PROGRAM, 'pipeline', '--manifest', 'five.json', '--threads', '2', '--json'];
  const full = `ulimit -f ${more.fileBlocks}; exec "$0" "$@"`;
  const [program, given]: [string, string[]] = more.fileBlocks
    ? ['/bin/sh', ['-c', full, process.execPath, ...args]]
    : [process.execPath, args];
  const startedAt = performance.now();
  const env = { ...process.env, LINEAGE_HOME: `${folder}-home`, NODE_OPTIONS: '' };
  const child = spawn(program, given, { cwd: folder, env, stdio: ['ignore', 'ignore', 'pipe'] });
  let stderr = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  const timer =
    more.killAfter === undefined ? undefined : setTimeout(() => child.kill('SIGKILL'), more.killAfter);
  const status = await new Promise<number | null>((resolve, reject) => {
    child.on('error', reject).on('close', resolve);
  });
  clearTimeout(timer);
  return { status, milliseconds: performance.now() - startedAt, stderr };
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
function flipBit(folder: string, draw: () => number): void {
  const made = readdirSync(folder, { recursive: true, withFileTypes: true }).filter(
    (entry) => entry.isFile() && !/^[abcd]\.safetensors$|\.json$/.test(entry.name),
  );
  const entry = made[Math.floor(draw() * made.length)];
  if (!entry) return;
  const path = join(entry.parentPath, entry.name);
  const bytes = readFileSync(path);
  const at = Math.floor(draw() * bytes.length);
  bytes[at] = (bytes[at] ?? 0) ^ (1 << Math.floor(draw() * 8));
  writeFileSync(path, bytes);
}

/** The same points for the same seed. */
function createDraw(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
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
  const draw = createDraw(seed);
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
    say(`${whole.sha256} in ${Math.round(first.milliseconds)} ms, undisturbed`);
    const failures: string[] = [];
    let killed = 0;
    for (let point = 1; point <= count; point++) {
      rmSync(join(folder, 'final.safetensors'));
      if (point % 10 === 0) await run(folder, { fileBlocks: (layers * SIDE * SIDE) / BLOCK_BYTES });
      const stopped = await run(folder, { killAfter: draw() * first.milliseconds * 1.1 });
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
