import { execFileSync } from 'node:child_process';
import { multiply } from '../../nodes/lora/linear-algebra/multiply.ts';
import { drawMatrix } from '../lora/draw.ts';
import { type Measurement, QUIET, quantile, timeMs } from './measure.ts';
import { writeResults } from './results.ts';

/**
 * `node tests/bench/lora.ts`: the matrix product of a bake; numpy beside us on one thread, where LINEAGE_BENCH_PYTHON
 * names a Python that has it. Takes seconds.
 */
const SIDE = 1280;
const RANK = 128;

const PEER = `
import sys, time
import numpy as np
def quiet(run, times):
    def once():
        start = time.perf_counter(); run(); return (time.perf_counter() - start) * 1e3
    return sorted(once() for _ in range(times))[times // 4]
a, b = np.random.rand(${SIDE}, ${RANK}), np.random.rand(${RANK}, ${SIDE})
print(quiet(lambda: a @ b, 20))
`;

const [up, down] = [drawMatrix(1, SIDE, RANK), drawMatrix(2, RANK, SIDE)];
const product = quietMs(20, () => multiply(up, down));
const theirs = askNumpy();

const sizes = `${SIDE}², rank ${RANK}`;
const flops = 2 * SIDE * SIDE * RANK;
const rows: Measurement[] = [{ name: `product, ${sizes}`, value: flops / product / 1e6, unit: 'GFLOP/s' }];
if (theirs !== undefined) rows.push({ name: 'product: ours / numpy', value: product / theirs, unit: 'x' });
for (const { name, value, unit } of rows)
  console.log(`  ${name.padEnd(50)} ${value.toPrecision(3).padStart(10)} ${unit}`);
writeResults(rows.map((row) => ({ section: 'lora', ...row })));

/** At a quiet moment, of so many runs. */
function quietMs(times: number, run: () => unknown): number {
  return quantile(
    Array.from({ length: times }, () => timeMs(run)),
    QUIET,
  );
}

/** Milliseconds of the product. */
function askNumpy(): number | undefined {
  const python = process.env['LINEAGE_BENCH_PYTHON'];
  if (python === undefined) {
    console.log('without numpy: LINEAGE_BENCH_PYTHON names no Python');
    return undefined;
  }
  const env = { ...process.env, OMP_NUM_THREADS: '1', OPENBLAS_NUM_THREADS: '1', MKL_NUM_THREADS: '1' };
  return Number(execFileSync(python, ['-c', PEER], { encoding: 'utf8', env }));
}
