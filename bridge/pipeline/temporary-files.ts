import { rmdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import { leavesOf } from '../../nodes/pipeline/conditions.ts';
import type { FlatStep } from '../../nodes/pipeline/expand.ts';
import type { PlannedStep } from '../../nodes/pipeline/plan-pipeline.ts';
import { isTemporaryFolder } from '../../nodes/pipeline/temporary-path.ts';
import { removeIfThere } from '../local/write-file.ts';
import { expectOutput, isMadeByStep } from './output-state.ts';

/** Follows who may still need which temporary file. */
export type TemporaryFiles = {
  /** Deletes what nobody can need any more. */
  sweep(): Promise<void>;
};

/**
 * @param stepsNow the plan as it is known now.
 * @param isOver whether a step has run, or will not.
 */
export function followTemporaryFiles(
  flats: readonly FlatStep[],
  stepsNow: () => ReadonlyMap<string, PlannedStep>,
  isOver: (id: string) => boolean,
  pathOf: (spelled: string) => string,
): TemporaryFiles {
  const users = new Map<string, string[]>();
  for (const { id, inputs } of flats)
    for (const source of inputs.values())
      for (const leaf of leavesOf(source))
        if (leaf.kind === 'step') users.set(leaf.id, [...(users.get(leaf.id) ?? []), id]);
  const gone = new Set<string>();

  /** A result in between that nobody asked for is over when all is that could. */
  function isSettled(id: string): boolean {
    if (isOver(id)) return true;
    const step = stepsNow().get(id);
    const isBetween = step?.writes === 'fused' || step?.output?.isTemporary === true;
    const using = users.get(id) ?? [];
    return isBetween && using.length > 0 && using.every(isSettled);
  }

  return {
    async sweep() {
      for (const [id, { writes, output }] of stepsNow()) {
        if (writes !== 'file' || !output?.isTemporary || gone.has(id)) continue;
        if (!(users.get(id) ?? []).every(isSettled)) continue;
        gone.add(id);
        const { files, index } = expectOutput(output.path, output.predicted, pathOf);
        for (const { path } of files) if (await isMadeByStep(path)) await removeIfThere(path);
        if (index) await removeIfThere(index.path);
        await removeEmptyTemp(dirname(pathOf(output.path)));
      }
    },
  };
}

/** A folder named temp, and those in it that are empty. Anything in a folder keeps it. */
export async function removeEmptyTemp(folder: string): Promise<void> {
  if (!isTemporaryFolder(folder)) return;
  try {
    await rmdir(folder);
    await removeEmptyTemp(dirname(folder));
  } catch {
    // Not empty, not there, or in use: it stays.
  }
}
