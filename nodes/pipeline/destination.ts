import { leavesOf } from './conditions.ts';
import type { FlatStep } from './expand.ts';
import type { WorkStep } from './manifest.ts';
import { outputOf } from './step-output.ts';
import { isInTemporaryFolder } from './temporary-path.ts';

/** Where the result of a step goes. */
export type Destination = {
  /** `fused`: part of the jobs of the steps that use it. `report`: it makes no file. */
  readonly writes: 'file' | 'fused' | 'report';
  /** Absent for a step whose result nobody would have, which a report never has. */
  readonly output?: {
    readonly path: string;
    /** Deleted when the last step that uses it is done. */
    readonly isTemporary: boolean;
  };
  /** Whether a later step takes the result. */
  readonly isUsed: boolean;
};

/** What decides where results go. */
export type DestinationOptions = {
  readonly mode: 'staged' | 'fused';
  /** Where the result of a step without an output goes. */
  tempPath(id: string): string;
};

/** Whose inputs may be results that were never written: all is done tensor by tensor. */
const BY_TENSORS: ReadonlySet<WorkStep['type']> = new Set([
  'merge',
  'block_merge',
  'lora_merge',
  'convert',
  'extract',
]);

/** Decides for every step, by its id, where its result goes. */
export function decideDestinations(
  flats: readonly FlatStep[],
  options: DestinationOptions,
): ReadonlyMap<string, Destination> {
  const users = usersOf(flats);
  return new Map(flats.map((flat) => [flat.id, decide(flat, users.get(flat.id) ?? [], options)]));
}

function decide(
  { id, step }: FlatStep,
  users: readonly FlatStep[],
  { mode, tempPath }: DestinationOptions,
): Destination {
  const isUsed = users.length > 0;
  const { path } = outputOf(step);
  if (path !== undefined) {
    const isTemporary = isUsed && isInTemporaryFolder(path);
    return { writes: writes(isTemporary), output: { path, isTemporary }, isUsed };
  }
  if (!isUsed) return { writes: 'report', isUsed };
  return { writes: writes(true), output: { path: tempPath(id), isTemporary: true }, isUsed };

  function writes(isTemporary: boolean): 'file' | 'fused' {
    const isFused = mode === 'fused' && isTemporary && users.every((user) => BY_TENSORS.has(user.step.type));
    return isFused ? 'fused' : 'file';
  }
}

/** The steps that take the result of each step. */
function usersOf(flats: readonly FlatStep[]): ReadonlyMap<string, readonly FlatStep[]> {
  const users = new Map<string, FlatStep[]>();
  for (const flat of flats) {
    const used = [...flat.inputs.values()].flatMap(leavesOf);
    for (const id of new Set(used.flatMap((leaf) => (leaf.kind === 'step' ? [leaf.id] : [])))) {
      const known = users.get(id);
      if (known) known.push(flat);
      else users.set(id, [flat]);
    }
  }
  return users;
}
