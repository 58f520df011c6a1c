/**
 * The named weights that users of block merges know, computed from what they are: curves over the 25 blocks from IN00
 * (x = 0) over M00 (x = 1/2) to OUT11 (x = 1), and bands of equal weight. The names and values are those of
 * supermerger's `mbwpresets.txt`; there they are written down to 10 or 15 digits. BASE is 0 but for ALL_B.
 * Left out: TRUE_CUBIC_HERMITE and its reverse, whose first value does not lie on the curve of the others.
 */

/** IN00 to IN11, M00, OUT00 to OUT11. */
const BLOCKS = 25;
const MIDDLE = 12;

type Curve = (x: number) => number;

const smoothstep: Curve = (x) => x * x * (3 - 2 * x);
/** A triangle wave of period 2: 0 at 0, 1 at 1, 0 at 2. */
const fold: Curve = (x) => 1 - Math.abs(1 - (x % 2));
const reverse =
  (curve: Curve): Curve =>
  (x) =>
    1 - curve(x);
const cosine: Curve = (x) => (1 + Math.cos(Math.PI * x)) / 2;
/** The cubic from 0 to 1 with a slope of 25/6 at both ends. */
const hermite: Curve = (x) => smoothstep(x) + (25 / 6) * (2 * x ** 3 - 3 * x ** 2 + x);

function sample(curve: Curve): number[] {
  return Array.from({ length: BLOCKS }, (_, index) => curve(index / (BLOCKS - 1)));
}

/** `weight` from one place to another, both counted in; elsewhere 0. */
function band(from: number, to: number, weight = 1): number[] {
  return Array.from({ length: BLOCKS }, (_, index) => (index >= from && index <= to ? weight : 0));
}

function add(a: readonly number[], b: readonly number[]): number[] {
  return a.map((value, index) => value + (b[index] ?? 0));
}

/** The first and the last `count / 2` blocks. */
function wrap(count: number): number[] {
  return add(band(0, count / 2 - 1), band(BLOCKS - count / 2, BLOCKS - 1));
}

/** Two bands of `count / 2` blocks, `gap` blocks between them, M00 in the middle. */
function ring(count: number, gap: number): number[] {
  const half = (gap - 1) / 2;
  const [left, right] = [MIDDLE - half - 1, MIDDLE + half + 1];
  return add(band(left - count / 2 + 1, left), band(right, right + count / 2 - 1));
}

/** RING10_5 with half the weight at the ends of its bands: the weight of 8 blocks. */
function softRing(): number[] {
  const wide = ring(10, 5);
  return wide.map((value, index) => (wide[index - 1] && wide[index + 1] ? value : value / 2));
}

/** The smoothstep presets: its height times 1 to 4, or its steps 2 to 4 times as close, folded at 0 and 1. */
function steps(): [string, number[]][] {
  const curves: [string, string, Curve][] = [
    ['SMOOTHSTEP', 'REVERSE-SMOOTHSTEP', smoothstep],
    ...[2, 3, 4].flatMap((times): [string, string, Curve][] => [
      [`SMOOTHSTEP*${times}`, `R_SMOOTHSTEP*${times}`, (x) => fold(times * smoothstep(x))],
      [`SMOOTHSTEP/${times}`, `R_SMOOTHSTEP/${times}`, (x) => smoothstep(fold(times * x))],
    ]),
  ];
  return curves.flatMap(([name, reversed, curve]): [string, number[]][] => [
    [name, sample(curve)],
    [reversed, sample(reverse(curve))],
  ]);
}

/** Preset to the 25 weights from IN00 to OUT11; BASE has 1 in ALL_B, else 0. */
export const BLOCK_PRESETS: ReadonlyMap<string, readonly number[]> = new Map([
  ['GRAD_V', sample((x) => Math.abs(1 - 2 * x))],
  ['GRAD_A', sample((x) => 1 - Math.abs(1 - 2 * x))],
  ['FLAT_25', sample(() => 0.25)],
  ['FLAT_75', sample(() => 0.75)],
  ...[8, 12, 14, 16].map((count): [string, number[]] => [
    `WRAP${String(count).padStart(2, '0')}`,
    wrap(count),
  ]),
  // 14 blocks, IN05 to OUT05; the published list says so, against its name.
  ['MID12_50', band(MIDDLE - 7, MIDDLE + 6, 0.5)],
  ['OUT07', band(BLOCKS - 7, BLOCKS - 1)],
  ['OUT12', band(BLOCKS - 12, BLOCKS - 1)],
  ['OUT12_5', add(band(BLOCKS - 12, BLOCKS - 1), band(MIDDLE, MIDDLE, 0.5))],
  ['RING08_SOFT', softRing()],
  ['RING08_5', ring(8, 5)],
  ['RING10_5', ring(10, 5)],
  ['RING10_3', ring(10, 3)],
  ...steps(),
  ['COSINE', sample(cosine)],
  ['REVERSE_COSINE', sample(reverse(cosine))],
  ['FAKE_CUBIC_HERMITE', sample(hermite)],
  ['FAKE_REVERSE_CUBIC_HERMITE', sample(reverse(hermite))],
  ['ALL_A', sample(() => 0)],
  ['ALL_B', sample(() => 1)],
]);
