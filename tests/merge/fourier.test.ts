import { expect, it } from 'vitest';
import { planTransform, transformAxes } from '../../nodes/merge/fourier.ts';

/** The definition, n² steps. */
function transformByDefinition(re: Float64Array, im: Float64Array): [number, number][] {
  const n = re.length;
  return [...re].map((_, k) => {
    let x = 0;
    let y = 0;
    re.forEach((a, j) => {
      const angle = (-2 * Math.PI * ((j * k) % n)) / n;
      x += a * Math.cos(angle) - im[j]! * Math.sin(angle);
      y += a * Math.sin(angle) + im[j]! * Math.cos(angle);
    });
    return [x, y];
  });
}

// Powers, mixed factors, the largest direct prime, primes and products that need a convolution.
it.each([1, 2, 3, 4, 8, 12, 31, 37, 60, 64, 74, 97, 210, 961, 1009])(
  'transforms %d elements by the definition',
  (n) => {
    const re = new Float64Array(n).map((_, i) => Math.sin(3 * i * i));
    const im = new Float64Array(n).map((_, i) => Math.cos(7 * i + 1));
    const want = transformByDefinition(re, im);
    planTransform(n)({ re, im });
    want.forEach(([x, y], k) => {
      expect(Math.hypot(re[k]! - x, im[k]! - y), `at ${k}`).toBeLessThan(1e-12 * n);
    });
  },
);

it('transforms along every axis: a plane wave of frequencies 1, 2 and 3 is one number', () => {
  const [a, b, c] = [4, 5, 6];
  const phase = (i: number): number =>
    2 * Math.PI * (Math.floor(i / (b * c)) / a + (2 * (Math.floor(i / c) % b)) / b + (3 * (i % c)) / c);
  const re = new Float64Array(a * b * c).map((_, i) => Math.cos(phase(i)));
  const im = new Float64Array(a * b * c).map((_, i) => Math.sin(phase(i)));
  transformAxes({ re, im }, [a, b, c]);
  const peak = 1 * b * c + 2 * c + 3;
  re.forEach((value, at) => {
    expect(Math.hypot(value - (at === peak ? a * b * c : 0), im[at]!)).toBeLessThan(1e-11);
  });
});
