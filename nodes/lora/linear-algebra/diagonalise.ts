import type { Bidiagonal } from './bidiagonal.ts';
import { applyRotations, type Rotations } from './rotations.ts';

/** Sweeps a singular value, more than ever seen to be needed. */
const MAX_SWEEPS = 60;

/**
 * Turns a bidiagonal matrix into a diagonal one, in place: implicit QR steps with Wilkinson's shift, and without
 * a shift where it would be lost beside the first element or one of the diagonal is zero. The diagonal is then of
 * any order and sign. Rotations are counted into `left` and `right`, whose rows are the vectors.
 * @see Golub, Van Loan: Matrix Computations, 4th edition, 8.6.3; Demmel, Kahan 1990, doi:10.1137/0911052
 */
export function diagonalise(form: Bidiagonal): void {
  const { diagonal, beside } = form;
  let high = diagonal.length - 1;
  const most = MAX_SWEEPS * diagonal.length;
  for (let sweeps = 0; high > 0; sweeps++) {
    if (sweeps > most) throw new Error('singular values do not converge');
    for (let i = 0; i < high; i++) {
      const beneath = Math.abs(diagonal[i] ?? 0) + Math.abs(diagonal[i + 1] ?? 0);
      if (Math.abs(beside[i] ?? 0) <= Number.EPSILON * beneath) beside[i] = 0;
    }
    while (high > 0 && beside[high - 1] === 0) high--;
    let low = high;
    while (low > 0 && beside[low - 1] !== 0) low--;
    if (low < high) sweep(form, low, high);
  }
}

/** One QR step on rows `low` to `high`. */
function sweep(form: Bidiagonal, low: number, high: number): void {
  const shift = shiftOf(form, low, high);
  const first = Math.abs(form.diagonal[low] ?? 0);
  const isLost = first === 0 || (shift / first) ** 2 < Number.EPSILON;
  const [right, left] = isLost ? stepWithoutShift(form, low, high) : stepWithShift(form, low, high, shift);
  applyRotations(form.right, right, low);
  applyRotations(form.left, left, low);
}

/** The smaller singular value of the last two rows; 0 where the diagonal holds a zero. */
function shiftOf({ diagonal, beside }: Bidiagonal, low: number, high: number): number {
  for (let i = low; i <= high; i++) if (diagonal[i] === 0) return 0;
  const [f, g, h] = [diagonal[high - 1] ?? 0, beside[high - 1] ?? 0, diagonal[high] ?? 0];
  const largest = Math.max(Math.abs(f), Math.abs(g), Math.abs(h));
  const [a, b, c] = [f / largest, g / largest, h / largest];
  const squares = a * a + b * b + c * c;
  const product = 2 * Math.abs(a * c);
  const greater = Math.sqrt(
    (squares + Math.sqrt(Math.max(0, (squares - product) * (squares + product)))) / 2,
  );
  return (Math.abs(a * c) / greater) * largest;
}

function stepWithShift(
  { diagonal, beside }: Bidiagonal,
  low: number,
  high: number,
  shift: number,
): [Rotations, Rotations] {
  const [right, left] = [makeRotations(high - low), makeRotations(high - low)];
  const first = diagonal[low] ?? 0;
  let f = (Math.abs(first) - shift) * (Math.sign(first) + shift / first);
  let g = beside[low] ?? 0;
  for (let i = low; i < high; i++) {
    const [c, s, length] = rotate(f, g);
    if (i > low) beside[i - 1] = length;
    const [d, e, next] = [diagonal[i] ?? 0, beside[i] ?? 0, diagonal[i + 1] ?? 0];
    const bent = c * e - s * d;
    const [c2, s2, length2] = rotate(c * d + s * e, s * next);
    diagonal[i] = length2;
    f = c2 * bent + s2 * c * next;
    diagonal[i + 1] = c2 * c * next - s2 * bent;
    g = s2 * (beside[i + 1] ?? 0);
    if (i + 1 < high) beside[i + 1] = c2 * (beside[i + 1] ?? 0);
    keep(right, i - low, c, s);
    keep(left, i - low, c2, s2);
  }
  beside[high - 1] = f;
  return [right, left];
}

function stepWithoutShift(
  { diagonal, beside }: Bidiagonal,
  low: number,
  high: number,
): [Rotations, Rotations] {
  const [right, left] = [makeRotations(high - low), makeRotations(high - low)];
  let [c, c2, s2] = [1, 1, 0];
  for (let i = low; i < high; i++) {
    const [cNow, s, length] = rotate((diagonal[i] ?? 0) * c, beside[i] ?? 0);
    if (i > low) beside[i - 1] = s2 * length;
    const [c2Now, s2Now, length2] = rotate(c2 * length, (diagonal[i + 1] ?? 0) * s);
    diagonal[i] = length2;
    keep(right, i - low, cNow, s);
    keep(left, i - low, c2Now, s2Now);
    [c, c2, s2] = [cNow, c2Now, s2Now];
  }
  const last = (diagonal[high] ?? 0) * c;
  beside[high - 1] = last * s2;
  diagonal[high] = last * c2;
  return [right, left];
}

/** Cosine, sine and length: c f + s g = length, c g - s f = 0. */
function rotate(f: number, g: number): [number, number, number] {
  if (g === 0) return [1, 0, f];
  const largest = Math.max(Math.abs(f), Math.abs(g));
  const length = largest * Math.sqrt((f / largest) ** 2 + (g / largest) ** 2);
  return [f / length, g / length, length];
}

function makeRotations(count: number): Rotations {
  return { cosines: new Float64Array(count), sines: new Float64Array(count) };
}

function keep({ cosines, sines }: Rotations, at: number, cosine: number, sine: number): void {
  cosines[at] = cosine;
  sines[at] = sine;
}
