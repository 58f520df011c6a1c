import { bindKernels } from '../../formats/kernels/bind-kernels.ts';
import { ROW_BYTES, TABLE } from './layout.ts';

/** Of one sign. */
const CODES = 0x8000;
const LARGEST = 0x7bff;
const ROW_WORDS = ROW_BYTES / 4;
/** Bytes from the start of the memory; the table of the kernels lies before. */
const PART = 2 * 2 * CODES;
const [CODE, NEXT, BEFORE, EVEN, OUT] = [PART, 2 * PART, 3 * PART, 4 * PART, 5 * PART];
const PAGES = (6 * PART) / 65_536;
/** Exact in float32 between any two neighbours. */
const LITTLE = 2 ** -12;

/** From each code a part of the way to a neighbour, and the codes that this must round to. */
const STEPS = [
  { to: NEXT, part: 0, expected: CODE },
  { to: NEXT, part: 0.5 - LITTLE, expected: CODE },
  { to: NEXT, part: 0.5, expected: EVEN },
  { to: NEXT, part: 0.5 + LITTLE, expected: NEXT },
  // Beyond the largest value too.
  { to: BEFORE, part: LITTLE - 0.5, expected: CODE },
  { to: BEFORE, part: -0.5, expected: EVEN },
] as const;

/** What was seen of half kernels. `nanoseconds`: the quickest sum of two inputs took so much for an element. */
export type HalfCheck = { readonly isExact: boolean; readonly nanoseconds: number };

/**
 * Whether the half kernels convert all values as IEEE 754 says. Halfway between neighbours the even one is right, next
 * to that the nearer one: what to expect follows from the codes alone, not from a second conversion. Takes some 3 ms.
 *
 * @param half compiled from `half-kernels.wasm`
 * @param now milliseconds of a steady clock
 */
export function checkHalves(half: WebAssembly.Module, now: () => number): HalfCheck {
  const memory = new WebAssembly.Memory({ initial: PAGES, maximum: 65_536, shared: true });
  const codes = new Uint16Array(memory.buffer);
  for (let code = 0; code < 2 * CODES; code++) {
    codes[CODE / 2 + code] = code;
    codes[NEXT / 2 + code] = code + 1;
    codes[BEFORE / 2 + code] = code - 1;
    codes[EVEN / 2 + code] = code + (code & 1);
  }
  const take = bindKernels(half, memory);
  const [around, difference] = [take('sumAroundHalf'), take('sumDifferenceHalf')];
  const numbers = new Uint32Array(memory.buffer, TABLE);
  const weights = new Float32Array(memory.buffer, TABLE);
  const bytes = Buffer.from(memory.buffer);

  let quickest = Number.POSITIVE_INFINITY;
  const isExact = STEPS.every(({ to, part, expected }) => {
    // a + part * (b - a), and the same with a as the subtrahend of a third row.
    for (const [row, at] of [CODE, to, CODE].entries()) numbers[ROW_WORDS * row] = at;
    for (const [row, weight] of [1, part].entries()) weights[ROW_WORDS * row + 1] = weight;
    const sums = [
      () => around(0, TABLE + 2 * ROW_BYTES, OUT, 2 * CODES),
      () => difference(0, OUT, 2 * CODES),
    ];
    return sums.every((sum) => {
      bytes.fill(0xff, OUT, OUT + PART);
      const start = now();
      sum();
      quickest = Math.min(quickest, now() - start);
      // Zero has nothing before it, and what is next to the largest value is no number.
      return [0, CODES].every((sign) => {
        const [from, end] = [2 * (sign + 1), 2 * (sign + (to === NEXT ? LARGEST : LARGEST + 1))];
        return bytes.compare(bytes, expected + from, expected + end, OUT + from, OUT + end) === 0;
      });
    });
  });
  return { isExact, nanoseconds: (quickest * 1e6) / (2 * CODES) };
}
