import type { AdapterKind, AdapterModule } from '../../nodes/lora/adapter-module.ts';
import type { AdapterPatch } from '../../nodes/merge/job.ts';

const KINDS: readonly AdapterKind[] = ['lora', 'loha', 'lokr', 'oft', 'boft', 'glora', 'diff', 'set'];

/**
 * The module of an adapter that a job names, as `nodes/lora` applies it. Of its numbers, `alpha` is itself, `reshape.0`
 * and on are the sides of the widened weight; where they are not 0, `transposed` says that the weight is `[in, out]`, and
 * `doraByOutput` that magnitudes count rows whatever their shape. The tensors say the rest: with magnitudes it is a
 * DoRA, with a bias it changes one.
 */
export function moduleOf({ adapter, numbers, tensors }: AdapterPatch): AdapterModule {
  const kind = KINDS.find((known) => known === adapter);
  if (!kind) throw new Error(`a job names no kind of adapter: ${adapter}`);
  const { alpha, transposed, doraByOutput } = numbers;
  const reshape = readSides(numbers);
  return {
    target: '',
    part: tensors['bias'] ? 'bias' : 'weight',
    kind,
    dialect: '',
    tensors: {},
    ...(alpha !== undefined && { alpha }),
    ...(reshape.length > 0 && { reshape }),
    ...(transposed && { isTransposed: true }),
    ...(tensors['magnitude'] && { dora: { axis: doraByOutput ? 'output' : 'by shape' } }),
  };
}

function readSides(numbers: AdapterPatch['numbers']): readonly number[] {
  const sides: number[] = [];
  for (let side = numbers['reshape.0']; side !== undefined; side = numbers[`reshape.${sides.length}`]) {
    sides.push(side);
  }
  return sides;
}
