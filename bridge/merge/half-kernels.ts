import { readFileSync } from 'node:fs';
import { setFlagsFromString } from 'node:v8';
import { checkHalves } from '../../nodes/merge/kernels/half-check.ts';

const HALF_KERNELS = new URL('../../nodes/merge/kernels/half-kernels.wasm', import.meta.url);
/**
 * V8 has the half-precision proposal behind a flag. Without its baseline compiler, the code that is checked is the code
 * that runs. Both are put back before other modules are compiled.
 */
const FLAGS = ['experimental-wasm-fp16', 'no-liftoff'];
const BACK = ['no-experimental-wasm-fp16', 'liftoff'];
/**
 * An element takes 0.25 by the instructions, 0.55 by the other kernels, and 8 where V8 has to do without the instructions
 * (`--no-enable-f16c`).
 */
const NANOSECONDS_MAX = 2;
/** Of this process: nothing that it depends on changes, and a pipeline has many jobs. */
let known: { readonly module: WebAssembly.Module | undefined } | undefined;

/**
 * Compiles the kernels that convert F16 by the processor's own instructions, for all threads of this process.
 *
 * @returns undefined where this V8 does not know them, they are not exact to the last value, or no quicker
 */
export function compileHalfKernels(): WebAssembly.Module | undefined {
  known ??= { module: compileChecked() };
  return known.module;
}

function compileChecked(): WebAssembly.Module | undefined {
  // Tried on nothing else.
  if (process.arch !== 'x64') return undefined;
  for (const flag of FLAGS) setFlagsFromString(`--${flag}`);
  try {
    const module = new WebAssembly.Module(readFileSync(HALF_KERNELS));
    const { isExact, nanoseconds } = checkHalves(module, () => performance.now());
    return isExact && nanoseconds < NANOSECONDS_MAX ? module : undefined;
  } catch (error) {
    if (error instanceof Error && error.name === 'CompileError') return undefined;
    throw error;
  } finally {
    for (const flag of BACK) setFlagsFromString(`--${flag}`);
  }
}
