import { readKernels } from '../../../bridge/build/build-kernels.ts';
import { compileHalfKernels } from '../../../bridge/merge/half-kernels.ts';
import { createKernels, type KernelDtype, SCRATCH_BYTES } from '../../../nodes/merge/kernels/kernels.ts';
import { createTileKernels } from '../../../nodes/merge/kernels/tile-kernels.ts';

/** Where tests and benches put their operands. */
export const DATA = 65_536;

const compiled = new WebAssembly.Module(await readKernels());
await readKernels('half');
/** Undefined on processors that have no conversions of F16. */
const half = compileHalfKernels();

/** Kernels with a memory of their own. @param pages of 64 KiB */
export function openKernels(pages = 256) {
  const memory = new WebAssembly.Memory({ initial: pages, maximum: 65_536, shared: true });
  // Not at the start: an address that forgets the block would go unnoticed.
  const kernels = createKernels(compiled, memory, 4096);
  const halfKernels = half && createKernels(compiled, memory, 4096 + SCRATCH_BYTES, half);
  return { kernels, ...(halfKernels && { halfKernels }), memory, bytes: new Uint8Array(memory.buffer) };
}

/** Kernels on tiles, with a memory of their own. @param pages of 64 KiB */
export function openTileKernels(pages = 256) {
  const { memory } = openKernels(pages);
  return createTileKernels(compiled, memory, 4096, DATA);
}

/** Instances for several threads in one memory. */
export function openPair() {
  const memory = new WebAssembly.Memory({ initial: 256, maximum: 65_536, shared: true });
  return {
    memory,
    first: createKernels(compiled, memory, 4096),
    second: createKernels(compiled, memory, 4096 + SCRATCH_BYTES),
  };
}

/** Small formats, by their definitions. */
type Definition = {
  readonly bytes: 1 | 2;
  readonly exponentBits: number;
  readonly mantissaBits: number;
  /** The code of Inf; E4M3 has none. */
  readonly infinity?: number;
  readonly largest: number;
  readonly nan: number;
};

/** @see IEEE 754-2019 binary16; OCP 8-bit Floating Point Specification 1.0, table 1 */
export const DEFINITIONS: Readonly<Record<Exclude<KernelDtype, 'F32'>, Definition>> = {
  F16: { bytes: 2, exponentBits: 5, mantissaBits: 10, infinity: 0x7c00, largest: 0x7bff, nan: 0x7e00 },
  BF16: { bytes: 2, exponentBits: 8, mantissaBits: 7, infinity: 0x7f80, largest: 0x7f7f, nan: 0x7fc0 },
  F8_E4M3: { bytes: 1, exponentBits: 4, mantissaBits: 3, largest: 0x7e, nan: 0x7f },
  F8_E5M2: { bytes: 1, exponentBits: 5, mantissaBits: 2, infinity: 0x7c, largest: 0x7b, nan: 0x7e },
};

/** What a code means, in float64 arithmetic. */
export function valueOfCode(definition: Definition, code: number): number {
  const { bytes, exponentBits, mantissaBits, infinity, largest } = definition;
  const signBit = 2 ** (8 * bytes - 1);
  const abs = code % signBit;
  const sign = code >= signBit ? -1 : 1;
  if (abs === infinity) return sign * Number.POSITIVE_INFINITY;
  if (abs > largest) return Number.NaN;
  const bias = 2 ** (exponentBits - 1) - 1;
  const exponent = Math.floor(abs / 2 ** mantissaBits);
  const fraction = (abs % 2 ** mantissaBits) / 2 ** mantissaBits;
  return sign * (exponent === 0 ? fraction * 2 ** (1 - bias) : (1 + fraction) * 2 ** (exponent - bias));
}

/**
 * The nearest code, ties to the even one, by a search among all values of the format: slow, and made of nothing but
 * the definition. Beyond the largest value the next code is the one that it would have if the format went on.
 */
export function nearestCode(definition: Definition, value: number): number {
  if (Number.isNaN(value)) return definition.nan;
  const { bytes, infinity, largest } = definition;
  const sign = value < 0 || Object.is(value, -0) ? 2 ** (8 * bytes - 1) : 0;
  const abs = Math.abs(value);
  const top = valueOfCode(definition, largest);
  const beyond = top + (top - valueOfCode(definition, largest - 1));
  const at = (code: number): number => (code > largest ? beyond : valueOfCode(definition, code));
  let low = 0;
  let high = largest + 1;
  if (abs >= beyond) low = high;
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (at(middle) <= abs) low = middle;
    else high = middle;
  }
  const down = abs - at(low);
  const up = at(low + 1) - abs;
  const code = low > largest || down < up || (down === up && low % 2 === 0) ? low : low + 1;
  return sign + (code > largest ? (infinity ?? definition.nan) : code);
}

/** Random numbers that are the same in every run: a linear congruential generator, its upper 32 bits. */
export function* randomBits(seed: number): Generator<number, never> {
  for (let state = BigInt(seed); ; ) {
    state = BigInt.asUintN(64, state * 6364136223846793005n + 1442695040888963407n);
    yield Number(state >> 32n);
  }
}
