/**
 * `node tests/bench/kernels.ts [F16 ...]`: bytes of input that one core sums in a second by the kernels of the merge
 * room, from its own caches, beside the plain twins on the same numbers. Ends with 1 where a goal is missed; without
 * arguments, writes `results.csv`. Takes about half a minute; run it alone.
 */
import { decodeFloats, encodeFloats, floatBytes } from '../../nodes/formats/floats.ts';
import type { KernelDtype } from '../../nodes/merge/kernels/kernels.ts';
import type { Term } from '../../nodes/merge/method.ts';
import { sumTerms } from '../../nodes/merge/run-method.ts';
import { DATA, openKernels } from '../merge/kernels/workbench.ts';
import { type Measurement, timeMs } from './measure.ts';
import { writeResults } from './results.ts';

/** Six buffers of it fit into a second cache, in the widest format too. */
const COUNT = 16_384;
const ROOM = 2 ** 17;
const RUNS = 4;
/** The quickest of this many counts: whatever else runs only ever makes one slower. */
const ROUNDS = 400;
const TWIN_ROUNDS = 20;

/** Input gigabytes a second, two inputs. */
const GOALS: Partial<Record<KernelDtype, number>> = { F16: 6, BF16: 10, F32: 25 };
const DTYPES = ['F16', 'BF16', 'F32', 'F8_E4M3', 'F8_E5M2'] as const;

const SUMS: readonly { name: string; inputs: number; terms: readonly Term[] }[] = [
  {
    name: 'a + w(b - a)',
    inputs: 2,
    terms: [
      { weight: 1, plus: 0 },
      { weight: -0.3, plus: 0, minus: 1 },
    ],
  },
  {
    name: 'around the first of four',
    inputs: 4,
    terms: [
      { weight: 1, plus: 0 },
      { weight: -0.3, plus: 0, minus: 1 },
      { weight: -0.2, plus: 0, minus: 2 },
      { weight: -0.1, plus: 0, minus: 3 },
    ],
  },
  {
    name: 'a + w(b - c)',
    inputs: 3,
    terms: [
      { weight: 1, plus: 0 },
      { weight: -0.8, plus: 2, minus: 1 },
    ],
  },
  {
    name: 'u a + v b + w c, in tiles',
    inputs: 3,
    terms: [
      { weight: 0.2, plus: 0 },
      { weight: 0.3, plus: 1 },
      { weight: 0.5, plus: 2 },
    ],
  },
];

const { kernels, bytes } = openKernels();
/** What the twins work in. */
const decoded = [0, 1, 2, 3].map(() => new Float32Array(COUNT));
const sum = new Float32Array(COUNT);
const encoded = new Uint8Array(4 * COUNT);

const wanted = process.argv.slice(2);
const rows: Measurement[] = [];
for (const dtype of DTYPES) {
  if (wanted.length > 0 && !wanted.includes(dtype)) continue;
  console.log(`\n${dtype}`);
  for (const row of [...measureSums(dtype), ...measureConversions(dtype)]) {
    rows.push(row);
    const verdict = row.goal === undefined ? '' : `  goal ${row.goal} ${row.ok ? 'met' : 'MISSED'}`;
    console.log(`  ${row.name.padEnd(50)} ${row.value.toFixed(2).padStart(8)} ${row.unit}${verdict}`);
  }
}
if (wanted.length === 0) writeResults(rows.map((row) => ({ section: 'kernels', ...row })));
if (rows.some(({ ok }) => ok === false)) process.exitCode = 1;

function bufferAt(index: number): number {
  return DATA + index * ROOM;
}

/** Weights of a layer: most between -0.1 and 0.1, a few above 2, which the fused kernels have to look at again. */
function fillInputs(dtype: KernelDtype, hasLarge: boolean): Uint8Array[] {
  return [0, 1, 2, 3].map((input) => {
    const values = Float32Array.from(
      { length: COUNT },
      (_, i) => Math.sin(i * (input + 1) * 0.7) * (hasLarge && i % 1000 === 0 ? 3 : 0.1),
    );
    const raw = new Uint8Array(COUNT * floatBytes(dtype));
    encodeFloats(dtype, values, raw);
    bytes.set(raw, bufferAt(input));
    return raw;
  });
}

function* measureSums(dtype: KernelDtype): Generator<Measurement> {
  for (const { name, inputs, terms } of SUMS) {
    const raws = fillInputs(dtype, false).slice(0, inputs);
    const size = inputs * COUNT * floatBytes(dtype);
    const addresses = raws.map((_, input) => bufferAt(input));
    const run = () => kernels.sumTerms(dtype, terms, addresses, bufferAt(5), COUNT);
    const speed = gigabytes(size, run, ROUNDS);
    const twin = gigabytes(size, () => sumPlainly(dtype, terms, raws), TWIN_ROUNDS);
    const goal = inputs === 2 ? GOALS[dtype] : undefined;
    const row = { name: `${dtype} ${name}`, value: speed, unit: 'GB/s' };
    yield goal === undefined ? row : { ...row, goal: `>= ${goal}`, ok: speed >= goal };
    yield { name: `${dtype} ${name}, plain twin`, value: twin, unit: 'GB/s' };
    yield { name: `${dtype} ${name}, kernel to twin`, value: speed / twin, unit: 'x' };
    if (inputs > 2) continue;
    fillInputs(dtype, true);
    yield { name: `${dtype} ${name}, some above 2`, value: gigabytes(size, run, ROUNDS), unit: 'GB/s' };
  }
}

function* measureConversions(dtype: KernelDtype): Generator<Measurement> {
  fillInputs(dtype, false);
  const size = COUNT * floatBytes(dtype);
  const runs = {
    decode: () => kernels.decode(dtype, bufferAt(0), bufferAt(5), COUNT),
    encode: () => kernels.encode(dtype, bufferAt(5), bufferAt(4), COUNT),
    'look for NaN and Inf': () => kernels.countNotFinite(dtype, bufferAt(0), COUNT),
  };
  for (const [name, run] of Object.entries(runs))
    yield { name: `${dtype} ${name}, of model bytes`, value: gigabytes(size, run, ROUNDS), unit: 'GB/s' };
}

function sumPlainly(dtype: KernelDtype, terms: readonly Term[], inputs: readonly Uint8Array[]): void {
  const models = decoded.slice(0, inputs.length);
  inputs.forEach((raw, input) => {
    decodeFloats(dtype, raw, models[input] ?? sum);
  });
  sumTerms(terms, { start: 0, length: COUNT, models }, sum);
  encodeFloats(dtype, sum, encoded.subarray(0, COUNT * floatBytes(dtype)));
}

/** The best of several rounds, after as many to warm up. */
function gigabytes(size: number, run: () => unknown, rounds: number): number {
  const times = Array.from({ length: 2 * rounds }, () =>
    timeMs(() => {
      for (let i = 0; i < RUNS; i++) run();
    }),
  );
  return (size * RUNS) / Math.min(...times.slice(rounds)) / 1e6;
}
