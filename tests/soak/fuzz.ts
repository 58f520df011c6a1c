/**
 * `node tests/soak/fuzz.ts [--count N] [--seed N] [--kind KIND] [--keep]`: mutated pictures, graphs, workflows and files of
 * rules, a million by default, through everything that reads them. No input may end in anything but a LineageError,
 * take a second, or 256 MiB. With --keep, what is found goes to `fixtures/fuzz/` as small as it gets.
 */
import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { deserialize, serialize } from 'node:v8';
import { KINDS, type Kind, kindOf } from './fuzz/kinds.ts';
import { Runner } from './fuzz/runner.ts';
import { type BarePictures, encodeBarePictures, makeSeeds } from './fuzz/seeds.ts';
import { type Finding, type Job, openBench, type Report, runJob } from './fuzz/worker.ts';

const PROGRAM = fileURLToPath(import.meta.url);
const FIXTURES = fileURLToPath(new URL('../../fixtures/fuzz/', import.meta.url));
const INPUTS_A_JOB = 5_000;
const WORKERS = 2;

const { values } = parseArgs({
  options: {
    count: { type: 'string', default: '1000000' },
    seed: { type: 'string', default: '1' },
    kind: { type: 'string' },
    keep: { type: 'boolean', default: false },
    worker: { type: 'string' },
  },
});

if (values.worker === undefined) await lead();
else await work(values.worker);

async function work(picturesFile: string): Promise<void> {
  const bench = openBench(deserialize(readFileSync(picturesFile)) as BarePictures);
  const tell = (report: Report): void => void process.send?.(report);
  process.on('message', (job: Job) => void runJob(job, bench, tell));
  process.on('disconnect', () => process.exit());
}

async function lead(): Promise<void> {
  const [count, seed] = [Number(values.count), Number(values.seed)];
  const kinds: readonly Kind[] = values.kind === undefined ? KINDS : [kindOf(values.kind)];
  const folder = mkdtempSync(join(tmpdir(), 'lineage-fuzz-'));
  const bare = await encodeBarePictures();
  const picturesFile = join(folder, 'pictures');
  writeFileSync(picturesFile, serialize(bare));
  const seeds = makeSeeds(bare);
  const share = Math.ceil(count / kinds.length);
  const jobs = kinds.flatMap((kind) =>
    Array.from({ length: Math.ceil(share / INPUTS_A_JOB) }, (_, at) => {
      const from = at * INPUTS_A_JOB;
      return { kind, seed, from, to: Math.min(share, from + INPUTS_A_JOB) };
    }),
  );
  const findings = new Map<string, Finding>();
  const start = performance.now();
  let tried = 0;
  const found = (finding: Finding): void => {
    const key = `${finding.kind}: ${finding.signature}`;
    if (findings.has(key)) return;
    findings.set(key, finding);
    const detail = finding.detail.split('\n').slice(0, 6).join('\n    ');
    say(`${finding.kind} ${finding.index}: ${finding.what}: ${detail}`);
    if (values.keep) say(`  kept as ${keep(finding)}`);
  };
  const progress = (more: number): void => {
    tried += more;
    const rate = tried / ((performance.now() - start) / 1_000);
    say(`${tried} inputs, ${Math.round(rate)} a second, ${findings.size} found`);
  };
  try {
    const lanes = Array.from({ length: WORKERS }, async (_, lane) => {
      const runner = new Runner(PROGRAM, picturesFile, join(folder, `position-${lane}`), seeds);
      for (let job = jobs.shift(); job; job = jobs.shift()) {
        await runner.run({ ...job, minimises: values.keep }, found);
        progress(job.to - job.from);
      }
      runner.end();
    });
    await Promise.all(lanes);
  } finally {
    rmSync(folder, { recursive: true });
  }
  process.exitCode = findings.size === 0 ? 0 : 1;
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

/** The file that a finding is kept in; the same input has the same name. */
function keep({ kind, input }: Finding): string {
  const bytes = Buffer.from(input, 'base64');
  const name = createHash('sha256').update(bytes).digest('hex').slice(0, 12);
  mkdirSync(join(FIXTURES, kind), { recursive: true });
  writeFileSync(join(FIXTURES, kind, name), bytes);
  return `fixtures/fuzz/${kind}/${name}`;
}
