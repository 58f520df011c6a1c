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
    if (!isKernel(found)) throw new Error(`the kernels have no ${name}; build them anew`);
    return found;
  };
}

function isKernel(value: unknown): value is Kernel {
  return typeof value === 'function';
}
