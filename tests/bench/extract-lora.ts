import { scaleColumns } from '../../nodes/lora/linear-algebra/matrix.ts';
import { multiply } from '../../nodes/lora/linear-algebra/multiply.ts';
import { decompose } from '../../nodes/lora/linear-algebra/svd.ts';
import { findTopSingularVectors } from '../../nodes/lora/linear-algebra/top-singular-vectors.ts';
import { drawMatrix } from '../lora/draw.ts';
import { readCheckpoint } from '../merge/architectures/layouts.ts';
import { atMost, type Measurement, timeMs } from './measure.ts';
import { writeResults } from './results.ts';

/**
 * `node tests/bench/extract-lora.ts`: a LoRA of rank 32 from the difference of two SDXL checkpoints. One weight of each of
 * the shapes that most of the UNet's elements have is taken apart on one thread; the others count by their elements. The
 * difference is what fine-tuning leaves: a spectrum that decays slowly over 200 directions, and rounding below it. Takes
 * some minutes.
 */
const RANK = 32;
const DIRECTIONS = 200;
const MEASURED_SHAPES = 6;

const shapes = new Map<string, { readonly sides: readonly [number, number]; count: number }>();
for (const [name, { shape }] of readCheckpoint('sdxl')) {
  const [rows = 1, ...rest] = shape;
  if (!name.startsWith('model.diffusion_model.') || rest.length === 0) continue;
  const sides = [rows, rest.reduce((product, side) => product * side, 1)] as const;
  const known = shapes.get(sides.join()) ?? { sides, count: 0 };
  known.count++;
  shapes.set(sides.join(), known);
}
const elementsOf = ({ sides, count }: { sides: readonly [number, number]; count: number }): number =>
  sides[0] * sides[1] * count;
const all = [...shapes.values()].sort((a, b) => elementsOf(b) - elementsOf(a));
const measured = all.slice(0, MEASURED_SHAPES);

const rows: Measurement[] = [];
let seconds = 0;
for (const { sides, count } of measured) {
  const difference = drawDifference(...sides);
  const each = timeMs(() => findTopSingularVectors(difference, RANK)) / 1e3;
  seconds += each * count;
  rows.push({ name: `rank ${RANK} of ${sides.join(' x ')} (${count} in SDXL)`, value: each, unit: 's' });
}
const covered = measured.reduce((sum, shape) => sum + elementsOf(shape), 0);
const total = all.reduce((sum, shape) => sum + elementsOf(shape), 0);
const square = drawDifference(1280, 1280);
const fast = timeMs(() => findTopSingularVectors(square, RANK));
const dense = timeMs(() => decompose(square, () => RANK));
rows.push(
  { name: 'share of the elements measured', value: covered / total, unit: '' },
  { name: "SDXL's UNet on one thread, about", value: (seconds * total) / covered, unit: 's' },
  atMost('rank 32 of 1280 x 1280 / all of it', fast / dense, 'x', 0.25),
);
for (const { name, value, unit, ok } of rows)
  console.log(
    `  ${name.padEnd(50)} ${value.toPrecision(3).padStart(10)} ${unit}${ok === false ? '  MISSED' : ''}`,
  );
writeResults(rows.map((row) => ({ section: 'extract-lora', ...row })));
if (rows.some(({ ok }) => ok === false)) process.exitCode = 1;

function drawDifference(height: number, width: number) {
  const decay = Array.from({ length: DIRECTIONS }, (_, i) => 1 / (1 + i / 8));
  const low = multiply(
    scaleColumns(drawMatrix(1, height, DIRECTIONS), decay),
    drawMatrix(2, DIRECTIONS, width),
  );
  const noise = drawMatrix(3, height, width).data;
  return { ...low, data: low.data.map((value, i) => value + 1e-2 * (noise[i] ?? 0)) };
}
