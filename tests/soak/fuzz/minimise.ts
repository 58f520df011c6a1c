import type { Kind } from './kinds.ts';
import { type Fault, measureInput } from './measure.ts';
import type { Workbench } from './targets.ts';

/** Takes out runs, shorter and shorter ones, as long as the fault stays the same; stops after a while. */
export async function minimise(
  kind: Kind,
  input: Uint8Array,
  fault: Fault,
  bench: Workbench,
  limitMs = 15_000,
): Promise<Uint8Array> {
  const end = performance.now() + limitMs;
  let best = input;
  for (let run = Math.ceil(input.length / 2); run >= 1; run = Math.floor(run / 2)) {
    for (let at = 0; at < best.length; ) {
      if (performance.now() > end) return best;
      const less = Uint8Array.from(Buffer.concat([best.subarray(0, at), best.subarray(at + run)]));
      const found = await measureInput(kind, less, bench);
      if (found?.signature === fault.signature) best = less;
      else at += run;
    }
  }
  return best;
}
