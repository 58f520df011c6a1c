import { execFileSync } from 'node:child_process';
import { scaleColumns } from '../../nodes/lora/linear-algebra/matrix.ts';
import { multiply } from '../../nodes/lora/linear-algebra/multiply.ts';
import { decompose, decomposeProduct } from '../../nodes/lora/linear-algebra/svd.ts';
import { distance, drawMatrix } from '../lora/draw.ts';
import { atMost, type Measurement, QUIET, quantile, timeMs } from './measure.ts';
import { writeResults } from './results.ts';

/**
 * `node tests/bench/lora.ts`: the matrix product of a bake, and a merge of LoRAs by the decomposition of its factors
 * against the one of the dense difference, which all other tools take; numpy beside us on one thread, where
 * LINEAGE_BENCH_PYTHON names a Python that has it. Takes about a minute.
 */
const SIDE = 1280;
const RANK = 128;
const KEPT = 64;

const PEER = `
import sys, time
import numpy as np
def quiet(run, times):
    def once():
        start = time.perf_counter(); run(); return (time.perf_counter() - start) * 1e3
    return sorted(once() for _ in range(times))[times // 4]
a, b = np.random.rand(${SIDE}, ${RANK}), np.random.rand(${RANK}, ${SIDE})
def product():
    q1, r1 = np.linalg.qr(a); q2, r2 = np.linalg.qr(b.T)
    u, s, vt = np.linalg.svd(r1 @ r2.T)
    return q1 @ u[:, :${KEPT}], s, vt[:${KEPT}] @ q2.T
print(quiet(lambda: a @ b, 20), quiet(product, 10), quiet(lambda: np.linalg.svd(a @ b), 3))
`;

const [up, down] = [drawMatrix(1, SIDE, RANK), drawMatrix(2, RANK, SIDE)];
const product = quietMs(20, () => multiply(up, down));
const lowRank = quietMs(10, () => decomposeProduct(up, down, () => KEPT));
const dense = quietMs(1, () => decompose(multiply(up, down)));
const theirs = askNumpy();

const near = decomposeProduct(up, down, () => RANK);
const error = distance(multiply(scaleColumns(near.u, near.s), near.vt).data, multiply(up, down).data);
const sizes = `${SIDE}², rank ${RANK}`;
const flops = 2 * SIDE * SIDE * RANK;
const rows: Measurement[] = [
  { name: `product, ${sizes}`, value: flops / product / 1e6, unit: 'GFLOP/s' },
  { name: `SVD by factors, ${sizes} to ${KEPT}`, value: lowRank, unit: 'ms' },
  { name: `SVD of the dense matrix, ${sizes}`, value: dense, unit: 'ms' },
  atMost('SVD by factors / dense', lowRank / dense, 'x', 0.1),
  atMost('relative error of the SVD by factors', error, '', 1e-12),
];
if (theirs) {
  const [numpyProduct = 0, numpyLowRank = 0, numpyDense = 0] = theirs;
  rows.push(
    { name: 'product: ours / numpy', value: product / numpyProduct, unit: 'x' },
    { name: 'SVD by factors: ours / numpy', value: lowRank / numpyLowRank, unit: 'x' },
    { name: "SVD by factors, ours / numpy's dense SVD", value: lowRank / numpyDense, unit: 'x' },
  );
}
for (const { name, value, unit, ok } of rows) {
  console.log(
    `  ${name.padEnd(50)} ${value.toPrecision(3).padStart(10)} ${unit}${ok === false ? '  MISSED' : ''}`,
  );
}
writeResults(rows.map((row) => ({ section: 'lora', ...row })));
if (rows.some(({ ok }) => ok === false)) process.exitCode = 1;

/** At a quiet moment, of so many runs. */
function quietMs(times: number, run: () => unknown): number {
  return quantile(
    Array.from({ length: times }, () => timeMs(run)),
    QUIET,
  );
}

/** Milliseconds of the product, of the decomposition by factors, and of the dense one. */
function askNumpy(): number[] | undefined {
  const python = process.env['LINEAGE_BENCH_PYTHON'];
  if (python === undefined) {
    console.log('without numpy: LINEAGE_BENCH_PYTHON names no Python');
    return undefined;
  }
  const env = { ...process.env, OMP_NUM_THREADS: '1', OPENBLAS_NUM_THREADS: '1', MKL_NUM_THREADS: '1' };
  return execFileSync(python, ['-c', PEER], { encoding: 'utf8', env }).trim().split(' ').map(Number);
}
