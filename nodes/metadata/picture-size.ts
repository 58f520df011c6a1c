import { holds } from './conditions.ts';
import { type Fact, numberOf } from './facts.ts';
import type { Arrival, FlowContext } from './flow.ts';
import type { NodeId, PromptNode } from './graph.ts';

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
  context: FlowContext,
): Size | undefined {
  const byNode: ReadonlyMap<NodeId, readonly Fact[]> = Map.groupBy(facts, ({ nodeId }) => nodeId);
  const scales: { readonly by: number; readonly unit: number }[] = [];
  /** What leads into a node that names its factor: an upscale model there is brought to it. */
  const brought = new Set<NodeId>();
  const scaledBy = new Set<NodeId>();
  for (const { node, stream } of way) {
    const own = byNode.get(node.id) ?? [];
    const of = (field: Fact['field']): number | undefined => {
      const fact = own.find((each) => each.field === field);
      return fact && numberOf(fact.value);
    };
    const [width, height, by] = [of('IMAGE_WIDTH'), of('IMAGE_HEIGHT'), of('SCALE_BY')];
    if (by !== undefined) {
      // A node may be met twice, by its picture and by what it hands on; it scales once.
      if (scaledBy.has(node.id)) continue;
      scaledBy.add(node.id);
      scales.push({ by, unit: stream === 'latent' ? LATENT_PIXELS : 1 });
      for (const { from } of node.links.values()) brought.add(from);
    } else if (width !== undefined && height !== undefined) {
      // 0 lets the node keep the ratio of what it scales.
      const size = scaled({ width: Math.trunc(width), height: Math.trunc(height) }, scales.toReversed());
      return [size.width, size.height].every((side) => Number.isSafeInteger(side) && side > 0)
        ? size
        : undefined;
    } else if (
      resizes(node, context) ||
      (!brought.has(node.id) && own.some(({ field }) => field === 'UPSCALE_MODEL_NAME'))
    ) {
      return undefined;
    }
  }
  return undefined;
}

function resizes(node: PromptNode, { book, evaluator }: FlowContext): boolean {
  const how = book.get(node.classType)?.rule.resizes;
  if (how === undefined || how === true) return how === true;
  return holds(how, node, (name) => evaluator.input(node, name)?.value);
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
