/** A complex signal; both arrays are of its length. */
export type Complex = { readonly re: Float64Array; readonly im: Float64Array };

/** Lengths with a prime above this are transformed as a convolution of a power of two. */
const LARGEST_RADIX = 31;

/** Transforms a signal in place: Σ x[j] e^(−2πi jk/n), unscaled. */
type Transform = (signal: Complex) => void;

function createComplex(length: number): Complex {
  return { re: new Float64Array(length), im: new Float64Array(length) };
}

/** e^(−2πi k/n) for k below n. */
function rootsOfUnity(n: number): Complex {
  const { re, im } = createComplex(n);
  for (let k = 0; k < n; k++) {
    re[k] = Math.cos((2 * Math.PI * k) / n);
    im[k] = -Math.sin((2 * Math.PI * k) / n);
  }
  return { re, im };
}

function factorize(n: number): number[] {
  const factors: number[] = [];
  let rest = n;
  for (let p = 2; p * p <= rest; p++) {
    for (; rest % p === 0; rest /= p) factors.push(p);
  }
  return rest > 1 ? [...factors, rest] : factors;
}

/**
 * Plans the discrete Fourier transform of a length, any length. Work in float64, order n log n.
 *
 * @see Stockham's autosort algorithm in Van Loan 1992, "Computational frameworks for the FFT", section 1.7
 */
export function planTransform(n: number): Transform {
  const factors = factorize(n);
  return factors.some((p) => p > LARGEST_RADIX) ? planChirp(n) : planStockham(n, factors);
}

function planStockham(n: number, factors: readonly number[]): Transform {
  const roots = rootsOfUnity(n);
  const spare = createComplex(n);
  return (signal) => {
    let from = signal;
    let to = spare;
    let stride = 1;
    for (const p of factors) {
      if (p === 2) passHalves(from, to, stride, roots);
      else passRadix(from, to, p, stride, roots);
      [from, to] = [to, from];
      stride *= p;
    }
    if (from === signal) return;
    signal.re.set(from.re);
    signal.im.set(from.im);
  };
}

/** One factor: blocks of n / stride are split into p of n / (stride · p); neighbours of `stride` go along. */
function passRadix(from: Complex, to: Complex, p: number, stride: number, roots: Complex): void {
  const n = from.re.length;
  const parts = n / stride / p;
  const jump = n / p;
  for (let i = 0; i < parts; i++) {
    for (let k = 0; k < p; k++) {
      // Part j is turned by e^(−2πi (j k / p + i k / (parts p))).
      const step = (k * jump) % n;
      const twist = i * k * stride;
      const target = stride * (p * i + k);
      for (let q = 0; q < stride; q++) {
        let re = 0;
        let im = 0;
        for (let j = 0, turn = twist; j < p; j++) {
          const at = q + stride * (i + parts * j);
          const x = from.re[at] ?? 0;
          const y = from.im[at] ?? 0;
          const c = roots.re[turn] ?? 0;
          const s = roots.im[turn] ?? 0;
          re += x * c - y * s;
          im += x * s + y * c;
          turn += step;
          if (turn >= n) turn -= n;
        }
        to.re[target + q] = re;
        to.im[target + q] = im;
      }
    }
  }
}

/** The factor 2 of `passRadix`: sums, and differences that are turned. */
function passHalves(from: Complex, to: Complex, stride: number, roots: Complex): void {
  const half = from.re.length / 2;
  for (let start = 0; start < half; start += stride) {
    const c = roots.re[start] ?? 0;
    const s = roots.im[start] ?? 0;
    for (let at = start; at < start + stride; at++) {
      const aRe = from.re[at] ?? 0;
      const aIm = from.im[at] ?? 0;
      const bRe = from.re[at + half] ?? 0;
      const bIm = from.im[at + half] ?? 0;
      const target = at + start;
      to.re[target] = aRe + bRe;
      to.im[target] = aIm + bIm;
      to.re[target + stride] = (aRe - bRe) * c - (aIm - bIm) * s;
      to.im[target + stride] = (aRe - bRe) * s + (aIm - bIm) * c;
    }
  }
}

