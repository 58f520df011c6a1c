import type { DeltaTensor } from './deltas.ts';
import type { Sparsify } from './elect-sign.ts';
import type { Params, ParamValues } from './method.ts';
import { cutDeltas, DENSITY, sieveDeltas } from './sparsify.ts';

export const BREADCRUMBS_PARAMS = {
  density: DENSITY,
  gamma: {
    default: 0.01,
    min: 0,
    max: 1,
    tooltip:
      'Share of the elements, the largest ones, that are masked; less where the density leaves no room.',
  },
} as const satisfies Params;

/**
 * Masks, in each difference, the ⌊γN⌋ largest elements and all behind the ⌊dN⌋ that follow. What is kept is kept first:
 * γ shrinks where both do not fit.
 *
 * @see Davari and Belilovsky 2023, "Model breadcrumbs", arXiv:2312.06795
 */
export function dropExtremes(
  tensor: DeltaTensor,
  { density, gamma }: ParamValues<typeof BREADCRUMBS_PARAMS>,
): Sparsify {
  const kept = Math.floor(density * tensor.size);
  const masked = Math.min(Math.floor(gamma * tensor.size), tensor.size - kept);
  return sieveDeltas(tensor, cutDeltas(tensor, [masked + kept, masked]));
}
