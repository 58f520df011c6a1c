/**
 * `node tests/bench/every-float32.ts [F16|BF16|F8_E4M3|F8_E5M2|pairs ...]`: encodes all 2^32 float32 patterns by the
 * kernels and compares each; `pairs` is `a + w(b - a)` of all 2^32 pairs of F16. One to five minutes each.
 */
import { encodeFloats, floatBytes } from '../../nodes/formats/floats.ts';
import { DATA, openKernels } from '../merge/kernels/workbench.ts';

const BLOCK = 2 ** 20;
const WEIGHT = 0.3;
const DTYPES = ['F16', 'BF16', 'F8_E4M3', 'F8_E5M2'] as const;

const { kernels, memory } = openKernels();
const FLOATS = DATA;
const CODES = DATA + 4 * BLOCK;
const floats = new Float32Array(memory.buffer, FLOATS, BLOCK);
const bits = new Uint32Array(memory.buffer, FLOATS, BLOCK);

const asked = process.argv.slice(2);
let mismatches = 0;
for (const dtype of DTYPES) {
  if (asked.length > 0 && !asked.includes(dtype)) continue;
  report(dtype, compareEncoding(dtype));
}
if (asked.length === 0 || asked.includes('pairs')) report('pairs', comparePairs());
process.exitCode = mismatches > 0 ? 1 : 0;

/** F16 against the language's own Float16Array, the others against the plain twin; NaNs by being NaN. */
function compareEncoding(dtype: (typeof DTYPES)[number]): number {
  const twin = new Uint8Array(BLOCK * floatBytes(dtype));
  const isWide = floatBytes(dtype) === 2;
  const expected = isWide ? new Uint16Array(twin.buffer) : twin;
  const got = isWide
    ? new Uint16Array(memory.buffer, CODES, BLOCK)
    : new Uint8Array(memory.buffer, CODES, BLOCK);
  const halves = new Float16Array(twin.buffer, 0, dtype === 'F16' ? BLOCK : 0);
  const plain = new Float32Array(BLOCK);
  let wrong = 0;
  for (let first = 0; first < 2 ** 32; first += BLOCK) {
    for (let i = 0; i < BLOCK; i++) bits[i] = first + i;
    kernels.encode(dtype, FLOATS, CODES, BLOCK);
    if (dtype === 'F16') halves.set(floats);
    else {
      plain.set(floats);
      encodeFloats(dtype, plain, twin);
    }
    for (let i = 0; i < BLOCK; i++) if (got[i] !== expected[i] && !isNanBits(bits[i] ?? 0)) wrong++;
  }
  return wrong;
}

function comparePairs(): number {
  const count = 65_536;
  const others = new Uint16Array(memory.buffer, DATA, count).map((_, code) => code);
  new Uint16Array(memory.buffer, DATA, count).set(others);
  const all = new Float32Array(new Float16Array(others.buffer));
  const same = new Uint16Array(memory.buffer, DATA + 2 * count, count);
  const got = new Uint16Array(memory.buffer, DATA + 4 * count, count);
  const expected = new Float16Array(count);
  const codes = new Uint16Array(expected.buffer);
  const sums = new Float32Array(count);
  const w = Math.fround(WEIGHT);
  let wrong = 0;
  for (const [code, a] of all.entries()) {
    same.fill(code);
    kernels.sumTerms(
      'F16',
      [
        { weight: 1, plus: 0 },
        { weight: WEIGHT, plus: 1, minus: 0 },
      ],
      [DATA + 2 * count, DATA],
      DATA + 4 * count,
      count,
    );
    for (let i = 0; i < count; i++) sums[i] = a + Math.fround(w * Math.fround((all[i] ?? 0) - a));
    expected.set(sums);
    for (let i = 0; i < count; i++) if (got[i] !== codes[i] && !Number.isNaN(sums[i])) wrong++;
  }
  return wrong;
}

function isNanBits(pattern: number): boolean {
  return (pattern & 0x7fff_ffff) > 0x7f80_0000;
}

function report(name: string, wrong: number): void {
  mismatches += wrong;
  console.log(`${name}: ${wrong} of 2^32 differ`);
}