/** jk = (j² + k² − (k − j)²) / 2 makes the transform a convolution. @see Bluestein 1970, doi:10.1109/TAU.1970.1162132 */
function planChirp(n: number): Transform {
  let length = 1;
  while (length < 2 * n - 1) length *= 2;
  const transform = planStockham(length, factorize(length));
  const half = rootsOfUnity(2 * n);
  const chirp = createComplex(n);
  const kernel = createComplex(length);
  for (let k = 0, square = 0; k < n; square = (square + 2 * k + 1) % (2 * n), k++) {
    const c = half.re[square] ?? 0;
    const s = half.im[square] ?? 0;
    chirp.re[k] = c;
    chirp.im[k] = s;
    for (const at of [k, (length - k) % length]) {
      kernel.re[at] = c;
      kernel.im[at] = -s;
    }
  }
  transform(kernel);
  const work = createComplex(length);
  return (signal) => {
    work.re.fill(0);
    work.im.fill(0);
    multiply(signal, chirp, work, 1);
    transform(work);
    // The conjugate of the transform of a conjugate is the inverse transform, unscaled.
    multiply(work, kernel, work, -1);
    transform(work);
    for (let k = 0; k < n; k++) {
      const re = (work.re[k] ?? 0) / length;
      const im = -(work.im[k] ?? 0) / length;
      const c = chirp.re[k] ?? 0;
      const s = chirp.im[k] ?? 0;
      signal.re[k] = re * c - im * s;
      signal.im[k] = re * s + im * c;
    }
  };
}

/** Products, element by element, of as many as `by` has; the imaginary part times `sign`. */
function multiply(a: Complex, by: Complex, into: Complex, sign: 1 | -1): void {
  for (let k = 0; k < by.re.length; k++) {
    const x = a.re[k] ?? 0;
    const y = a.im[k] ?? 0;
    const c = by.re[k] ?? 0;
    const s = by.im[k] ?? 0;
    into.re[k] = x * c - y * s;
    into.im[k] = sign * (x * s + y * c);
  }
}

/** Transforms along every axis of a shape, in place. */
export function transformAxes(signal: Complex, shape: readonly number[]): void {
  let stride = signal.re.length;
  for (const side of shape) {
    const block = stride;
    stride /= side;
    if (side < 2) continue;
    const transform = planTransform(side);
    const line = createComplex(side);
    for (let start = 0; start < signal.re.length; start += block) {
      for (let offset = start; offset < start + stride; offset++) {
        for (let k = 0, at = offset; k < side; k++, at += stride) {
          line.re[k] = signal.re[at] ?? 0;
          line.im[k] = signal.im[at] ?? 0;
        }
        transform(line);
        for (let k = 0, at = offset; k < side; k++, at += stride) {
          signal.re[at] = line.re[k] ?? 0;
          signal.im[at] = line.im[k] ?? 0;
        }
      }
    }
  }
}

/**
 * Filters a real signal of a shape by a real factor for each frequency, which must be the same for a frequency and its
 * negative. `signal.im` holds zeros before and rounding errors after.
 *
 * @param filter factor of the frequency at a flat place of the spectrum.
 */
export function filterFrequencies(
  signal: Complex,
  shape: readonly number[],
  filter: (at: number) => number,
): void {
  const { re, im } = signal;
  transformAxes(signal, shape);
  for (let at = 0; at < re.length; at++) {
    const factor = filter(at);
    re[at] = (re[at] ?? 0) * factor;
    im[at] = -(im[at] ?? 0) * factor;
  }
  transformAxes(signal, shape);
  for (let at = 0; at < re.length; at++) re[at] = (re[at] ?? 0) / re.length;
}
