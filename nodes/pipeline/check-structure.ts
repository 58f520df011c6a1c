import type { Architecture, TensorShape, TensorShapes } from '../merge/architectures/define.ts';
import type { Detection } from '../merge/architectures/detect.ts';
import { makeKeyMap } from '../merge/architectures/key-spaces.ts';
import { partOf } from '../merge/architectures/parts.ts';
import { widthsOf } from '../merge/architectures/widths.ts';
import { listExpectedTensors, partNameOf } from './expected-tensors.ts';

/** What is wrong with the tensors of a model, by canonical names. */
export type StructureReport = {
  /** Needed, and not there. */
  readonly missing: readonly string[];
  /** Of no known part, or not among the tensors of theirs. Not wrong in itself; loaders skip them. */
  readonly unexpected: readonly string[];
  /** `name: [shape], and ... expected`. */
  readonly misshapen: readonly string[];
  /** Whether the layout is known tensor by tensor; else only gaps in stacks of blocks are found. */
  readonly isListed: boolean;
};

/** A number in a name that counts blocks which are all built alike. */
const STACK =
  /^(.*\b(?:transformer_blocks|double_blocks|single_blocks|joint_blocks|blocks|layers|resblocks)\.)(\d+)(\..*)$/s;

/**
 * Checks that a model of a known architecture is whole: every tensor of each part that it has; every block of a stack
 * what both its neighbours have, in the same shape where they agree; as many biases as a weight has rows.
 *
 * @param tensors as the file has them, in any naming.
 * @param found what the model was recognised as.
 */
export function checkStructure(
  tensors: TensorShapes,
  found: NonNullable<Detection['found']>,
): StructureReport {
  const { architecture, variant } = found;
  const { shapes, unexpected } = nameCanonically(tensors, architecture);
  const missing = new Set<string>();
  const expected = listExpectedTensors(architecture, variant);
  const present = new Set([...shapes.keys()].map((name) => partNameOf(name, architecture)));
  for (const [part, { needed }] of expected) {
    if (!present.has(part)) continue;
    for (const name of needed) if (!shapes.has(name)) missing.add(name);
  }
  const extra = [...shapes.keys()].filter((name) => {
    const list = expected.get(partNameOf(name, architecture) ?? '');
    return list !== undefined && !list.needed.has(name) && !list.allowed.has(name);
  });
  const holes = checkStacks(shapes);
  for (const name of holes.missing) missing.add(name);
  return {
    missing: [...missing],
    unexpected: [...unexpected, ...extra],
    misshapen: [...holes.misshapen, ...checkBiases(shapes)],
    isListed: expected.has('denoiser') || (expected.size > 0 && !present.has('denoiser')),
  };
}

/** Pieces of a fused tensor count as it, with their rows together. */
function nameCanonically(
  tensors: TensorShapes,
  architecture: Architecture,
): { readonly shapes: TensorShapes; readonly unexpected: readonly string[] } {
  const keys = makeKeyMap(architecture, widthsOf(architecture, tensors));
  const shapes = new Map<string, TensorShape>();
  const unexpected: string[] = [];
  for (const [name, tensor] of tensors) {
    const place = keys.toCanonical(name);
    if (!place) {
      const { kind } = partOf(name, architecture);
      if (kind === 'other') unexpected.push(name);
      continue;
    }
    const { dtype, shape } = tensor;
    const before = place.rows ? (shapes.get(place.name)?.shape[0] ?? 0) : 0;
    const turned = place.turn === 'transposed' ? shape.toReversed() : shape;
    const [rows = 0, ...rest] = turned;
    shapes.set(place.name, { dtype, shape: place.rows ? [before + rows, ...rest] : turned });
  }
  return { shapes, unexpected };
}

/** What a block lacks though both its neighbours have it, or has in another shape than the one that they share. */
function checkStacks(shapes: TensorShapes): Pick<StructureReport, 'missing' | 'misshapen'> {
  const missing: string[] = [];
  const misshapen: string[] = [];
  for (const [name, { shape }] of shapes) {
    const [, stack = '', number = '', rest = ''] = STACK.exec(name) ?? [];
    if (number === '') continue;
    const at = (offset: number): string => `${stack}${Number(number) + offset}${rest}`;
    const [middle, next] = [shapes.get(at(1)), shapes.get(at(2))];
    if (!next) continue;
    if (!middle) missing.push(at(1));
    else if (String(next.shape) === String(shape) && String(middle.shape) !== String(shape))
      misshapen.push(`${at(1)}: [${middle.shape}], and [${shape}] in the blocks beside it expected`);
  }
  return { missing, misshapen };
}

function checkBiases(shapes: TensorShapes): readonly string[] {
  return [...shapes].flatMap(([name, { shape }]) => {
    const rows = shapes.get(name.replace(/bias$/, 'weight'))?.shape[0];
    const isWrong =
      /(^|[._])bias$/.test(name) && rows !== undefined && shape.length === 1 && shape[0] !== rows;
    return isWrong ? [`${name}: [${shape}], and [${rows}] as its weight's rows expected`] : [];
  });
}
