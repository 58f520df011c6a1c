import { type Fact, numberOf } from './facts.ts';
import type { Arrival } from './flow.ts';
import type { NodeId } from './graph.ts';
import type { RuleBook } from './rule-book.ts';

/** In pixels. */
export type Size = { readonly width: number; readonly height: number };

/** ComfyUI's latents are 8 pixels a sample (LatentUpscaleBy, LatentUpscale in its nodes.py). */
const LATENT_PIXELS = 8;

/**
 * The nearest size on the picture's way, with the scale factors that lie between. Unknown where a node resizes to
 * what only a run tells: an upscale model's factor is in its weights.
 *
 * @param way where the picture came by, nearest to the save node first
 */
export function estimateSize(
  way: readonly Arrival[],
  facts: readonly Fact[],
  book: RuleBook,
): Size | undefined {
  const byNode: ReadonlyMap<NodeId, readonly Fact[]> = Map.groupBy(facts, ({ nodeId }) => nodeId);
  const scales: { readonly by: number; readonly unit: number }[] = [];
  for (const { node, stream } of way) {
    const own = byNode.get(node.id) ?? [];
    const of = (field: Fact['field']): number | undefined => {
      const fact = own.find((each) => each.field === field);
      return fact && numberOf(fact.value);
    };
    const [width, height, by] = [of('IMAGE_WIDTH'), of('IMAGE_HEIGHT'), of('SCALE_BY')];
    if (by !== undefined) scales.push({ by, unit: stream === 'latent' ? LATENT_PIXELS : 1 });
    else if (width !== undefined && height !== undefined) {
      // 0 lets the node keep the ratio of what it scales.
      const size = scaled({ width: Math.trunc(width), height: Math.trunc(height) }, scales.toReversed());
      return [size.width, size.height].every((side) => Number.isSafeInteger(side) && side > 0)
        ? size
        : undefined;
    } else if (
      book.get(node.classType)?.rule.resizes ||
      own.some(({ field }) => field === 'UPSCALE_MODEL_NAME')
    ) {
      return undefined;
    }
  }
  return undefined;
}

/** The nodes round to whole samples. */
function scaled(size: Size, scales: readonly { readonly by: number; readonly unit: number }[]): Size {
  return scales.reduce(
    ({ width, height }, { by, unit }) => ({
      width: Math.round((width / unit) * by) * unit,
      height: Math.round((height / unit) * by) * unit,
    }),
    size,
  );
}
