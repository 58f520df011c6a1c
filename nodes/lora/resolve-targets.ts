import type { AdapterModule } from './adapter-module.ts';

/** The weight of a checkpoint that a target means, and its rows where the checkpoint holds several in one. */
export type WeightRef = { readonly name: string; readonly rows?: readonly [number, number] };

/** What an adapter's modules change in one checkpoint. */
export type Resolution = {
  /** Names of weights to what changes them, in the order of the file. */
  readonly byWeight: ReadonlyMap<string, readonly ResolvedModule[]>;
  /** Modules that do nothing to this checkpoint. */
  readonly unresolved: readonly AdapterModule[];
};

type ResolvedModule = { readonly adapter: AdapterModule; readonly rows?: readonly [number, number] };

const WEIGHT = '.weight';

/**
 * Finds the weights that modules change. A bias stands beside its weight, under `.bias`.
 * @param find the weight of a target, as the architecture's key space has it; nothing where it has none.
 */
export function resolveTargets(
  modules: readonly AdapterModule[],
  find: (target: string) => WeightRef | undefined,
): Resolution {
  const byWeight = new Map<string, ResolvedModule[]>();
  const unresolved: AdapterModule[] = [];
  for (const adapter of modules) {
    const ref = find(adapter.target);
    const name = ref && (adapter.part === 'bias' ? biasBeside(ref.name) : ref.name);
    if (name === undefined) {
      unresolved.push(adapter);
      continue;
    }
    const changes = byWeight.get(name) ?? [];
    changes.push({ adapter, ...(ref?.rows && { rows: ref.rows }) });
    byWeight.set(name, changes);
  }
  return { byWeight, unresolved };
}

function biasBeside(weight: string): string | undefined {
  return weight.endsWith(WEIGHT) ? `${weight.slice(0, -WEIGHT.length)}.bias` : undefined;
}
