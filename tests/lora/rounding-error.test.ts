/// <reference lib="esnext.float16" />
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Matrix } from '../../nodes/lora/linear-algebra/matrix.ts';
import { roundingError } from '../../nodes/lora/rounding-error.ts';
import { draw } from './draw.ts';

const matrix = (seed: number, rows: number, columns: number): Matrix => ({
  rows,
  columns,
  data: Float64Array.from(draw(seed, [rows, columns]).data, (value, i) => value * (1 + 1e-9 * i)),
});

/** The product of two matrices by its definition, in the engine's own half floats where these are asked for. */
function product(up: Matrix, down: Matrix, round: (value: number) => number): number[] {
  const out: number[] = [];
  for (let i = 0; i < up.rows; i++) {
    for (let j = 0; j < down.columns; j++) {
      let sum = 0;
      for (let k = 0; k < up.columns; k++)
        sum += round(up.data[i * up.columns + k]!) * round(down.data[k * down.columns + j]!);
      out.push(sum);
    }
  }
  return out;
}

/** By way of float32, as LoRAs are written: near a tie that is another number now and then. */
const half = (value: number): number => new Float16Array([Math.fround(value)])[0]!;

test('is the norm of the difference of both products', () => {
  fc.assert(
    fc.property(
      fc.nat(1e6),
      fc.integer({ min: 1, max: 9 }),
      fc.tuple(fc.nat(11), fc.nat(11)),
      (seed, rank, sides) => {
        const [up, down] = [matrix(seed, sides[0] + 1, rank), matrix(seed + 1, rank, sides[1] + 1)];
        const [exact, stored] = [product(up, down, (value) => value), product(up, down, half)];
        const wanted = 0.5 * Math.sqrt(exact.reduce((sum, value, i) => sum + (value - stored[i]!) ** 2, 0));
        const shape = [up.rows, down.columns];
        const got = roundingError({ up, down, scale: -0.5, shape }, 'F16');
        expect(Math.abs(got - wanted)).toBeLessThan(1e-12);
        // Both ends of the range of half floats are far away: something is lost in almost every product.
        if (rank > 3) expect(got).toBeGreaterThan(1e-6);
      },
    ),
    { numRuns: 60 },
  );
});
