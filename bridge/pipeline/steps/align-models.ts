import { floatBytes, isFloat } from '../../../nodes/formats/floats.ts';
import { countElements } from '../../../nodes/formats/safetensors/dtypes.ts';
import type { Architecture } from '../../../nodes/merge/architectures/define.ts';
import { makeKeyMap } from '../../../nodes/merge/architectures/key-spaces.ts';
import { widthsOf } from '../../../nodes/merge/architectures/widths.ts';
import type { SideModel, SideTensor } from '../side-task.ts';

/** Tensors by canonical name; a piece of a fused one as `name[first:end]`, its rows. */
type Named = ReadonlyMap<string, SideTensor>;

/**
 * The tensors of several models under the same names, whatever each calls them: where one has a tensor in pieces that
 * another has fused, both have the pieces.
 */
export function alignModels(models: readonly SideModel[], architecture: Architecture | undefined): Named[] {
  if (!architecture) return models.map(({ tensors }) => tensors);
  const named = models.map(({ tensors }): Named => {
    const keys = makeKeyMap(architecture, widthsOf(architecture, tensors));
    return new Map(
      [...tensors].map(([name, tensor]) => {
        const place = keys.toCanonical(name);
        // What would have to be turned to compare keeps its own name.
        if (!place || place.turn !== undefined) return [name, tensor];
        return [place.rows ? pieceName(place.name, place.rows) : place.name, tensor];
      }),
    );
  });
  const pieces = new Map<string, Map<string, readonly [number, number]>>();
  for (const name of named.flatMap((tensors) => [...tensors.keys()])) {
    const [, whole, first, end] = /^(.+)\[(\d+):(\d+)\]$/s.exec(name) ?? [];
    if (whole === undefined) continue;
    const known = pieces.get(whole) ?? new Map<string, readonly [number, number]>();
    pieces.set(whole, known.set(name, [Number(first), Number(end)]));
  }
  return named.map((tensors) => {
    const cut = [...tensors].flatMap(([name, tensor]): [string, SideTensor][] => {
      const parts = pieces.get(name);
      if (!parts) return [[name, tensor]];
      return [...parts].map(([piece, rows]) => [piece, rowsOfTensor(tensor, rows)]);
    });
    return new Map(cut);
  });
}

function pieceName(name: string, [first, end]: readonly [number, number]): string {
  return `${name}[${first}:${end}]`;
}

/** Some rows of a tensor, which lie together in its file. */
export function rowsOfTensor(tensor: SideTensor, [first, end]: readonly [number, number]): SideTensor {
  const rest = tensor.shape.slice(1);
  const width = isFloat(tensor.dtype) ? floatBytes(tensor.dtype) : 0;
  return {
    ...tensor,
    shape: [Math.min(end, tensor.shape[0] ?? 0) - first, ...rest],
    offset: tensor.offset + first * countElements(rest) * width,
  };
}
