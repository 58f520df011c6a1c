import type { Operand } from '../../nodes/merge/job.ts';
import { createKernels, type FloatKernels } from '../../nodes/merge/kernels/kernels.ts';
import { createTileKernels, type TileKernels } from '../../nodes/merge/kernels/tile-kernels.ts';
import { TILE_ELEMENTS } from '../../nodes/merge/run-method.ts';
import { inputsOf, isLeaf } from './recipe.ts';
import { createSamples, type Samples } from './samples.ts';
import { divideMemory } from './shared-state.ts';
import type { ThreadStart } from './thread-messages.ts';

const TILE_BYTES = 4 * TILE_ELEMENTS;
/** Of each input and of the result: itself, its difference twice, what is kept of that, and histograms of two cuts. */
const TILES_EACH = 8;
/** What does not fit is worked on more slowly; no thread takes more for it. */
const TILES_BYTES_MAX = 64 << 20;
const PAGE_BYTES = 65_536;
const WIDEST_BYTES = 8;

/** What a thread makes whole tensors with. */
export type WholeTools = {
  readonly samples: Samples;
  readonly tiles: TileKernels;
  /** At the addresses of the samples. */
  readonly kernels: FloatKernels;
};

/**
 * Makes the tools of one thread in a memory of their own: inputs are decoded where methods compute, and the memory that
 * threads share need not be as large as any method might ask.
 */
export function createWholeTools({ plan, state, module, half, inputs, notFinite }: ThreadStart): WholeTools {
  const bytes = WIDEST_BYTES * TILE_ELEMENTS;
  const share = divideMemory(0, plan.buffers, bytes);
  const arrays = divideMemory(1, plan.buffers, bytes).scratch;
  const count = Math.max(
    0,
    ...plan.runs.map(({ recipe }) => (recipe.way === 'whole' ? widest(recipe.value) : 0)),
  );
  const tilesBytes = Math.min(TILES_BYTES_MAX, TILE_BYTES * TILES_EACH * (count + 1));
  const pages = Math.ceil((arrays + tilesBytes) / PAGE_BYTES);
  const memory = new WebAssembly.Memory({ initial: pages, maximum: pages, shared: true });
  const kernels = createKernels(module, memory, share.scratch, half);
  return {
    kernels,
    samples: createSamples({ memory, cells: state.cells }, share, kernels, inputs, notFinite),
    tiles: createTileKernels(module, memory, share.scratch, arrays),
  };
}

/** The inputs of whatever takes most, of a value and what it is made of. */
function widest(value: Operand): number {
  if (isLeaf(value)) return 0;
  if (value.kind === 'adapted') return widest(value.base);
  const inputs = inputsOf(value);
  return Math.max(inputs.length, ...inputs.map(widest));
}
