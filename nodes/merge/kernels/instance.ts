import type { KernelDtype } from './kernels.ts';

/** A function of the module: numbers in, one number or nothing out. */
export type Kernel = (...args: readonly number[]) => number;

/**
 * Binds the module's functions to a memory.
 *
 * @returns the function of a name
 * @throws Error by the returned function, where the module is older than what calls it
 */
export function bindKernels(
  compiled: WebAssembly.Module,
  memory: WebAssembly.Memory,
): (name: string) => Kernel {
  const { exports } = new WebAssembly.Instance(compiled, { env: { memory } });
  return (name) => {
    const found = exports[name];
    if (!isKernel(found)) throw new Error(`kernels.wasm has no ${name}; build it anew`);
    return found;
  };
}

/** The variants of a function, which have its name and that of the format. */
export function variantsOf(
  take: (name: string) => Kernel,
  verb: string,
): Readonly<Record<KernelDtype, Kernel>> {
  return {
    F32: take(`${verb}F32`),
    F16: take(`${verb}F16`),
    BF16: take(`${verb}BF16`),
    F8_E4M3: take(`${verb}F8_E4M3`),
    F8_E5M2: take(`${verb}F8_E5M2`),
  };
}

function isKernel(value: unknown): value is Kernel {
  return typeof value === 'function';
}
