/**
 * `node tests/soak/seed-example.ts`: the pipeline of fixtures/examples/merge/complex.json on models of SDXL's size and
 * layout, in both modes, against an independent script in numpy; prints time and peak memory. Run alone.
 *
 * With `--full` at real size: 6.9 GB a file in F16, 64 GB of disk in all (57 with `--dtype F16`), an hour or less. Else
 * `--scale N` divides the sides of tensors, default 4 (0.5 GB a file). `--folder DIR` where, default the system's;
 * `--dtype F16|BF16|F32` for all models, default mixed. LINEAGE_PYTHON names a Python with numpy.
 */
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { hashData, largestUlps, listDifferent } from '../bridge/pipeline/compare-files.ts';
import { MANIFEST, makeExample, mergeByHand, RESULT } from '../bridge/pipeline/seed-example.ts';
import { watchRun } from './watch-run.ts';

const { values } = parseArgs({
  options: {
    full: { type: 'boolean', default: false },
    scale: { type: 'string', default: '4' },
    dtype: { type: 'string' },
    folder: { type: 'string', default: tmpdir() },
  },
});
const folder = mkdtempSync(join(values.folder, 'lineage-proof-'));
const at = (name: string): string => join(folder, name);
const home = at('home');
let failures = 0;

function tell(what: string, isRight: boolean, more = ''): void {
  if (!isRight) failures++;
  console.log(`${isRight ? 'ok    ' : 'FAILED'} ${what}${more === '' ? '' : `: ${more}`}`);
}

/** Runs the command and prints what it took. */
async function run(what: string, ...args: readonly string[]): Promise<void> {
  const { status, stderr, milliseconds, peakBytes } = await watchRun(folder, args, home);
  if (status !== 0) throw new Error(`${what}: status ${status}\n${stderr}`);
  const took = `${(milliseconds / 1000).toFixed(1)} s, peak memory ${(peakBytes / 1e6).toFixed(0)} MB`;
  console.log(`       ${what}: ${took}`);
}

function timed<T>(what: string, work: () => T): T {
  const startedAt = performance.now();
  const made = work();
  console.log(`       ${what}: ${((performance.now() - startedAt) / 1000).toFixed(1)} s`);
  return made;
}

try {
  const dtype = values.dtype === undefined ? [] : ['--dtype', values.dtype];
  timed('making the models', () =>
    makeExample(folder, '--scale', values.full ? '1' : values.scale, ...dtype),
  );
  await run('staged, hashing its inputs first', 'pipeline', '--manifest', MANIFEST, '--staged');
  const staged = hashData(at(RESULT));
  const megabytes = statSync(at(RESULT)).size / 1e6;
  console.log(`       result: ${megabytes.toFixed(0)} MB, ${Object.keys(staged.tensors).length} tensors`);
  rmSync(at(RESULT));
  await run('staged, again', 'pipeline', '--manifest', MANIFEST, '--staged');
  tell('again gives the same bytes', hashData(at(RESULT)).data === staged.data);
  rmSync(at(RESULT));
  const byHand = timed('staged by hand', () => mergeByHand(at(MANIFEST)));
  const different = listDifferent(staged, byHand);
  const isSame = different.length === 0 && staged.data === byHand.data;
  tell('staged equals by hand, bit for bit', isSame, different.slice(0, 3).join(', '));

  await run('fused', 'pipeline', '--manifest', MANIFEST, '--fused');
  rmSync(at(RESULT));
  const whole = readFileSync(at(MANIFEST), 'utf8').replace(
    /("path": "final_anime_realistic.safetensors",\s*"precision": )"fp16"/,
    '$1"fp32"',
  );
  writeFileSync(at('whole.json'), whole);
  await run('fused, to float32', 'pipeline', '--manifest', 'whole.json', '--fused');
  timed('fused by hand', () => mergeByHand(at('whole.json'), '--fused', '--out', at('by-hand.safetensors')));
  const { ulps, name } = largestUlps(at(RESULT), at('by-hand.safetensors'));
  tell('fused is within 1 ulp of float32 before the last rounding', ulps <= 1, `${ulps} ulp ${name}`);
} finally {
  rmSync(folder, { recursive: true, force: true });
}
process.exitCode = failures > 0 ? 1 : 0;
