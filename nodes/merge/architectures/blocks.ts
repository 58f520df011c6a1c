import type { Architecture, BlockPlan, Convention, Slot } from './define.ts';
import { partOf } from './parts.ts';

/** The plan of a family under a convention; families that have only one plan use it for both. */
function planOf({ blocks }: Architecture, convention: Convention): BlockPlan {
  return 'slots' in blocks ? blocks : blocks[convention];
}

/**
 * The block of a tensor: `IN04`, `BASE`, `D18`. Undefined where block merges leave a tensor alone: markers,
 * leftovers of training, what is not known, and the VAE except where the convention counts it.
 *
 * @param name canonical, or of a denoiser without its prefix
 */
export function blockOf(
  name: string,
  architecture: Architecture,
  convention: Convention = 'supermerger',
): string | undefined {
  const { slots, also = {} } = planOf(architecture, convention);
  const part = partOf(name, architecture);
  if (part.kind === 'vae') return slots.find(({ vae }) => vae)?.block;
  if (part.kind === 'text-encoder')
    return slots.find(({ encoders }) => encoders?.includes(part.encoder))?.block;
  if (part.kind !== 'denoiser') return undefined;
  for (const [block, starts] of Object.entries(also)) {
    if (starts.some((start) => part.bare.startsWith(start))) return block;
  }
  for (const slot of slots) {
    const start = slot.denoiser?.find((each) => part.bare.startsWith(each));
    if (start === undefined) continue;
    if (slot.count === undefined) return slot.block;
    const number = numberBehind(part.bare, start);
    if (number !== undefined) return numbered(slot.block, number);
  }
  return undefined;
}

/**
 * The blocks of a family in the order of a list of weights.
 *
 * @param names tensors of a model: its stacks are as deep as it is; else as deep as in the family's best known model
 */
export function blockNames(
  architecture: Architecture,
  convention: Convention = 'supermerger',
  names?: Iterable<string>,
): readonly string[] {
  const { slots } = planOf(architecture, convention);
  const depths = names === undefined ? undefined : countStacks(names, architecture, slots);
  return slots.flatMap(({ block, count }) => {
    if (count === undefined) return [block];
    const depth = depths?.get(block) ?? (depths ? 0 : count);
    return Array.from({ length: depth }, (_, index) => numbered(block, index));
  });
}

/** How deep each stack of a model is: its highest number and one. */
function countStacks(
  names: Iterable<string>,
  architecture: Architecture,
  slots: readonly Slot[],
): ReadonlyMap<string, number> {
  const stacks = slots.filter(({ count }) => count !== undefined);
  const depths = new Map<string, number>();
  for (const name of names) {
    const part = partOf(name, architecture);
    if (part.kind !== 'denoiser') continue;
    for (const { block, denoiser = [] } of stacks) {
      const start = denoiser.find((each) => part.bare.startsWith(each));
      const number = start === undefined ? undefined : numberBehind(part.bare, start);
      if (number !== undefined) depths.set(block, Math.max(depths.get(block) ?? 0, number + 1));
    }
  }
  return depths;
}

/** No model is deeper; a larger number is part of a name that is not a stack's. */
const MAX_DEPTH = 1_000;

function numberBehind(name: string, start: string): number | undefined {
  const digits = /^(\d{1,4})\./.exec(name.slice(start.length))?.[1];
  const number = digits === undefined ? undefined : Number(digits);
  return number !== undefined && number < MAX_DEPTH ? number : undefined;
}

/** `IN`, 4: `IN04`. */
function numbered(block: string, index: number): string {
  return block + String(index).padStart(2, '0');
}
