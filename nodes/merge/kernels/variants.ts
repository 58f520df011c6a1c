import type { Kernel } from '../../formats/kernels/bind-kernels.ts';
import type { KernelDtype } from './kernels.ts';

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
