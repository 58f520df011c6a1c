import { countElements } from '../../nodes/formats/safetensors/dtypes.ts';
import { LineageError } from '../../nodes/kit/errors.ts';
import { findMethod } from '../../nodes/merge/find-method.ts';
import type { Operand } from '../../nodes/merge/job.ts';
import { TILE_ELEMENTS } from '../../nodes/merge/run-method.ts';
import { asElementwise } from './choose-recipe.ts';
import { inputsOf, isLeaf } from './recipe.ts';

const FLOAT_BYTES = 4;
/** An adapted weight beside its base: the base, the difference and what it is computed from in float64, the result. */
const ADAPTED_COPIES = 6;

/**
 * Bytes that a tensor takes while it is made as a whole, about: float32 of everything that is held at one time. What
 * the engine reads and writes through is not in it, and does not grow.
 */
export function memoryNeed(name: string, value: Operand): number {
  // Copies, also of what is no float, take none.
  if (isLeaf(value) || asElementwise(name, value)) return 0;
  const size = countElements(value.shape);
  if (value.kind === 'adapted') {
    return memoryNeed(name, value.base) + ADAPTED_COPIES * size * FLOAT_BYTES;
  }
  if (value.kind !== 'merged') return 0;
  const inputs = inputsOf(value);
  const method = findMethod(value.method);
  const atOnce = 'reach' in method && method.reach === 'tensor' ? size : Math.min(size, TILE_ELEMENTS);
  // The inputs, what is made of them, and one that the method works in.
  const own = (inputs.length + 2) * atOnce * FLOAT_BYTES;
  const held = inputs.map((input) => {
    const need = memoryNeed(name, input);
    return need === 0 ? 0 : need + countElements(input.shape) * FLOAT_BYTES;
  });
  return held.reduce((sum, need) => sum + need, own);
}

/** @throws LineageError `merge/memory` for a tensor that would never fit */
export function checkFits(name: string, need: number, memoryBytes: number): void {
  if (need <= memoryBytes) return;
  const [needs, may] = [need, memoryBytes].map((bytes) => `${Math.ceil(bytes / 2 ** 20)} MiB`);
  throw new LineageError(
    'merge/memory',
    `expected a tensor that is made in ${may} of memory, got ${JSON.stringify(name)}, which takes ${needs}`,
  );
}
